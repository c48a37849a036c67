"""The `simulation` grader: a protocol, driven step by step by a simulator on the trusted side."""

from __future__ import annotations

from collections.abc import Iterator

from graders.ports import Launcher, Task
from graders.simulation import (
    checkpointing,
    continuous_batching,
    gang_scheduling,
    kv_cache,
    pipeline,
    ring,
)
from graders.verdict import Event

QUEUE = "cpu"
_SIMULATORS = {
    "checkpointing": checkpointing.judge,
    "continuous-batching": continuous_batching.judge,
    "gang-scheduling": gang_scheduling.judge,
    "kv-cache": kv_cache.judge,
    "pipeline-schedule": pipeline.judge,
    "ring-collective": ring.judge,
}


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """Judge a submission on the task's cases.

    Parameters
    ----------
    task : Task
        `settings` holds the grader's section of problem.yaml; all `cases` are run, in order.
    source : bytes
        The submission, one Python file.
    seed : int
        Draws the inputs. Keep it from the candidate until the verdict: who knows the seed knows
        the other ranks' vectors.

    Yields
    ------
    Event
        Compiling, each case's start and end, and one verdict.

    Raises
    ------
    ValueError
        If the task's settings or inputs are not what the simulator takes: our fault.
    """
    yield from _SIMULATORS[str(task.settings["simulator"])](task, source, launcher, seed)
