"""Which limits this host really enforces, found out by running programs that break them.

``python -m sandboxes.doctor`` prints it. A limit counts as verified only if a program that broke
it was stopped, or an attempt refused, a moment ago: that a file or a feature exists proves nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.host import facts
from sandboxes.interface import Command, Limits, RunResult, RunStatus, Sandbox, SandboxError
from sandboxes.slot import SlotSandbox

AnySandbox = BubblewrapSandbox | SlotSandbox
BACKENDS: Mapping[str, type[SlotSandbox] | type[BubblewrapSandbox]] = {
    "slot": SlotSandbox,
    "bubblewrap": BubblewrapSandbox,
}
_ISOLATION = "isolation"
_LIMITS = Limits(cpu_time_s=2, wall_time_s=5, memory_mib=96, scratch_mib=8)


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit: what enforces it here, and whether a trial run showed it.

    One that `isolates` must hold before any submission runs; without one of the others a verdict
    is less exact.
    """

    limit: str
    enforced_by: str
    verified: bool
    detail: str
    isolates: bool = False


@dataclass(frozen=True, slots=True)
class _Trial:
    limit: str
    source: str
    holds: Callable[[RunResult], bool]
    limits: Limits = _LIMITS
    isolates: bool = False


def _said(expected: bytes) -> Callable[[RunResult], bool]:
    return lambda result: result.stdout.strip() == expected


def _ended(status: RunStatus) -> Callable[[RunResult], bool]:
    return lambda result: result.status is status


_REFUSED = "try:\n    {}\nexcept OSError: print('refused')\nelse: print('allowed')"
_TRIALS = [
    _Trial(
        "unprivileged user",
        "inside, outside, _ = map(int, open('/proc/self/uid_map').read().split())\n"
        "import os; print(outside + os.getuid() - inside != 0)",
        _said(b"True"),
        isolates=True,
    ),
    _Trial(
        "files",
        "import os; print(set(os.listdir('/')) - {'bin', 'dev', 'lib', 'lib64', 'proc', 'runtime',"
        " 'scratch', 'tmp', 'usr'})",
        _said(b"set()"),
        isolates=True,
    ),
    _Trial(
        "read-only system", _REFUSED.format("open('/usr/x', 'w')"), _said(b"refused"), isolates=True
    ),
    _Trial(
        "network",
        "import socket\n" + _REFUSED.format("socket.socket(socket.AF_INET)"),
        _said(b"refused"),
        isolates=True,
    ),
    _Trial(
        "other processes",
        "import os; print(*sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))",
        _said(b"1 2"),
        isolates=True,
    ),
    _Trial(
        "system calls",
        "import ctypes\n"
        "lines = [l for name in ('1', 'self') for l in open(f'/proc/{name}/status')]\n"
        "print(*(l.split()[1] for l in lines if l.startswith('Seccomp:')),\n"
        "      ctypes.CDLL(None).unshare(0x10000000))",  # CLONE_NEWUSER
        _said(b"2 2 -1"),
        isolates=True,
    ),
    _Trial(
        "privileges",
        "print({int(line.split()[1], 16) for line in open('/proc/self/status')"
        " if line.startswith('Cap')})",
        _said(b"{0}"),
        isolates=True,
    ),
    _Trial(
        "CPU time",
        "while True: pass",
        _ended(RunStatus.CPU_TIME_EXCEEDED),
        Limits(cpu_time_s=0.2, wall_time_s=5),
    ),
    _Trial(
        "wall time",
        "import time; time.sleep(60)",
        _ended(RunStatus.WALL_TIME_EXCEEDED),
        Limits(wall_time_s=0.2),
    ),
    _Trial(
        "memory",
        "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
        _ended(RunStatus.MEMORY_EXCEEDED),
    ),
    _Trial(
        "memory in files",
        "import time\nopen('/tmp/x', 'wb').write(bytes(1 << 20) * 40)\n"
        "kept = bytearray(60 << 20); time.sleep(0.2)",
        _ended(RunStatus.MEMORY_EXCEEDED),
        Limits(cpu_time_s=2, wall_time_s=5, memory_mib=96, scratch_mib=64),
    ),
    _Trial(
        "memory not mapped",
        "import mmap, time\nshared = mmap.mmap(-1, 160 << 20)\n"
        "for at in range(0, 160 << 20, 1 << 20):\n"
        "    shared[at : at + (1 << 20)] = bytes(1 << 20)\n"
        "    shared.madvise(mmap.MADV_DONTNEED, at, 1 << 20)\n"
        "time.sleep(0.2)",
        _ended(RunStatus.MEMORY_EXCEEDED),
    ),
    _Trial(
        "processes",
        "import os\n" + _REFUSED.format("os.fork() or os._exit(0)"),
        _said(b"refused"),
    ),
    _Trial(
        "output",
        "import os\nwhile True: os.write(1, b'x' * 65536)",
        _ended(RunStatus.OUTPUT_EXCEEDED),
        Limits(output_kib=1, wall_time_s=5),
    ),
    _Trial(
        "scratch bytes",
        _REFUSED.replace("{}", "[open(f'/tmp/{n}', 'wb').write(bytes(3 << 20)) for n in range(4)]"),
        _said(b"refused"),
    ),
    _Trial(
        "scratch inodes",
        _REFUSED.replace("{}", "[open(f'/tmp/{n}', 'w').close() for n in range(20)]"),
        _said(b"refused"),
        Limits(scratch_inodes=10, wall_time_s=5),
    ),
]


