"""The simulator ``kv-cache``: a paged block manager, driven by operations beside a model.

A case's input is a literal sequence (``num_blocks``, ``block_size``, ``operations``), a search
(``draw``), or a measurement of cost (``growth``).
"""

from __future__ import annotations

from collections.abc import Iterator

from graders.ports import Case, Launcher, Task
from graders.simulation.kv_cache import checks, operations
from graders.simulation.kv_cache.growth import Growth, measure
from graders.simulation.stateful import judging
from graders.simulation.stateful.judging import Examined, Rejection
from graders.simulation.stateful.program import Candidate
from graders.simulation.stateful.search import Script, find, without_needless_calls
from graders.verdict import Event

__all__ = ["judge"]


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """See `graders.simulation.judge`."""
    yield from judging.judge(task, source, launcher, seed, _examine)


def _examine(case: Case, candidate: Candidate, seed: int) -> Examined:
    def attempt(script: Script) -> checks.Failure | None:
        return checks.attempt(script, candidate)

    if "growth" in case.input:
        return measure(Growth.read(case.input), candidate, seed)
    if "draw" in case.input:
        examples, least, most = _draw(case.input["draw"])
        found = find(operations.drawn(least, most), attempt, seed, examples)
    else:
        script = operations.read(case.input)
        failure = attempt(script)
        found = None if failure is None else (script, failure)
    if found is None:
        return Examined(None)
    script, failure = found
    script = Script(script.make, script.calls[: failure.step + 1])
    script, failure = without_needless_calls(script, failure, attempt, operations.legal)
    text = checks.advised(script, failure, candidate)
    candidate.take_output()  # what the search printed is nobody's output
    return Examined(
        Rejection(
            failure.verdict,
            text,
            operations.to_json(script),
            checks.draw(script, failure),
        )
    )


def _draw(fields: object) -> tuple[int, int, int]:
    names = ("examples", "min_operations", "max_operations")
    if not isinstance(fields, dict) or set(fields) != set(names):
        raise ValueError(f"draw must have {', '.join(names)}, got {fields!r}")
    examples, least, most = (int(fields[name]) for name in names)
    return examples, least, most
