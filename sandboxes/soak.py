"""Many runs, and runners that crash in the middle of theirs: nothing of any kind may be left.

``python -m sandboxes.soak [RUNS [RUNS_A_RUNNER]]`` counts what the kernel holds for the user ids of
the runs, and what this process holds, before and after. Four fifths of the runs are in slots, the
rest under bubblewrap. Nine tenths are done by runners that are killed with SIGKILL while they work;
this process sweeps after them, as the next worker on a host does. For an ordinary user, who has one
id for everything, files and keys that other programs make meanwhile count too.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sandboxes.bubblewrap import find_hierarchies
from sandboxes.cgroups import sweep
from sandboxes.doctor import BACKENDS, AnySandbox
from sandboxes.identity import LAST_UID
from sandboxes.interface import Command, Limits, RunStatus, SandboxError
from sandboxes.kernel import become_subreaper
from sandboxes.meter import process_tree

# Of these only the soak's runs are, so that other work on the host is not counted.
UIDS = (LAST_UID - 199, LAST_UID)
_RUNS = 10_000
_THREADS = 4
_RUNS_A_RUNNER = 150
_PATIENCE_S = 20.0
_LIMITS = Limits(cpu_time_s=0.05, wall_time_s=10, memory_mib=64, processes=4, scratch_mib=4)
_PROGRAMS = (
    "pass",
    "raise SystemExit(3)",
    "import os; os.kill(os.getpid(), 9)",
    "while True: pass",
    "import os\nif os.fork() == 0:\n    os.setsid()\n    while True: pass",
    "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "open('/dev/shm/x', 'wb').write(bytes(1 << 20)); open('out', 'w').write('kept')",
    "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
    "open('/tmp/x', 'wb').write(bytes(5 << 20))",
    "import os\nos.write(1, b'x' * (1 << 19)); os.mkfifo('out')",
)


@dataclass(frozen=True, slots=True)
class Left:
    """How much of each kind there is."""

    mounts: int
    control_groups: int
    processes: int
    keys: int
    shared_memory: int
    files: int
    descriptors: int
    threads: int


def soak(
    runs: int,
    runs_a_runner: int = _RUNS_A_RUNNER,
    progress: Callable[[int, float], None] = lambda done, seconds: None,
) -> tuple[Left, Left, Counter[RunStatus]]:
    """Do many runs, most of them in runners that crash.

    Parameters
    ----------
    runs : int
        How many are started; those that a crash ends are among them.
    runs_a_runner : int
        How many one process does.
    progress : callable
        Told how many were started, and seconds since the beginning.

    Returns
    -------
    tuple
        What there was before, what there is after, and how the runs ended that no crash did.
    """
    become_subreaper()
    for make in BACKENDS.values():
        make(uids=UIDS).close()  # what is made once a process is not left by a run
    runners: list[int] = []
    before = count(runners, uids())
    started_at = time.monotonic()
    ended: Counter[RunStatus] = Counter()
    for done in range(0, runs, runs_a_runner):
        share = min(runs_a_runner, runs - done)
        number = done // runs_a_runner
        backend = "bubblewrap" if number % 5 == 3 else "slot"
        if _is_done_here(number):
            ended += work(backend, number, share)
        else:
            argv = [sys.executable, "-m", "sandboxes.soak", backend, str(number), str(share)]
            project = Path(__file__).resolve().parent.parent
            runner = subprocess.Popen(argv, cwd=project)
            if runner.wait() != -signal.SIGKILL:
                raise SandboxError(f"a runner of the soak ended with {runner.returncode}")
            runners.append(runner.pid)
        progress(done + share, time.monotonic() - started_at)
    sweep(find_hierarchies())
    after = _settled(before, runners)
    return before, after, ended


def work(backend: str, seed: int, runs: int, crash: bool = False) -> Counter[RunStatus]:
    """Do some runs in threads; with a crash, kill this process in the middle of the last ones."""
    sandbox = BACKENDS[backend](uids=UIDS)
    finishing = threading.Semaphore(0)

    def one(number: int) -> RunStatus:
        source = random.Random(f"{seed}.{number}").choice(_PROGRAMS)  # noqa: S311 - no secret
        finishing.release()
        return _run(sandbox, source)

    with ThreadPoolExecutor(_THREADS) as threads:
        results = threads.map(one, range(runs))
        if crash:
            for _ in range(runs):  # the last ones have begun
                finishing.acquire()
            os.kill(os.getpid(), signal.SIGKILL)
        ended = Counter(results)
    sandbox.close()
    return ended


def _run(sandbox: AnySandbox, source: str) -> RunStatus:
    files = {"program.py": source.encode()}
    command = Command(("python", "program.py"), files=files, limits=_LIMITS, collect=("out",))
    return sandbox.run(command).status


def _is_done_here(runner: int) -> bool:
    return runner % 10 == 9


def _settled(before: Left, runners: Sequence[int]) -> Left:
    """What is left when what is on its way out has had the time; orphans are reaped meanwhile."""
    deadline = time.monotonic() + _PATIENCE_S
    while (after := count(runners, uids())) != before and time.monotonic() < deadline:
        for process in process_tree(os.getpid())[1:]:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)
        time.sleep(0.02)
    return after


def uids() -> tuple[int, int]:
    """First and last user id of the soak's runs; an ordinary user has but one for everything."""
    return UIDS if os.geteuid() == 0 else (os.geteuid(), os.geteuid())


