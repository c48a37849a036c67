"""What a sandbox costs: start and teardown of /bin/true beside the cheapest start there is.

``python -m sandboxes.bench`` prints it. The two are started in turn, so that a busy moment of the
machine hits both; medians are compared.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.interface import Command, Limits, Profile, RunStatus, SandboxError

_TRUE = "/usr/bin/true"
_WARM_UP_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """Median milliseconds of one start and teardown, over `rounds` rounds."""

    rounds: int
    spawn_ms: float
    sandbox_ms: float
    own_cpu_ms: float  # what one sandboxed run costs this process, bubblewrap not counted

    @property
    def ratio(self) -> float:
        return self.sandbox_ms / self.spawn_ms


def compare(sandbox: BubblewrapSandbox, rounds: int = 100) -> Comparison:
    """Time a run of /bin/true in the sandbox against posix_spawn and wait, interleaved.

    Raises
    ------
    SandboxError
        If a run did not exit with 0.
    """
    command = Command((_TRUE,), Profile.RUN_CPP, limits=Limits(wall_time_s=10))

    def spawned() -> None:
        os.waitpid(os.posix_spawn(_TRUE, [_TRUE], {}), 0)

    def sandboxed() -> None:
        result = sandbox.run(command)
        if (result.status, result.exit_code) != (RunStatus.EXITED, 0):
            raise SandboxError(f"a run of {_TRUE} must exit with 0, got {result}")

    spawn_ms, sandbox_ms, own_cpu_ms = [], [], []
    for number in range(-_WARM_UP_ROUNDS, rounds):
        spawn_took = _took_ms(spawned)
        cpu_before_s = time.process_time()
        sandbox_took = _took_ms(sandboxed)
        if number >= 0:
            spawn_ms.append(spawn_took)
            sandbox_ms.append(sandbox_took)
            own_cpu_ms.append((time.process_time() - cpu_before_s) * 1e3)
    return Comparison(
        rounds,
        statistics.median(spawn_ms),
        statistics.median(sandbox_ms),
        statistics.median(own_cpu_ms),
    )


def _took_ms(action: Callable[[], None]) -> float:
    before_s = time.perf_counter()
    action()
    return (time.perf_counter() - before_s) * 1e3


def main() -> int:
    """Print the comparison as one line."""
    try:
        found = compare(BubblewrapSandbox(progress=print))
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"start + teardown of {_TRUE}, median of {found.rounds}: posix_spawn "
        f"{found.spawn_ms:.2f} ms, sandbox {found.sandbox_ms:.2f} ms, ratio {found.ratio:.1f}; "
        f"of it {found.own_cpu_ms:.2f} ms are CPU time of this process"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
