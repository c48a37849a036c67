"""Control groups, version 1, 2 or both, found by trying and not by looking.

A run gets a group of its own per hierarchy, named ``gauntlet-<pid>-<start time>-<n>`` after the
process that runs it, so that a later process can tell what a crashed one left behind.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from sandboxes.interface import SandboxError

MIB = 1 << 20
_PREFIX = "gauntlet-"
_CONTROLLERS = "+memory +pids"
_PARENT = "gauntlet"  # under version 2, where a group with children may hold no processes
_LONGEST_FILE_BYTES = 1 << 16
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """Where groups can be made: a directory for each controller, None where it cannot be had.

    With version 2 the three are the same directory.
    """

    memory: Path | None = None
    pids: Path | None = None
    cpu: Path | None = None

    def directories(self) -> list[Path]:
        """Each directory once."""
        found = [self.memory, self.pids, self.cpu]
        return list(dict.fromkeys(path for path in found if path is not None))

    @property
    def is_v2(self) -> bool:
        return self.memory is not None and self.memory == self.cpu


class Cgroup:
    """The groups of one run. They bound, once told the limits, and account for the whole tree."""

    def __init__(self, hierarchies: Hierarchies) -> None:
        self.hierarchies = hierarchies
        name = f"{_PREFIX}{_own_name(os.getpid())}-{next(_numbers)}"
        self._directories = [parent / name for parent in hierarchies.directories()]
        self._memory = hierarchies.memory / name if hierarchies.memory else None
        self._pids = hierarchies.pids / name if hierarchies.pids else None
        self._cpu = hierarchies.cpu / name if hierarchies.cpu else None
        self._anonymous_peak_bytes = 0
        self._forgotten_cpu_time_s = 0.0
        try:
            for directory in self._directories:
                directory.mkdir()
        except OSError as error:
            self.remove()
            raise SandboxError(f"a control group could not be made: {error}") from error

    def limit(self, memory_bytes: int, processes: int) -> None:
        """Bound the tree, once and before it grows."""
        try:
            self._limit(memory_bytes, processes)
        except OSError as error:
            raise SandboxError(f"a control group could not be limited: {error}") from error

    def _limit(self, memory_bytes: int, processes: int) -> None:
        if self._memory and self.hierarchies.is_v2:
            _put(self._memory / "memory.max", str(memory_bytes))
            with contextlib.suppress(OSError):  # no swap on this host, or not counted
                _put(self._memory / "memory.swap.max", "0")
            _put(self._memory / "memory.oom.group", "1")
        elif self._memory:
            _put(self._memory / "memory.limit_in_bytes", str(memory_bytes))
            with contextlib.suppress(OSError):
                _put(self._memory / "memory.memsw.limit_in_bytes", str(memory_bytes))
        if self._pids:
            _put(self._pids / "pids.max", str(processes))

    def add(self, process_id: int) -> None:
        """Move a process in; its children are born in."""
        for directory in self._directories:
            try:
                _put(directory / "cgroup.procs", str(process_id))
            except OSError as error:
                raise SandboxError(f"a process could not enter {directory}: {error}") from error

    def cpu_time_s(self) -> float | None:
        """CPU seconds of the tree so far, the dead included; None if not accounted."""
        if self._cpu is None:
            return None
        if self.hierarchies.is_v2:
            used_s = _field(self._cpu / "cpu.stat", "usage_usec") / 1e6
        else:
            used_s = int(_text(self._cpu / "cpuacct.usage")) / 1e9
        return used_s - self._forgotten_cpu_time_s

    def forget_cpu_time(self) -> None:
        """Count from now on: what was done ahead is not the program's."""
        self._forgotten_cpu_time_s += self.cpu_time_s() or 0.0

    def memory_peak_mib(self) -> float | None:
        """Peak of anonymous and shared memory over the tree; None if not accounted.

        Files that a run is the first to read are charged to it too, but could be dropped at any
        time: they are left out, or the same program would need more on its first run.
        """
        if self._memory is None:
            return None
        stat = _fields(self._memory / "memory.stat")
        if self.hierarchies.is_v2:
            used = stat["anon"] + stat["shmem"]
            cached = stat["file"] - stat["shmem"]
            peak_file = self._memory / "memory.peak"
            peak = int(peak_file.read_text()) if peak_file.exists() else 0  # since Linux 5.19
        else:
            used = stat["total_rss"] + stat["total_shmem"]
            cached = stat["total_cache"] - stat["total_shmem"]
            peak = int(_text(self._memory / "memory.max_usage_in_bytes"))
        self._anonymous_peak_bytes = max(self._anonymous_peak_bytes, used, peak - cached)
        return self._anonymous_peak_bytes / MIB

    def out_of_memory(self) -> bool:
        """Whether the kernel had to kill in this group."""
        if self._memory is None:
            return False
        events = "memory.events" if self.hierarchies.is_v2 else "memory.oom_control"
        return _field(self._memory / events, "oom_kill") > 0

    def out_of_processes(self) -> bool:
        """Whether the kernel had to refuse a process or a thread."""
        return self._pids is not None and _field(self._pids / "pids.events", "max") > 0

    def is_bounded(self, memory_bytes: int) -> bool:
        """Whether the kernel took the limit on memory, and accounts for it."""
        if self._memory is None:
            return True
        limit = "memory.max" if self.hierarchies.is_v2 else "memory.limit_in_bytes"
        kept = int((self._memory / limit).read_text())
        return kept == memory_bytes and self.memory_peak_mib() is not None

    def kill_until_empty(self, patience_s: float = 5.0) -> None:
        """Kill every member until none is seen any more.

        Raises
        ------
        SandboxError
            If something is still there after `patience_s`.
        """
        deadline = time.monotonic() + patience_s
        while members := {pid for path in self._directories for pid in _members(path)}:
            for process_id in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise SandboxError(f"processes {sorted(members)} of a run could not be killed")
            time.sleep(0.001)

    def remove(self, patience_s: float = 2.0) -> None:
        """Remove the groups; they must be empty."""
        for directory in self._directories:
            _remove(directory, patience_s)


