"""The seccomp filter of every run, assembled here into classic BPF: what is not allowed is denied.

The kernel runs the program on each system call with ``struct seccomp_data`` as its packet: the
call's number at 0, the architecture at 4, six 64-bit arguments from 16 on. See seccomp(2) and
``Documentation/userspace-api/seccomp_filter.rst``.

Three rules need a word:

- A call from another ABI (i386 or x32 on x86_64) kills: its numbers mean other calls.
- ``clone3`` hides its flags behind a pointer that a filter cannot follow, so it answers ENOSYS
  and libc falls back to ``clone``, whose flags are checked.
- Calls newer than our table answer ENOSYS for the same reason; everything else answers EPERM.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Callable, Iterable

from sandboxes.interface import SandboxError
from sandboxes.syscalls import ALLOWED, NEWEST_KNOWN

KILL = 0x80000000  # SECCOMP_RET_KILL_PROCESS
ALLOW = 0x7FFF0000
_ERRNO = 0x00050000

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_RETURN = 0x06
_IF_EQUAL = 0x15
_IF_GREATER = 0x25
_IF_GREATER_OR_EQUAL = 0x35
_IF_ANY_BIT = 0x45

_NUMBER_OFFSET = 0
_ARCHITECTURE_OFFSET = 4
_X32_BIT = 0x40000000

_ARCHITECTURES = {
    "x86_64": (0xC000003E, 0),
    "aarch64": (0xC00000B7, 1),
}  # AUDIT_ARCH_*, column

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (linux/sched.h).
_NEW_NAMESPACES = 0x7E020000
_AF_UNIX = 1
_F_SETPIPE_SZ = 1031
_PERSONALITY_QUERY = 0xFFFFFFFF
# TCGETS (isatty), TCGETS2, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: asking, never pushing.
_HARMLESS_IOCTLS = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# GET_PDEATHSIG (setting it could let init outlive its runner), GET_DUMPABLE, SET_NAME, GET_NAME,
# GET_SECCOMP, CAPBSET_READ, GET_NO_NEW_PRIVS, and SET_VMA, with which libc names its heaps.
_HARMLESS_PRCTLS = (2, 3, 15, 16, 21, 23, 39, 0x53564D41)

_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def _answer(error: int) -> int:
    return _ERRNO | error


def _argument(index: int, high: bool = False) -> _Instruction:
    """Load one half of an argument; both architectures are little-endian."""
    return (_LOAD, 0, 0, 16 + 8 * index + (4 if high else 0))


def _return(action: int) -> _Instruction:
    return (_RETURN, 0, 0, action)


def _one_of(index: int, values: Iterable[int], otherwise: int) -> list[_Instruction]:
    """Allow a call if the low half of this argument is one of these values."""
    wanted = list(values)
    code = [_argument(index)]
    for position, value in enumerate(wanted):
        code.append((_IF_EQUAL, len(wanted) - position, 0, value))
    return [*code, _return(otherwise), _return(ALLOW)]


def _none_of(index: int, bits: int) -> list[_Instruction]:
    """Allow a call if this argument has none of these bits."""
    return [
        _argument(index),
        (_IF_ANY_BIT, 0, 1, bits),
        _return(_answer(errno.EPERM)),
        _return(ALLOW),
    ]


def _not_equal(index: int, value: int) -> list[_Instruction]:
    return [
        _argument(index),
        (_IF_EQUAL, 0, 1, value),
        _return(_answer(errno.EPERM)),
        _return(ALLOW),
    ]


def _zero(index: int) -> list[_Instruction]:
    """Allow a call if all 64 bits of this argument are zero."""
    return [
        _argument(index),
        (_IF_EQUAL, 0, 2, 0),
        _argument(index, high=True),
        (_IF_EQUAL, 1, 0, 0),
        _return(_answer(errno.EPERM)),
        _return(ALLOW),
    ]


_CHECKED: dict[str, Callable[[], list[_Instruction]]] = {
    "clone": lambda: _none_of(0, _NEW_NAMESPACES),
    "clone3": lambda: [_return(_answer(errno.ENOSYS))],
    # A pair is no way out: nothing can be bound, connected or passed through it.
    "socketpair": lambda: _one_of(0, [_AF_UNIX], _answer(errno.EPERM)),
    "sendto": lambda: _zero(4),  # no address
    "ioctl": lambda: _one_of(1, _HARMLESS_IOCTLS, _answer(errno.ENOTTY)),
    "fcntl": lambda: _not_equal(1, _F_SETPIPE_SZ),  # pipe buffers are charged to nobody
    "prctl": lambda: _one_of(0, _HARMLESS_PRCTLS, _answer(errno.EPERM)),
    "prlimit64": lambda: _one_of(0, [0], _answer(errno.EPERM)),  # only its own limits
    "personality": lambda: _one_of(0, [_PERSONALITY_QUERY], _answer(errno.EPERM)),
}


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Sorted numbers as inclusive ranges, to keep the filter short."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def filter_program(machine: str | None = None) -> bytes:
    """The filter as an array of ``struct sock_filter``, ready for ``bwrap --seccomp``.

    Parameters
    ----------
    machine : str, optional
        As ``uname -m`` says it; this machine's if left out.

    Raises
    ------
    SandboxError
        If the machine is neither x86_64 nor aarch64.
    """
    machine = machine or platform.machine()
    if machine not in _ARCHITECTURES:
        raise SandboxError(
            f"the system call filter knows {', '.join(_ARCHITECTURES)}; this machine is {machine}"
        )
    architecture, column = _ARCHITECTURES[machine]
    code: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE_OFFSET),
        (_IF_EQUAL, 1, 0, architecture),
        _return(KILL),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
    ]
    if machine == "x86_64":
        code += [(_IF_GREATER_OR_EQUAL, 0, 1, _X32_BIT), _return(KILL)]
    code += [(_IF_GREATER, 0, 1, NEWEST_KNOWN), _return(_answer(errno.ENOSYS))]

    for name, rule in _CHECKED.items():
        number = ALLOWED[name][column]
        if number is not None:
            body = rule()
            code += [(_IF_EQUAL, 0, len(body), number), *body]
    free = {numbers[column] for name, numbers in ALLOWED.items() if name not in _CHECKED}
    for low, high in _ranges(number for number in free if number is not None):
        # Ascending, so below the range means in none of them.
        code += [
            (_IF_GREATER, 3, 0, high),
            (_IF_GREATER_OR_EQUAL, 0, 1, low),
            _return(ALLOW),
            _return(_answer(errno.EPERM)),
        ]
    code.append(_return(_answer(errno.EPERM)))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
