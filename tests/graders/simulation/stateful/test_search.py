"""The search finds what is rare, shrinks it, and does not depend on what else is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from graders.simulation.kv_cache.operations import drawn
from graders.simulation.stateful.search import Script, find
from graders.verdict import Verdict

ROOT = Path(__file__).parents[4]
PRINT = """
from graders.simulation.kv_cache.operations import drawn
from graders.simulation.stateful.search import find
find(drawn(5, 20), lambda script: print(script) and None, 7, 40)
"""


def test_the_same_seed_draws_the_same_sequences_whatever_else_is_loaded(tmp_path: Path) -> None:
    noise = "\n".join(f"B{n} = {bytes([n]) * 11!r}; N{n} = {n}" for n in range(40, 90))
    (tmp_path / "noise.py").write_text(noise)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    printed = [
        subprocess.run(
            [sys.executable, "-c", more + PRINT],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=True,
            timeout=120,
        ).stdout
        for more in ("", "import django, numpy\n")
    ]
    assert printed[0] == printed[1]
    assert printed[0].count(b"Script(") >= 40


@dataclass(frozen=True)
class TooMany:
    """How a script fails that frees twice."""

    verdict: Verdict = Verdict.WRONG_ANSWER
    stopped: bool = False


def frees(script: Script) -> int:
    return sum(method == "free" for method, _ in script.calls)


def test_a_rare_failure_is_found_and_shrunk() -> None:
    def attempt(script: Script) -> TooMany | None:
        return TooMany() if frees(script) >= 2 else None

    found = find(drawn(1, 20), attempt, 3, 200)
    assert found is not None
    assert frees(found[0]) == 2
    assert len(found[0].calls) <= 5


def test_nothing_is_found_where_nothing_fails() -> None:
    def attempt(script: Script) -> TooMany | None:
        return None

    assert find(drawn(1, 5), attempt, 3, 50) is None
