"""Batches of calls: quick, in step, and of one object."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from graders.simulation.stateful.program import CALLS_PER_FRAME, Call, Candidate, same
from graders.verdict import Json, Verdict

COUNTER = """
class BlockManager:
    def __init__(self, start=0):
        self.value = start
        self.given = []

    def add(self, number):
        self.value += number
        return self.value

    def keep(self, number):
        self.given.append(number)
        return self.given
"""
Made = Callable[[str], Candidate]


def test_a_thousand_operations_a_second_are_far_exceeded(candidate: Made) -> None:
    calls: list[Call] = [("add", (1,))] * 20_000
    counter = candidate(COUNTER)
    counter.ensure()
    begin_s = time.process_time()
    replies = counter.run({"start": 0}, calls)
    spent_s = time.process_time() - begin_s  # of our own side, whatever else the machine does
    assert replies.answers == list(range(1, 20_001))
    assert 20_000 / spent_s > 1000


def test_one_object_lives_over_frames_and_a_new_one_starts_afresh(candidate: Made) -> None:
    counter = candidate(COUNTER)
    calls: list[Call] = [("add", (1,))] * (CALLS_PER_FRAME + 1)
    assert counter.run({"start": 5}, calls).answers[-1] == CALLS_PER_FRAME + 6
    assert counter.run(None, [("add", (1,))]).answers == [CALLS_PER_FRAME + 7]
    assert counter.run({}, [("add", (1,))]).answers == [1]


def test_a_list_that_is_given_away_and_then_changed_counts_as_it_was_given(
    candidate: Made,
) -> None:
    replies = candidate(COUNTER).run({}, [("keep", (1,)), ("keep", (2,))])
    assert replies.answers == [[1], [1, 2]]


def test_answers_before_an_exception_are_kept(candidate: Made) -> None:
    replies = candidate(COUNTER).run({}, [("add", (1,)), ("add", ("x",)), ("add", (1,))])
    assert replies.answers == [1]
    assert replies.broken is not None
    assert replies.broken.verdict is Verdict.RUNTIME_ERROR


@pytest.mark.parametrize(
    "frame",
    [
        b'{"number": 1, "answers": [1, 2], "blobs": []}',  # more answers than calls
        b'{"number": 1, "answers": [], "blobs": []}',  # fewer, and no reason
        b'{"number": 2, "answers": [1], "blobs": []}',  # of another batch
        b'{"number": 1, "answers": {"0": 1}, "blobs": []}',
        b"[]",
        b"",
    ],
)
def test_a_frame_that_the_harness_would_not_write_ends_the_program(
    candidate: Made, frame: bytes
) -> None:
    forging = COUNTER.replace(
        "        self.value = start\n",
        "        self.value = start\n        import os, struct\n"
        f"        said = {frame!r}\n"
        "        body = struct.pack('<I', len(said)) + said\n"
        "        os.write(4, struct.pack('<I', len(body)) + body)\n",
    )
    replies = candidate(forging).run({}, [("add", (1,))])
    assert replies.broken is not None
    assert replies.broken.kind == "stopped_stray_frame"


@pytest.mark.parametrize(
    ("expected", "got", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (None, None, True),
        (None, 0, False),
        ([1, [2]], [1, [2]], True),
        ([1, [2]], [1, [2, 3]], False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (1, float("nan"), False),
        ("1", 1, False),
    ],
)
def test_equality_is_that_of_json(expected: Json, got: Json, equal: bool) -> None:
    assert same(expected, got) is equal
