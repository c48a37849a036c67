"""The few calls into libc and the kernel that Python's os module does not offer."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import struct
from collections.abc import Iterator, Mapping, Sequence

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)
_libc.syscall.restype = ctypes.c_long

_CLONE_FS = 0x00000200
_CLONE_NEWNS = 0x00020000
_MS_NOSUID_NODEV = 0x2 | 0x4
_MS_REC_PRIVATE = 0x4000 | (1 << 18)
_PR_SET_CHILD_SUBREAPER = 36
_PERSONALITY_QUERY = 0xFFFFFFFF
_ADDR_NO_RANDOMIZE = 0x0040000

_SETSIGDEF_AND_SETSIGMASK = 0x04 | 0x08
# glibc's posix_spawn objects are 76 to 336 bytes long; room to spare costs nothing.
_SPAWN_OBJECT_BYTES = 1024
_FIRST_HIGH_FD = 200

_OPENAT2 = 437  # the same number everywhere
_RESOLVE_SAFELY = 0x01 | 0x02 | 0x04 | 0x08  # NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH


def _check(returned: int, what: str) -> None:
    if returned == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def become_subreaper() -> None:
    """Let orphans of this process's children come back to it, so that it can reap them."""
    _check(
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0),
        "prctl(PR_SET_CHILD_SUBREAPER)",
    )


def mount_private_tmpfs(where: str, options: str) -> int:
    """Mount a tmpfs that only the calling thread and its future children see.

    The mount namespace belongs to the thread: when it ends, however it ends, the mount is gone.

    Returns
    -------
    int
        A file descriptor of the tmpfs's root; it keeps the contents alive until it is closed.

    Raises
    ------
    OSError
        Without CAP_SYS_ADMIN, or if the directory `where` does not exist.
    """
    _check(_libc.unshare(_CLONE_FS | _CLONE_NEWNS), "unshare(CLONE_NEWNS)")
    _check(_libc.mount(None, b"/", None, _MS_REC_PRIVATE, None), "mount(MS_PRIVATE)")
    _check(
        _libc.mount(b"tmpfs", where.encode(), b"tmpfs", _MS_NOSUID_NODEV, options.encode()),
        f"mount of a tmpfs on {where}",
    )
    return os.open(where, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def open_beneath(directory_fd: int, path: str) -> int:
    """Open a file for reading without following links or leaving the directory's file system.

    Raises
    ------
    OSError
        If there is no such file, or any part of the path is a link or leads elsewhere.
    """
    how = struct.pack("<QQQ", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK, 0, _RESOLVE_SAFELY)
    descriptor = int(
        _libc.syscall(
            ctypes.c_long(_OPENAT2),
            ctypes.c_int(directory_fd),
            ctypes.c_char_p(os.fsencode(path)),
            ctypes.c_char_p(how),
            ctypes.c_size_t(len(how)),
        )
    )
    _check(descriptor, f"openat2 of {path}")
    return descriptor


@contextlib.contextmanager
def _layout_of_children(is_randomized: bool) -> Iterator[None]:
    """What the calling thread starts meanwhile has, with all its descendants, such a layout."""
    if is_randomized:
        yield
        return
    # Only what is executed looks at it: this thread's own memory stays as it is.
    before = _libc.personality(ctypes.c_ulong(_PERSONALITY_QUERY))
    _check(_libc.personality(ctypes.c_ulong(before | _ADDR_NO_RANDOMIZE)), "personality")
    try:
        yield
    finally:
        _libc.personality(ctypes.c_ulong(before))


def spawn(
    argv: Sequence[str],
    environment: Mapping[str, str],
    descriptors: Sequence[int],
    is_randomized: bool = True,
) -> int:
    """Start a program whose descriptors 0, 1, 2... are exactly these, and no others.

    Unlike `subprocess` this renumbers descriptors and, by vfork, costs the same from a large
    process as from a small one. Signals are back at their defaults in the program. Its parent is
    the calling thread, whose end triggers PR_SET_PDEATHSIG.

    Parameters
    ----------
    argv : sequence of str
        The program's absolute path, then its arguments.
    environment : mapping
        The whole environment.
    descriptors : sequence of int
        `descriptors[i]` becomes descriptor `i`.
    is_randomized : bool
        Whether it and its descendants find their memory at random addresses.

    Returns
    -------
    int
        The process id; the caller has to wait for it.

    Raises
    ------
    OSError
        If the program cannot be started.
    """
    actions = ctypes.create_string_buffer(_SPAWN_OBJECT_BYTES)
    attributes = ctypes.create_string_buffer(_SPAWN_OBJECT_BYTES)
    high: list[int] = []
    _libc.posix_spawn_file_actions_init(actions)
    _libc.posix_spawnattr_init(attributes)
    try:
        for number, descriptor in enumerate(descriptors):
            # From high numbers, or one duplicate would overwrite the source of the next.
            high.append(fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_HIGH_FD))
            _libc.posix_spawn_file_actions_adddup2(actions, high[-1], number)
        _libc.posix_spawn_file_actions_addclosefrom_np(actions, len(descriptors))
        signals = ctypes.create_string_buffer(_SPAWN_OBJECT_BYTES)
        _libc.sigemptyset(signals)
        _libc.posix_spawnattr_setsigmask(attributes, signals)
        _libc.sigfillset(signals)
        for unchangeable in (signal.SIGKILL, signal.SIGSTOP):
            _libc.sigdelset(signals, int(unchangeable))
        _libc.posix_spawnattr_setsigdefault(attributes, signals)
        _libc.posix_spawnattr_setflags(attributes, ctypes.c_short(_SETSIGDEF_AND_SETSIGMASK))
        arguments = _string_array(argv)
        variables = _string_array([f"{name}={value}" for name, value in environment.items()])
        process_id = ctypes.c_int()
        with _layout_of_children(is_randomized):
            error = _libc.posix_spawn(
                ctypes.byref(process_id),
                os.fsencode(argv[0]),
                actions,
                attributes,
                arguments,
                variables,
            )
    finally:
        _libc.posix_spawn_file_actions_destroy(actions)
        _libc.posix_spawnattr_destroy(attributes)
        for descriptor in high:
            os.close(descriptor)
    if error:
        raise OSError(error, f"cannot start {argv[0]}: {os.strerror(error)}")
    return process_id.value


def _string_array(strings: Sequence[str]) -> ctypes.Array[ctypes.c_char_p]:
    encoded = [os.fsencode(string) for string in strings]
    return (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)
