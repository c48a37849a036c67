"""The same table, run by someone who is not root: own uid, no control groups, no private mount."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sandboxes.bubblewrap import find_hierarchies
from sandboxes.runtime import PYTHON, ensure_runtime
from sandboxes.slot.build import ensure_launcher
from tests.attacks.table import ATTACKS

PROJECT = Path(__file__).resolve().parents[2]
NOBODY = 65534
# "zygote" is the slot as it is used; "cold" starts a Python for each program.
SANDBOXES = {
    "bubblewrap": "BubblewrapSandbox()",
    "zygote": "SlotSandbox()",
    "cold": "SlotSandbox(zygotes={})",
}
SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.slot import SlotSandbox
from sandboxes.doctor import examine, isolation_holds
from tests.attacks.attempts import outcome_of_all
from tests.attacks.bounds import BOUNDS, applies, overdraw
sandbox = @SANDBOX@
parts = sys.argv[2].split("+")
tried, wrong = outcome_of_all(sandbox, sys.argv[1]) if "attacks" in parts else (0, {})
overdrawn = {}
for bound in BOUNDS if "limits" in parts else ():
    if applies(bound, sandbox) and (faults := overdraw(bound, sandbox)):
        overdrawn[bound.name] = faults
findings = examine(sandbox)
sandbox.close()
print(json.dumps({"tried": tried, "wrong": wrong, "overdrawn": overdrawn,
    "isolated": isolation_holds(findings), "groups": len(sandbox.host.hierarchies.directories()),
    "unverified": [finding.limit for finding in findings if not finding.verified]}))
"""


@pytest.fixture
def readable_copy() -> Iterator[Path]:
    """The sandbox's code where an ordinary user can read it, which the checkout may not be."""
    folder = Path(tempfile.mkdtemp(prefix="gauntlet-test-"))
    folder.chmod(0o755)
    for name in ("sandboxes", "tests/attacks"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "tests" / "tries.py", folder / "tests")
    shutil.copy(PROJECT / "requirements-sandbox.lock", folder)
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def delegated() -> Iterator[list[Path]]:
    """Groups that an ordinary user may make groups in, as an administrator would give them."""
    name = f"test-delegated-{os.getpid()}"
    folders = [parent / name for parent in find_hierarchies().directories()]
    if not folders:
        pytest.skip("this host gives no control groups to this user")
    for folder in folders:
        folder.mkdir()
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    yield folders
    for folder in folders:
        for left in folder.glob("gauntlet*"):
            left.rmdir()
        folder.rmdir()


def as_nobody(copy: Path, backend: str, what: str, groups: Sequence[Path] = ()) -> dict[str, Any]:
    """What the script says, run by somebody who is not root, in these control groups."""
    ensure_launcher()  # where only root may write
    enter = 'for group do [ "$group" != -- ] || break; shift; echo $$ >"$group/cgroup.procs"; done'
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    source = SCRIPT.replace("@SANDBOX@", SANDBOXES[backend])
    script = [PYTHON, "-B", "-c", source, str(copy), what]
    result = subprocess.run(
        [
            "/bin/sh",
            "-ec",
            f'{enter}; shift; exec "$@"',
            "sh",
            *map(str, groups),
            "--",
            *drop,
            *script,
        ],
        env={"GAUNTLET_RUNTIME_DIR": str(ensure_runtime()), "PATH": "/usr/bin"},
        cwd="/",
        capture_output=True,
        check=False,
        timeout=180,
    )
    assert result.returncode == 0, result.stderr.decode()
    said: dict[str, Any] = json.loads(result.stdout)
    return said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("backend", "what", "weak"),
    [
        (
            "bubblewrap",
            "attacks+limits",
            {"memory in files", "memory not mapped", "scratch inodes"},
        ),
        ("zygote", "attacks", {"memory in files", "memory not mapped"}),
        ("cold", "attacks+limits", {"memory in files", "memory not mapped"}),
    ],
)
def test_no_attack_succeeds_against_an_ordinary_user(
    readable_copy: Path, backend: str, what: str, weak: set[str]
) -> None:
    """Whose own uid the programs have, and whose processes, files and variables are the bait."""
    said = as_nobody(readable_copy, backend, what)
    assert said["wrong"] == {}
    # Two are only on one kind of processor, one needs control groups.
    assert said["tried"] >= len(ATTACKS) - 3
    assert said["overdrawn"] == {}
    assert said["isolated"]
    assert set(said["unverified"]) <= weak
    assert said["groups"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("backend", "weak"), [("bubblewrap", {"scratch inodes"}), ("cold", set())])
def test_every_limit_holds_for_an_ordinary_user_with_delegated_groups(
    readable_copy: Path, delegated: list[Path], backend: str, weak: set[str]
) -> None:
    said = as_nobody(readable_copy, backend, "limits", delegated)
    assert said["groups"] == len(delegated)
    assert said["overdrawn"] == {}
    assert said["isolated"]
    assert set(said["unverified"]) <= weak
    for folder in delegated:
        left = [*folder.glob("gauntlet-[0-9]*"), *folder.glob("gauntlet/gauntlet-[0-9]*")]
        assert left == []