def examine(sandbox: AnySandbox, only_isolation: bool = False) -> list[Finding]:
    """Try every limit of a sandbox, or only what isolates. Takes about two seconds, or half one."""
    enforcers = _enforcers(sandbox)
    return [
        _try(sandbox, trial, enforcers[trial.limit])
        for trial in _TRIALS
        if trial.isolates or not only_isolation
    ]


def examine_backend(name: str) -> list[Finding]:
    """Make one of the sandboxes and examine it.

    If this host cannot sandbox in that way at all, the one finding says why and what to do.
    """
    try:
        sandbox = BACKENDS[name]()
    except SandboxError as error:
        return [Finding(_ISOLATION, "nothing", False, str(error), isolates=True)]
    try:
        return examine(sandbox)
    finally:
        sandbox.close()


def require_isolation(sandbox: AnySandbox) -> None:
    """Refuse a sandbox that lets its programs out.

    Raises
    ------
    SandboxError
        If anything that isolates could not be seen to hold.
    """
    findings = examine(sandbox, only_isolation=True)
    if isolation_holds(findings):
        return
    open_ways = ", ".join(finding.limit for finding in findings if not finding.verified)
    raise SandboxError(
        "a submission must not reach anything outside its sandbox, and a trial run could: "
        f"{open_ways}. Run manage.py doctor, and mend what it says"
    )


def isolation_holds(findings: list[Finding]) -> bool:
    """Whether submissions may run here: everything that isolates was verified."""
    isolating = [finding for finding in findings if finding.isolates]
    return bool(isolating) and all(finding.verified for finding in isolating)


def _try(sandbox: Sandbox, trial: _Trial, enforced_by: str) -> Finding:
    command = Command(("python", "-c", trial.source), limits=trial.limits)
    try:
        result = sandbox.run(command)
    except SandboxError as error:
        return Finding(trial.limit, enforced_by, False, str(error), trial.isolates)
    said = (result.stdout + result.stderr).decode(errors="replace").strip()[:200]
    detail = f"a trial run ended as {result.status}" + (f", saying {said!r}" if said else "")
    return Finding(trial.limit, enforced_by, trial.holds(result), detail, trial.isolates)


def _enforcers(sandbox: AnySandbox) -> dict[str, str]:
    host = sandbox.host
    found = host.hierarchies
    version = "version 2" if found.is_v2 else "version 1"
    group = f"control group ({version})"
    looking = "the supervisor, looking at /proc"
    return {
        "unprivileged user": "an id for each run" if host.is_root else f"own uid {os.geteuid()}",
        "files": "mount namespace",
        "read-only system": "mount namespace",
        "network": "system call filter, network namespace",
        "other processes": "pid namespace",
        "system calls": "seccomp",
        "privileges": "user namespace, no_new_privs",
        "CPU time": f"the supervisor, asking the {group}" if found.cpu else looking,
        "wall time": "the supervisor",
        "memory": group if found.memory else looking,
        "memory in files": group if found.memory else "nothing: files are not seen in /proc",
        "memory not mapped": group
        if found.memory
        else "nothing: /proc tells what is mapped, and shared memory outlives that",
        "processes": f"{group}, RLIMIT_NPROC" if found.pids else "RLIMIT_NPROC",
        "output": "the supervisor",
        "scratch bytes": "a sized tmpfs",
        "scratch inodes": "a sized tmpfs"
        if host.bounds_inodes
        else "nothing: bubblewrap mounts a tmpfs without an inode limit",
    }


def main() -> int:
    """Print this host's facts and every finding; 0 if any sandbox isolates here, 1 if none."""
    for fact in facts():
        print(f"{fact.subject:18} {fact.fact}")
    holds = False
    for name in BACKENDS:
        print(f"\n{name}")
        findings = examine_backend(name)
        holds = holds or isolation_holds(findings)
        for finding in findings:
            mark = "ok  " if finding.verified else "FAIL" if finding.isolates else "weak"
            print(f"{mark}  {finding.limit:18} {finding.enforced_by}")
            if not finding.verified:
                print(f"      {finding.detail}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
