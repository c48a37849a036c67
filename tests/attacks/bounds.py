"""Attacks on each limit: as much as can be had, and how much that may be at most.

Each program takes until it is stopped or refused. What it got is read from the run's own report,
or is what the program last said. Standard library only, so that an ordinary user can run it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandboxes.interface import Limits, RunResult, RunStatus

SLACK = 1.1
_MANY = 10


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit. `status` is how the run must end; `got` what the program had of it."""

    name: str
    source: str
    limits: Limits
    most: float
    got: Callable[[RunResult], float]
    status: RunStatus


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
    ),
    Bound(
        "memory of many processes",
        "import os, time\nfor _ in range(3): os.fork()\n"
        "kept = []\nwhile True: kept.append(bytearray(1 << 18)); time.sleep(0.002)",
        Limits(memory_mib=160, wall_time_s=60, processes=8),
        160,
        lambda result: result.memory_mib,
        RunStatus.MEMORY_EXCEEDED,
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