def find_hierarchies() -> Hierarchies:
    """Where this process can make groups that really limit, each tried with a living process."""
    own = _own_paths()
    v2_mount, v1_mounts = _mounts()
    if v2_mount is not None:
        # From the top: a slice or scope nearer to this process may go away under a long-lived
        # worker, when somebody logs out.
        for place in reversed(_self_and_parents(v2_mount, own.get("", "/"))):
            parent = place / _PARENT
            if _prepare_v2(parent):
                return Hierarchies(parent, parent, parent)
    found = {
        controller: next(
            (
                place
                for place in _self_and_parents(v1_mounts[controller], own.get(controller, "/"))
                if _works(Hierarchies(**{field: place}))
            ),
            None,
        )
        for field, controller in (
            ("memory", "memory"),
            ("pids", "pids"),
            ("cpu", "cpuacct"),
        )
        if controller in v1_mounts
    }
    return Hierarchies(found.get("memory"), found.get("pids"), found.get("cpuacct"))


def sweep(hierarchies: Hierarchies) -> list[str]:
    """Kill and remove the groups whose runner is gone; their names."""
    swept = []
    for parent in hierarchies.directories():
        for directory in parent.glob(f"{_PREFIX}*-*-*"):
            runner, start_time = directory.name.removeprefix(_PREFIX).split("-")[:2]
            if runner.isdigit() and _start_time(int(runner)) != start_time:
                for process_id in _members(directory):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(process_id, signal.SIGKILL)
                with contextlib.suppress(SandboxError):
                    _remove(directory, patience_s=2.0)
                    swept.append(directory.name)
    return sorted(set(swept))


