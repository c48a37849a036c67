"""A cubin is believed in nothing that its bytes do not bear out."""

from __future__ import annotations

import random

import pytest

from graders.kernel.cubin import MAX_CUBIN_BYTES, CubinError, read_cubin
from tests.graders.kernel.elf import cubin


def test_what_a_kernel_needs_is_read_from_its_bytes() -> None:
    data = cubin("f", registers=168, local_bytes=24, shared_bytes=2048, parameters=(8, 4, 8))
    found = read_cubin(data)
    assert found.architecture == 90
    function = found.functions["f"]
    assert (function.registers, function.local_bytes) == (168, 24)
    assert function.static_shared_bytes == 1024  # the other 1024 are the system's
    assert function.parameters == ((0, 8), (8, 4), (16, 8))
    assert function.parameter_bytes == 24


def test_an_older_chip_keeps_no_shared_memory_for_the_system() -> None:
    data = cubin(architecture=80, shared_bytes=256)
    assert read_cubin(data).functions["kernel"].static_shared_bytes == 256


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"MZ" * 100, cubin(machine=62)])
def test_what_is_no_cubin_is_refused(data: bytes) -> None:
    with pytest.raises(CubinError, match="a cubin must be"):
        read_cubin(data)


def test_a_cubin_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(CubinError, match=f"may have {MAX_CUBIN_BYTES} bytes"):
        read_cubin(bytes(MAX_CUBIN_BYTES + 1))


def test_no_damaged_cubin_breaks_the_reader() -> None:
    whole = cubin("f", parameters=(8, 8), shared_bytes=2048)
    draw = random.Random(3)
    refused = 0
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        cut = draw.randrange(len(data)) if draw.random() < 0.3 else len(data)
        try:
            read_cubin(bytes(data[:cut]))
        except CubinError:
            refused += 1
    assert refused > 500
