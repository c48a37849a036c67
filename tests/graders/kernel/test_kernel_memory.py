"""What an interpreted kernel does to memory, seen access by access."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graders.harness.kernel_memory import Fault, Memory


@pytest.fixture
def memory() -> Memory:
    """Two buffers of 64 bytes: an argument that holds zeros, and one of the kernel's own."""
    made = Memory({"IN0": 64, "BUF0": 64}, {"IN0": bytes(64)})
    made.begin_launch((4, 1, 1))
    made.begin_program(0, 0, 0)
    return made


def block(memory: Memory, name: str, first: int, count: int) -> Any:
    """Addresses of `count` fp32 elements."""
    return memory.address(name, 0) + 4 * (first + np.arange(count)).astype(np.uint64)


def store(memory: Memory, name: str, first: int, count: int, value: float = 1.0) -> None:
    data = np.full(count, value, np.float32)
    addresses = block(memory, name, first, count)
    memory.store(addresses, data, np.ones(count, bool), 4)
    memory.write(name, 4 * first, data.view(np.uint8))


def load(memory: Memory, name: str, first: int, count: int) -> None:
    memory.load(block(memory, name, first, count), np.ones(count, bool), 4)


def test_a_load_past_the_end_names_its_lane_and_place(memory: Memory) -> None:
    memory.begin_program(2, 0, 0)
    with pytest.raises(Fault) as found:
        load(memory, "BUF0", 10, 8)
    fault = found.value
    assert (fault.kind, fault.access, fault.buffer) == ("outside", "load", "BUF0")
    assert (fault.offset_bytes, fault.buffer_bytes, fault.index) == (64, 64, (6,))
    assert fault.program == (2, 0, 0)


def test_a_store_before_the_beginning_is_the_next_buffers(memory: Memory) -> None:
    with pytest.raises(Fault) as found:
        store(memory, "BUF0", -2, 4)
    assert (found.value.buffer, found.value.offset_bytes) == ("BUF0", -8)


def test_a_lane_that_is_masked_may_point_anywhere(memory: Memory) -> None:
    mask = np.arange(8) < 6
    memory.load(block(memory, "BUF0", 10, 8), mask, 4)


def test_an_argument_must_not_be_written(memory: Memory) -> None:
    with pytest.raises(Fault) as found:
        store(memory, "IN0", 3, 1)
    assert (found.value.kind, found.value.offset_bytes) == ("writes_input", 12)


def test_one_program_must_not_read_what_another_writes(memory: Memory) -> None:
    store(memory, "BUF0", 0, 4)
    memory.begin_program(3, 0, 0)
    with pytest.raises(Fault) as found:
        load(memory, "BUF0", 2, 4)
    assert (found.value.kind, found.value.other) == ("read_after_write", (0, 0, 0))


def test_two_programs_must_not_write_different_values(memory: Memory) -> None:
    store(memory, "BUF0", 0, 4, 1.0)
    memory.begin_program(1, 0, 0)
    store(memory, "BUF0", 0, 4, 1.0)  # the same value: any order gives it
    memory.begin_program(2, 0, 0)
    with pytest.raises(Fault) as found:
        store(memory, "BUF0", 3, 4, 2.0)
    assert (found.value.kind, found.value.other) == ("write_after_write", (1, 0, 0))


def test_one_program_must_not_change_what_another_has_read(memory: Memory) -> None:
    memory.write("BUF0", 0, np.zeros(64, np.uint8))
    load(memory, "BUF0", 0, 4)
    memory.begin_program(1, 0, 0)
    load(memory, "BUF0", 0, 4)
    with pytest.raises(Fault) as found:
        store(memory, "BUF0", 0, 1)
    assert (found.value.kind, found.value.other) == ("write_after_read", None)


def test_a_program_may_read_and_write_its_own_place(memory: Memory) -> None:
    store(memory, "BUF0", 0, 4, 1.0)
    load(memory, "BUF0", 0, 4)
    store(memory, "BUF0", 0, 4, 2.0)


def test_a_second_launch_may_read_what_the_first_wrote(memory: Memory) -> None:
    store(memory, "BUF0", 0, 4)
    memory.begin_launch((4, 1, 1))
    memory.begin_program(1, 0, 0)
    load(memory, "BUF0", 0, 4)


def test_atomics_tell_a_program_that_others_are_done(memory: Memory) -> None:
    store(memory, "BUF0", 0, 4)
    memory.begin_program(1, 0, 0)
    memory.atomic(block(memory, "BUF0", 8, 1), np.ones(1, bool), 4)
    load(memory, "BUF0", 0, 4)


def test_what_was_written_is_known_to_the_byte(memory: Memory) -> None:
    store(memory, "BUF0", 2, 3)
    start = memory.address("BUF0", 0) - memory.base
    assert list(np.flatnonzero(memory.written[start : start + 64])) == list(range(8, 20))
    assert np.isnan(memory.read("BUF0", 0, 4).view(np.float32))[0]