def count(runners: Sequence[int], uids: tuple[int, int]) -> Left:
    """What there is of each kind.

    Parameters
    ----------
    runners : sequence of int
        Processes whose control groups are counted, beside this one's.
    uids : tuple of int
        First and last user id whose keys, shared memory and files are counted. Of root's runs the
        processes too; those of an ordinary user are below this process, which is their reaper, and
        the user may have others.
    """
    first, last = uids
    ours = {*runners, os.getpid()}
    groups = [
        group
        for parent in find_hierarchies().directories()
        for group in parent.glob("gauntlet-*-*-*")
        if int(group.name.split("-")[1]) in ours
    ]

    def is_of_runs(uid: int) -> bool:
        return first <= uid <= last

    processes = len(process_tree(os.getpid())) - 1
    if os.geteuid() == 0:
        processes += sum(map(is_of_runs, _owners_of_processes()))
    return Left(
        mounts=len(_lines("/proc/self/mounts")),
        control_groups=len(groups),
        processes=processes,
        keys=sum(is_of_runs(int(line.split()[5])) for line in _lines("/proc/keys")),
        shared_memory=sum(
            is_of_runs(int(line.split()[column]))
            for name, column in (("shm", 7), ("msg", 7), ("sem", 4))
            for line in _lines(f"/proc/sysvipc/{name}")[1:]
        ),
        files=sum(map(is_of_runs, _owners_of_files("/tmp", "/var/tmp", "/dev/shm"))),  # noqa: S108
        descriptors=len(os.listdir("/proc/self/fd")),
        threads=threading.active_count(),
    )


def _owners_of_processes() -> Iterator[int]:
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            yield os.stat(f"/proc/{process}").st_uid


def _owners_of_files(*places: str) -> Iterator[int]:
    for place in places:
        for name in os.listdir(place):
            with contextlib.suppress(OSError):  # somebody has removed it meanwhile
                yield os.lstat(f"{place}/{name}").st_uid


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def main(arguments: Sequence[str]) -> int:
    """Soak and print what was there before and after; 0 if it is the same."""
    if len(arguments) == 3:  # a runner of ours
        work(arguments[0], int(arguments[1]), int(arguments[2]), crash=True)
    if len(arguments) > 2 or not all(map(str.isdigit, arguments)):
        print("usage: python -m sandboxes.soak [RUNS [RUNS_A_RUNNER]]", file=sys.stderr)
        return 2
    given = list(map(int, arguments))
    runs, runs_a_runner = (*given, *(_RUNS, _RUNS_A_RUNNER)[len(given) :])

    def tell(done: int, seconds: float) -> None:
        print(f"\r{done} of {runs} runs, {seconds:.0f} s ", end="", flush=True)

    before, after, ended = soak(runs, runs_a_runner, tell)
    crashes = sum(not _is_done_here(number) for number in range(-(-runs // runs_a_runner)))
    print(f"\n{runs} runs, {crashes} runners killed in the middle of theirs")
    print(
        "of those that no crash ended:", ", ".join(f"{n} {status}" for status, n in ended.items())
    )
    print(f"{'left':16}{'before':>8}{'after':>8}")
    for name in Left.__slots__:
        print(f"{name.replace('_', ' '):16}{getattr(before, name):8}{getattr(after, name):8}")
    return 0 if before == after else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
