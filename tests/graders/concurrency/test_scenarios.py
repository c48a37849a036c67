"""What a case may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from graders.concurrency.program import interface
from graders.concurrency.scenarios import Check, Structure, read_plan
from graders.ports import Case, JudgeError

QUEUE = Structure.of(
    {
        "structure": "queue",
        "entry_point": "Queue",
        "operations": {"push": "try_push", "pop": "try_pop"},
        "progress": "blocking",
        "failed_push_excused_by": "nothing",
        "failed_pop_excused_by": "nothing",
        "may_allocate": True,
        "failed_pop_keeps_item": False,
        "exact_capacity": True,
        "block_alignment_bytes": 16,
    }
)


def plan(**given: Any) -> Any:
    return read_plan(Case("one", "it", sample=True, input=given), QUEUE)


def test_a_queue_is_drained_once_more_than_it_was_filled() -> None:
    scenario = plan(setup=["push 1"], threads=[["push 2"], ["pop"]]).scenario
    assert [operation.text for operation in scenario.finish] == ["pop"] * 3


def test_an_item_is_a_long_unless_more_words_are_asked_for() -> None:
    texts = [interface(QUEUE, [plan(threads=[["pop"]], words=n).scenario.instance]) for n in (1, 3)]
    assert plan(threads=[["pop"]]).scenario.instance.words == 1
    assert "Queue<long, 2>" in texts[0]
    assert "Queue<gauntlet_words_0, 2>" in texts[1]
    assert "unsigned long word[3];" in texts[1]


def test_real_threads_are_counted() -> None:
    found = plan(check="real_threads", writers=2, readers=3, operations=10)
    assert found.check is Check.REAL_THREADS
    assert (found.load.writers, found.load.readers, found.load.operations) == (2, 3, 10)


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        ({"check": "guess", "threads": [["pop"]]}, "check must be one of"),
        ({"threads": []}, "threads must be 1 to 7 lists"),
        ({"threads": [["pop"], []]}, "threads must be 1 to 7 lists"),
        ({"threads": [["pull"]]}, "operations of a queue"),
        ({"threads": [["push"]]}, "operations of a queue"),
        ({"threads": [["push 0"]]}, "operations of a queue"),
        ({"threads": [["push 1"], ["push 1"]]}, "numbers and blocks that are each given once"),
        ({"threads": [["allocate a"]]}, "operations of a queue"),
        ({"threads": [["pop"] * 70]}, "at most 60 operations"),
        ({"threads": [["pop"]], "capacity": 0}, "capacity must be at least 1"),
        ({"threads": [["pop"]], "colour": 1}, "keys that its check knows"),
        ({"check": "throughput", "min_ratio": 2}, "a number from 0 to 1"),
    ],
)
def test_what_is_no_scenario_is_refused_by_name(given: dict[str, Any], fragment: str) -> None:
    with pytest.raises(JudgeError, match="case one: ") as refused:
        plan(**given)
    assert fragment in str(refused.value)
