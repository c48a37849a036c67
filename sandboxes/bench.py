"""What a sandbox costs: starts and teardowns beside the cheapest start there is, posix_spawn.

``python -m sandboxes.bench`` prints a table. All are started in turn, so that a busy moment of the
machine hits all; medians are compared, and ratios hold better than milliseconds. Those without a
control group show what entering one costs: the kernel may wait for an RCU grace period, some
milliseconds, unless another process entered one a moment ago.
"""

from __future__ import annotations

import functools
import os
import statistics
import struct
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.cgroups import Hierarchies
from sandboxes.interface import (
    DEFAULT_LIMITS,
    Command,
    Limits,
    Profile,
    RunStatus,
    Sandbox,
    SandboxError,
)
from sandboxes.runtime import TORCH, is_built
from sandboxes.slot import SlotSandbox

_TRUE = Command(("/usr/bin/true",), Profile.RUN_CPP, limits=Limits(wall_time_s=30))
_SAY_WHEN = """
import {modules}, os, struct, time
os.write(4, struct.pack("<Id", 8, time.monotonic()))
"""
_WHEN = struct.Struct("<d")
_WARM_UP_ROUNDS = 3
_ROUNDS = 100
_ROUNDS_OF_NUMPY = 30  # a cold import takes ten times as long as the rest
_ROUNDS_OF_TORCH = 10  # and this one hundreds of times


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds over all rounds of one way to start a program."""

    median_ms: float
    least_ms: float


def measure(actions: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Cost]:
    """Do each action in turn, `rounds` times; each returns how many seconds it took.

    Returns
    -------
    dict of str to Cost
        By the names of the actions.
    """
    took_ms: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(-_WARM_UP_ROUNDS, rounds):
        for name, action in actions.items():
            took_s = action()
            if number >= 0:
                took_ms[name].append(took_s * 1e3)
    return {name: Cost(statistics.median(ms), min(ms)) for name, ms in took_ms.items()}


def spawn_s() -> float:
    """Start and wait for ``true`` outside of any sandbox."""
    before_s = time.perf_counter()
    os.waitpid(os.posix_spawn(_TRUE.argv[0], _TRUE.argv, {}), 0)
    return time.perf_counter() - before_s


def run_s(sandbox: Sandbox) -> float:
    """Start and teardown of ``true`` in a sandbox.

    Raises
    ------
    SandboxError
        If the run did not exit with 0.
    """
    before_s = time.perf_counter()
    result = sandbox.run(_TRUE)
    took_s = time.perf_counter() - before_s
    if (result.status, result.exit_code) != (RunStatus.EXITED, 0):
        raise SandboxError(f"a run of {_TRUE.argv[0]} must exit with 0, got {result}")
    return took_s


def importing(profile: Profile, modules: str) -> Command:
    """A program that says when it has imported these modules."""
    source = _SAY_WHEN.format(modules=modules).encode()
    limits = replace(DEFAULT_LIMITS[profile], wall_time_s=60)
    return Command(("python", "program.py"), profile, {"program.py": source}, limits)


def first_instruction_s(sandbox: Sandbox, program: Command) -> float:
    """From the start to the first instruction of a Python program after its imports.

    Raises
    ------
    SandboxError
        If the program did not say when that was.
    """
    before_s = time.monotonic()
    with sandbox.start(program) as run:
        answer = run.receive(60)
    if not isinstance(answer, bytes):
        raise SandboxError(f"a program must say when it ran, got {answer}")
    return float(_WHEN.unpack(answer)[0]) - before_s


def main() -> int:
    """Print what starts cost here, and the machine's load, without which figures say little."""
    try:
        bubblewrap, slot = BubblewrapSandbox(progress=print), SlotSandbox(progress=print)
        cold = SlotSandbox(zygotes={})
        ungrouped = SlotSandbox(hierarchies=Hierarchies())
        starts = measure(
            {
                "posix_spawn": spawn_s,
                "slot": lambda: run_s(slot),
                "slot, no group": lambda: run_s(ungrouped),
                "bubblewrap": lambda: run_s(bubblewrap),
            },
            _ROUNDS,
        )
        ways: dict[str, Sandbox] = {
            "zygote in a slot": slot,
            "zygote, no group": ungrouped,
            "cold in a slot": cold,
            "cold in bubblewrap": bubblewrap,
        }

        def first_instructions(program: Command, rounds: int) -> dict[str, Cost]:
            return measure(
                {
                    name: functools.partial(first_instruction_s, sandbox, program)
                    for name, sandbox in ways.items()
                },
                rounds,
            )

        numpy = first_instructions(importing(Profile.PYTHON, "numpy"), _ROUNDS_OF_NUMPY)
        torch = None
        if is_built(TORCH):
            torch = first_instructions(importing(Profile.TORCH, "torch, triton"), _ROUNDS_OF_TORCH)
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _print(f"start + teardown of {_TRUE.argv[0]}, {_ROUNDS} rounds", starts)
    _print(f"first instruction after import numpy, {_ROUNDS_OF_NUMPY} rounds", numpy)
    if torch is not None:
        _print(f"first instruction after import torch, triton, {_ROUNDS_OF_TORCH} rounds", torch)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    return 0


def _print(title: str, costs: Mapping[str, Cost]) -> None:
    base = next(iter(costs.values()))
    print(title)
    for name, cost in costs.items():
        ratio = cost.median_ms / base.median_ms
        print(f"  {name:20} {cost.median_ms:8.2f} ms {ratio:6.1f}  (least {cost.least_ms:.2f} ms)")


if __name__ == "__main__":
    sys.exit(main())
