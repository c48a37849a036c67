"""Who runs below whom, read from /proc."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 90.0


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, however slow the machine is today."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for {what}"
        time.sleep(0.02)


def parents() -> dict[int, int]:
    """Parent of every process that lives; zombies do not."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
            except OSError:  # it has just ended
                continue
            if state not in "ZX":
                found[int(folder.name)] = int(parent)
    return found


def descendants(pid: int) -> set[int]:
    """Every process below `pid`, itself not included."""
    below, family = parents(), {pid}
    while more := {child for child, parent in below.items() if parent in family} - family:
        family |= more
    return family - {pid}


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def find(below: int, words: str) -> int:
    """The process below `below` that has these words in its command line: the topmost one."""
    tree = parents()
    matching = {pid for pid in descendants(below) if words in command_line(pid)}
    top = [pid for pid in matching if tree.get(pid) not in matching]
    assert len(top) == 1, f"one process below {below} must run {words!r}, got {top}"
    return top[0]


def kill(pid: int) -> None:
    """SIGKILL, and wait until it is gone: no handler, no clean-up, no last words."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in parents(), f"the end of process {pid}")
