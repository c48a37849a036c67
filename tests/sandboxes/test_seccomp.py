"""The filter's program, run here by a small BPF machine of our own."""

from __future__ import annotations

import errno
import struct

import pytest

from sandboxes.interface import SandboxError
from sandboxes.seccomp import ALLOW, KILL, filter_program
from sandboxes.syscalls import ALLOWED

X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003


def answer(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the kernel would do with this call."""
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    packet = struct.pack("<IIQ6Q", number, architecture, 0, *padded)
    code = list(struct.iter_unpack("<HBBI", program))
    position, accumulator = 0, 0
    while True:
        operation, if_true, if_false, constant = code[position]
        position += 1
        if operation == 0x06:
            return int(constant)
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", packet, constant)
            continue
        true = {
            0x15: accumulator == constant,
            0x25: accumulator > constant,
            0x35: accumulator >= constant,
            0x45: bool(accumulator & constant),
        }[operation]
        position += if_true if true else if_false


def denied(error: int) -> int:
    return 0x00050000 | error


@pytest.mark.parametrize(("machine", "architecture"), [("x86_64", X86_64), ("aarch64", AARCH64)])
def test_exactly_the_listed_calls_pass(machine: str, architecture: int) -> None:
    program = filter_program(machine)
    column = 0 if machine == "x86_64" else 1
    listed = {numbers[column] for numbers in ALLOWED.values()} - {None}
    checked = ("clone", "clone3", "socketpair", "sendto", "ioctl", "fcntl", "prctl")
    checked_numbers = {ALLOWED[name][column] for name in (*checked, "prlimit64", "personality")}
    for number in range(452):
        if number in checked_numbers:
            continue
        expected = ALLOW if number in listed else denied(errno.EPERM)
        assert answer(program, architecture, number) == expected, number
    assert answer(program, architecture, 452) == denied(errno.ENOSYS)


def test_foreign_abis_are_killed() -> None:
    program = filter_program("x86_64")
    assert answer(program, I386, 20) == KILL
    assert answer(program, AARCH64, 63) == KILL
    assert answer(program, X86_64, 0x40000000 | 39) == KILL
    assert answer(filter_program("aarch64"), X86_64, 0) == KILL


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (0x3D0F00,), ALLOW),  # a thread
        ("clone", (0x10000011,), denied(errno.EPERM)),  # a user namespace
        ("clone", (0x00020011,), denied(errno.EPERM)),  # a mount namespace
        ("clone3", (), denied(errno.ENOSYS)),
        ("socketpair", (1, 1), ALLOW),
        ("socketpair", (16, 3), denied(errno.EPERM)),
        ("sendto", (3, 1, 1, 0, 0), ALLOW),
        ("sendto", (3, 1, 1, 0, 0x1000), denied(errno.EPERM)),
        ("sendto", (3, 1, 1, 0, 0x1_0000_0000), denied(errno.EPERM)),
        ("ioctl", (0, 0x5401), ALLOW),
        ("ioctl", (0, 0x5412), denied(errno.ENOTTY)),
        ("fcntl", (0, 3), ALLOW),
        ("fcntl", (0, 1031), denied(errno.EPERM)),
        ("prctl", (15,), ALLOW),
        ("prctl", (1,), denied(errno.EPERM)),
        ("prctl", (4,), denied(errno.EPERM)),
        ("prlimit64", (0, 7), ALLOW),
        ("prlimit64", (1, 7), denied(errno.EPERM)),
        ("personality", (0xFFFFFFFF,), ALLOW),
        ("personality", (0x0040000,), denied(errno.EPERM)),
    ],
)
def test_arguments_decide(name: str, arguments: tuple[int, ...], expected: int) -> None:
    number = ALLOWED[name][0]
    assert number is not None
    assert answer(filter_program("x86_64"), X86_64, number, *arguments) == expected


def test_an_unknown_processor_is_refused() -> None:
    with pytest.raises(SandboxError, match="this machine is riscv64"):
        filter_program("riscv64")
