"""What a run has used so far: from its control groups, or else from /proc.

Where the host gives no control group, the tree under the run's first process is read from /proc.
That sees less: a process that came and went between two looks counts through the parent that
waited for it, and memory that no process maps is not seen: files in the scratch space, and what was
shared between processes and is not mapped any more. Page tables are counted, and each socket and
pipe as if it were full: what lies in them is in no process.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Sequence
from pathlib import Path

from sandboxes.cgroups import Cgroup

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# A socket refuses what comes when it holds its bound, so it may hold nearly as much again; see
# sock_alloc_send_pskb() in the kernel's net/core/sock.c. No program here may raise either size.
_USUAL_SOCKET_BYTES = 212992
_SOCKET_BOUND = "/proc/sys/net/core/wmem_default"
_PIPE_BYTES = 65536  # pipe(7)


class Meter:
    """CPU time and peak memory of one run's process tree; never runs backwards.

    The first `own_processes` of the tree are the sandbox's own; the last of them is init. What init
    holds is left out: it is tiny, or the imports that a zygote's program came with.
    """

    def __init__(self, cgroup: Cgroup | None, root_process_id: int, own_processes: int) -> None:
        self._cgroup = cgroup
        self._root = root_process_id
        self._own_processes = own_processes
        self.cpu_time_s = 0.0
        self.memory_mib = 0.0

    def read(self, memory_limit_mib: int) -> None:
        """Look again. The limit tells when a closer look at shared pages is worth its price."""
        cpu_time_s = self._cgroup.cpu_time_s() if self._cgroup else None
        memory_mib = self._cgroup.memory_peak_mib() if self._cgroup else None
        if cpu_time_s is None or memory_mib is None:
            tree = process_tree(self._root)
            if cpu_time_s is None:
                cpu_time_s = sum(_cpu_time_s(process) for process in tree)
            if memory_mib is None:
                programs = tree[self._own_processes :]
                init_mib = _resident_mib(tree[self._own_processes - 1]) if programs else 0.0
                memory_mib = sum(_resident_mib(process) for process in programs) - init_mib
                if memory_mib > memory_limit_mib and len(programs) > 1:
                    # Pages shared after a fork were counted once for each process.
                    memory_mib = sum(_proportional_mib(process) for process in programs)
                memory_mib += _buffers_mib(programs)
        self.cpu_time_s = max(self.cpu_time_s, cpu_time_s)
        self.memory_mib = max(self.memory_mib, memory_mib)


def process_tree(root: int) -> list[int]:
    """A process and its living descendants, parents first."""
    tree = [root]
    for process in tree:
        for thread in _listed(f"/proc/{process}/task"):
            tree += [int(child) for child in _read(f"/proc/{process}/task/{thread}/children")]
    return tree


def _cpu_time_s(process: int) -> float:
    words = _read(f"/proc/{process}/stat", after=")")
    # utime, stime, and the same of children that were waited for: fields 14 to 17 of proc(5).
    return sum(int(word) for word in words[11:15]) / _TICKS_PER_S


def _resident_mib(process: int) -> float:
    words = _read(f"/proc/{process}/status")
    return _kib_after(words, "RssAnon:", "RssShmem:", "VmPTE:") / 1024


def _proportional_mib(process: int) -> float:
    words = _read(f"/proc/{process}/smaps_rollup")
    if not words:
        return _resident_mib(process)
    tables_kib = _kib_after(_read(f"/proc/{process}/status"), "VmPTE:")
    return (_kib_after(words, "Pss_Anon:", "Pss_Shmem:") + tables_kib) / 1024


def _buffers_mib(processes: Sequence[int]) -> float:
    """The most that the sockets and pipes of these processes can hold, each counted once."""
    found: set[str] = set()
    for process in processes:
        # A thread may have descriptors of its own, which the process's folder does not show.
        for thread in _listed(f"/proc/{process}/task"):
            folder = f"/proc/{process}/task/{thread}/fd"
            for descriptor in _listed(folder):
                with contextlib.suppress(OSError):  # closed meanwhile
                    found.add(os.readlink(f"{folder}/{descriptor}"))
    sockets = sum(name.startswith("socket:") for name in found)
    pipes = sum(name.startswith("pipe:") for name in found)
    return (sockets * 2 * _socket_bytes() + pipes * _PIPE_BYTES) / (1 << 20)


@functools.cache
def _socket_bytes() -> int:
    return int(next(iter(_read(_SOCKET_BOUND)), _USUAL_SOCKET_BYTES))


def _listed(folder: str) -> list[str]:
    """The names in a folder of /proc; none if its process is gone, or not ours to see."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _kib_after(words: list[str], *names: str) -> int:
    return sum(int(words[words.index(name) + 1]) for name in names if name in words)


def _read(path: str, after: str = "") -> list[str]:
    """The words of a file of /proc; none if the process is gone."""
    try:
        text = Path(path).read_text(errors="replace")
    except OSError:
        return []
    return (text.rpartition(after)[2] if after else text).split()