def _prepare_v2(parent: Path) -> bool:
    try:
        parent.mkdir(exist_ok=True)
        controllers = (parent / "cgroup.controllers").read_text().split()
        if not {"memory", "pids"} <= set(controllers) and os.getpid() in _members(parent.parent):
            _pass_on(parent.parent)
        (parent / "cgroup.subtree_control").write_text(_CONTROLLERS)
    except OSError:
        works = False
    else:
        works = _works(Hierarchies(parent, parent, parent))
    if not works:
        with contextlib.suppress(OSError):
            parent.rmdir()
    return works


def _pass_on(group: Path, patience_s: float = 1.0) -> None:
    """Let the group that this process is in, and was given, limit groups inside it.

    A group of version 2 that does so may have no members of its own, except at the very top:
    those that it has, move one level down. So it is with ``Delegate=yes`` and in containers.

    Raises
    ------
    OSError
        If this user may not; everybody is back where they were.
    """
    runner = group / "gauntlet-runner"
    deadline = time.monotonic() + patience_s
    while True:
        try:
            (group / "cgroup.subtree_control").write_text(_CONTROLLERS)
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                if runner.is_dir():
                    _move(runner, group)
                    runner.rmdir()
                raise
        runner.mkdir(exist_ok=True)
        _move(group, runner)


def _move(source: Path, target: Path) -> None:
    for process_id in _members(source):
        if process_id:  # 0 is one that is not seen from here
            with contextlib.suppress(ProcessLookupError):
                (target / "cgroup.procs").write_text(str(process_id))


def _works(hierarchies: Hierarchies) -> bool:
    """Whether a process can be put into a new group there and the group's limit be set."""
    child = os.posix_spawn("/bin/sleep", ["sleep", "10"], {})
    try:
        group = Cgroup(hierarchies)
        try:
            group.limit(64 * MIB, 8)
            group.add(child)
            works = all(child in _members(path) for path in group._directories)
            works = works and group.is_bounded(64 * MIB) and not group.out_of_memory()
            works = works and not group.out_of_processes()
        finally:
            group.kill_until_empty()
            os.waitpid(child, 0)
            child = 0
            group.remove()
    except (SandboxError, OSError, KeyError):
        return False
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return works


def _own_paths() -> dict[str, str]:
    """This process's group in each hierarchy, by controller; version 2 under the empty name."""
    paths = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path
    return paths


def _mounts() -> tuple[Path | None, dict[str, Path]]:
    v2 = None
    v1 = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4])
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            v2 = point
        elif kind == "cgroup":
            v1.update(dict.fromkeys(options.split(","), point))
    return v2, v1


def _self_and_parents(mount: Path, own: str) -> list[Path]:
    """Candidates for a parent group: this process's own, and those above, nearest first."""
    path = Path(own.lstrip("/"))
    candidates = [mount / path, *(mount / parent for parent in path.parents)]
    return [place for place in dict.fromkeys(candidates) if place.is_dir()]


def _members(directory: Path) -> list[int]:
    try:
        return [int(line) for line in (directory / "cgroup.procs").read_text().split()]
    except OSError as error:
        # Another runner removed it before it was opened, or while it was read.
        if error.errno in (errno.ENOENT, errno.ENODEV):
            return []
        raise


def _remove(directory: Path, patience_s: float) -> None:
    # A group stays busy for some moments after its last process was reaped.
    deadline = time.monotonic() + patience_s
    while True:
        try:
            directory.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise SandboxError(f"{directory} could not be removed: {error}") from error
            time.sleep(0.001)


def _fields(path: Path) -> dict[str, int]:
    lines = (line.split() for line in _text(path).splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2}


def _put(path: Path, text: str) -> None:
    """Write a small file, at the price of `_text`."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _text(path: Path) -> str:
    """A small file, read at a third of the price of `Path.read_text`: each run reads many."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, _LONGEST_FILE_BYTES).decode()
    finally:
        os.close(fd)


def _field(path: Path, name: str) -> int:
    return _fields(path)[name]


@functools.cache
def _own_name(process_id: int) -> str:
    return f"{process_id}-{_start_time(process_id)}"


def _start_time(process_id: int) -> str:
    """When a process started, in clock ticks after boot; empty if there is none."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]
