"""Attacks on each limit: as much as can be had, and how much that may be at most.

Each program takes until it is stopped or refused. What it got is read from the run's own report,
or is what the program last said. Standard library only, so that an ordinary user can run it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.interface import Command, Limits, RunResult, RunStatus
from sandboxes.slot import SlotSandbox
from tests.tries import best_of_tries

AnySandbox = BubblewrapSandbox | SlotSandbox
SLACK = 1.1
_MANY = 10


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit. `status` is how the run must end; `got` what the program had of it.

    `most_looked_at` is the most that may be had where no control group charges memory: it is looked
    at every 50 ms, and RLIMIT_DATA, twice the limit and 256 MiB, stops what grows faster.
    """

    name: str
    source: str
    limits: Limits
    most: float
    got: Callable[[RunResult], float]
    status: RunStatus
    most_looked_at: float | None = None
    needs_own_scratch: bool = False  # to be told; an ordinary user's bubblewrap mounts it inside

    def most_in(self, sandbox: AnySandbox) -> float:
        """The most that may be had in this sandbox, with the slack."""
        if self.most_looked_at is not None and sandbox.host.hierarchies.memory is None:
            return self.most_looked_at
        return self.most * SLACK

    def status_in(self, sandbox: AnySandbox) -> RunStatus:
        """How the run must end in this sandbox."""
        if self.status is RunStatus.PROCESSES_EXCEEDED and sandbox.host.hierarchies.pids is None:
            return RunStatus.EXITED  # without a control group the kernel counts no refusals
        if self.needs_own_scratch and not sandbox.host.bounds_inodes:
            return RunStatus.EXITED
        return self.status

    def faults(self, result: RunResult, sandbox: AnySandbox) -> list[str]:
        """Where the outcome is another than it must be."""
        found = []
        got, status = self.got(result), self.status_in(sandbox)
        if result.status is not status:
            found.append(
                f"it ended as {result.status}, and {status} is due: {result.stderr!r:.300}"
            )
        if got > self.most_in(sandbox):
            found.append(f"{got:g} were had, and {self.most_in(sandbox):g} are the most")
        if got < self.most / SLACK:
            found.append(f"it was stopped at {got:g}, and has a right to {self.most:g}")
        return found


def overdraw(bound: Bound, sandbox: AnySandbox) -> list[str]:
    """Take as much as can be had; what is wrong with the outcome, in the best of a few tries."""
    command = Command(("python", "-c", bound.source), limits=bound.limits)
    result = best_of_tries(
        lambda: sandbox.run(command), lambda result: not bound.faults(result, sandbox)
    )
    return bound.faults(result, sandbox)


def applies(bound: Bound, sandbox: AnySandbox) -> bool:
    """An ordinary user cannot mount a tmpfs with an inode limit for bubblewrap."""
    return bound.status is not RunStatus.FILES_EXCEEDED or sandbox.host.bounds_inodes


def _last_number(result: RunResult) -> float:
    return float(result.stdout.split()[-1])


_COUNT = """
count = 0
try:
    while True:
        {}
        count += 1
        print(count, flush=True)
finally:
    print(count, flush=True)
"""

BOUNDS = [
    Bound(
        "CPU time",
        "while True: pass",
        Limits(cpu_time_s=1.0, wall_time_s=60),
        1.0,
        lambda result: result.cpu_time_s,
        RunStatus.CPU_TIME_EXCEEDED,
    ),
    Bound(
        "CPU time of many processes",
        "import os\nfor _ in range(3): os.fork()\nwhile True: pass",
        Limits(cpu_time_s=1.0, wall_time_s=60, processes=8),
        1.0,
        lambda result: result.cpu_time_s,
        RunStatus.CPU_TIME_EXCEEDED,
    ),
    Bound(
        "wall time",
        "import time\nwhile True: time.sleep(1)",
        Limits(wall_time_s=2.0),
        2.0,
        lambda result: result.wall_time_s,
        RunStatus.WALL_TIME_EXCEEDED,
    ),
    Bound(
        "memory",
        "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
        Limits(memory_mib=160, wall_time_s=60),
        160,
        lambda result: result.memory_mib,
        RunStatus.MEMORY_EXCEEDED,
        most_looked_at=2 * 160 + 256,
    ),
    Bound(
        "memory of many processes",
        "import os, time\nfor _ in range(3): os.fork()\n"
        "kept = []\nwhile True: kept.append(bytearray(1 << 18)); time.sleep(0.002)",
        Limits(memory_mib=160, wall_time_s=60, processes=8),
        160,
        lambda result: result.memory_mib,
        RunStatus.MEMORY_EXCEEDED,
        most_looked_at=160 + 80,  # 500 MiB a second, and looks that come late
    ),
    Bound(
        "processes",
        "import os, time\n" + _COUNT.format("os.fork() or time.sleep(60)"),
        Limits(processes=_MANY, wall_time_s=60),
        _MANY - 1,  # the program itself is one
        _last_number,
        RunStatus.PROCESSES_EXCEEDED,
    ),
    Bound(
        "threads",
        "import os, threading, time\n"
        "try:\n"
        "    for count in range(1, 100):\n"
        "        threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "        print(count, flush=True)\n"
        "except RuntimeError: os._exit(3)\n",
        Limits(processes=_MANY, wall_time_s=60),
        _MANY - 1,
        _last_number,
        RunStatus.PROCESSES_EXCEEDED,
    ),
    Bound(
        "output",
        "import os\nwhile True: os.write(1, b'x' * 4096)",
        Limits(output_kib=16, wall_time_s=60),
        16 << 10,
        lambda result: len(result.stdout) + len(result.stderr),
        RunStatus.OUTPUT_EXCEEDED,
    ),
    Bound(
        "scratch bytes",
        "import os\n"
        + _COUNT.format(
            "fd = os.open(f'/tmp/{count}', os.O_CREAT | os.O_WRONLY);"
            " assert os.write(fd, bytes(1 << 16)) == 1 << 16; os.close(fd)"
        ),
        Limits(scratch_mib=8, wall_time_s=60),
        8 << 4,
        _last_number,
        RunStatus.SCRATCH_EXCEEDED,
        needs_own_scratch=True,
    ),
    Bound(
        "one file",
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "file = open('/tmp/x', 'wb', 0); print(8)\nwhile True: file.truncate(9 << 20)",
        Limits(scratch_mib=8, wall_time_s=60),
        8,
        _last_number,
        RunStatus.SCRATCH_EXCEEDED,
    ),
    Bound(
        "files",
        _COUNT.format("open(f'/tmp/{count}', 'w').close()"),
        Limits(scratch_inodes=100, wall_time_s=60),
        100,
        _last_number,
        RunStatus.FILES_EXCEEDED,
    ),
]
