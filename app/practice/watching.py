"""Notices that somebody saved a file of a package, by looking again and again.

Looking at every file takes milliseconds, and works on any file system; the kernel's own notices
come late or never on network disks and in containers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import TypeAlias

LOOK_EVERY_S = 1.0

Saved: TypeAlias = "dict[str, tuple[int, int]]"


def changes(roots: Iterable[Path], stopped: Event) -> Iterator[None]:
    """One item each time that a file under `roots` was saved, made or removed, until `stopped`.

    What was saved together comes as one, where it was done within `LOOK_EVERY_S`.
    """
    roots = list(roots)
    before = look(roots)
    while not stopped.wait(LOOK_EVERY_S):
        now = look(roots)
        if now != before:
            before = now
            yield


def look(roots: Iterable[Path]) -> Saved:
    """When each file was last saved, in nanoseconds, and its size in bytes; not those of tools."""
    saved: Saved = {}
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith((".", "__"))]
            for name in names:
                if name.startswith("."):
                    continue
                path = os.path.join(folder, name)
                try:
                    status = os.stat(path, follow_symlinks=False)
                except FileNotFoundError:  # an editor's own file, gone already
                    continue
                saved[path] = (status.st_mtime_ns, status.st_size)
    return saved
