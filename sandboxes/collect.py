"""Files that a run left in its scratch space, read after its processes are gone.

The path is the command's, the tree under it is the program's: it may hold links to anywhere,
FIFOs, devices of patience and files of any size. The kernel refuses the way out (openat2), and
only a regular file with one name, no larger than the scratch space, is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from sandboxes.kernel import open_beneath


def collect(directory_fd: int, names: Iterable[str], size_limit_bytes: int) -> dict[str, bytes]:
    """The named files below a directory; a name with nothing safe behind it is left out.

    Parameters
    ----------
    directory_fd : int
        The working directory that the program had, as seen from outside.
    names : iterable of str
        Relative paths.
    size_limit_bytes : int
        A file that is larger is left out.
    """
    found = {}
    for name in names:
        try:
            fd = open_beneath(directory_fd, name)
        except OSError:
            continue
        try:
            about = os.fstat(fd)
            if stat.S_ISREG(about.st_mode) and about.st_nlink == 1:
                data = _read_up_to(fd, size_limit_bytes + 1)
                if len(data) <= size_limit_bytes:
                    found[name] = data
        finally:
            os.close(fd)
    return found


def _read_up_to(fd: int, size: int) -> bytes:
    parts = []
    while size and (part := os.read(fd, min(size, 1 << 20))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
