"""Each rule is broken once, and what is said names the operation."""

from __future__ import annotations

from typing import Any

import pytest

from graders.simulation.pipeline.checks import Failure, examine
from graders.simulation.pipeline.operations import Misread, read_orders
from graders.simulation.pipeline.pipelines import Costs, Pipeline, Schedule
from graders.simulation.pipeline.simulate import run
from graders.verdict import Verdict

COSTS = Costs(F=1, I=1, W=1, FB=3)


def told(schedule: str, answer: Any, p: int = 2, m: int = 2, v: int = 1) -> Failure | Misread:
    pipeline = Pipeline(p, m, v, Schedule(schedule), COSTS)
    orders = read_orders(answer, pipeline)
    if isinstance(orders, Misread):
        return orders
    failure = examine(run(orders, pipeline))
    assert failure is not None, "these orders must be refused"
    return failure


def order(text: str, rank: int) -> list[list[Any]]:
    """``F0 B0`` on this rank's own stage; ``F0@1`` names another."""
    found: list[list[Any]] = []
    for one in text.split():
        name, _, stage = one.partition("@")
        found.append([name[0], int(name[1:]), int(stage or rank)])
    return found


def orders(*texts: str) -> list[list[list[Any]]]:
    return [order(text, rank) for rank, text in enumerate(texts)]


LAST = "F0 B0 F1 B1"


@pytest.mark.parametrize(
    ("schedule", "answer", "kind", "fact"),
    [
        (
            "1f1b",
            orders("F0 F1 B0 B1@1", LAST),
            "placement",
            "B of micro-batch 1 in stage 1, which is on rank 1",
        ),
        (
            "1f1b",
            orders("F0 F1 B0 B1 B1", LAST),
            "twice",
            "rank 0 lists B of micro-batch 1 in stage 0 a second time",
        ),
        (
            "zb1p",
            orders("F0 F1 I0 B0 W0 I1 W1", LAST),
            "twice",
            "lists B of micro-batch 0 in stage 0, and I of micro-batch 0",
        ),
        (
            "zb1p",
            orders("F0 F1 B0 W0 B1", LAST),
            "twice",
            "W of micro-batch 0 in stage 0, and B of micro-batch 0",
        ),
        (
            "1f1b",
            orders("F0 F1 B0", LAST),
            "missing",
            "rank 0 lists no B of micro-batch 1 in stage 0. It lists 3",
        ),
        (
            "1f1b",
            orders("F0 B0 B1", LAST),
            "missing",
            "rank 0 lists no F of micro-batch 1 in stage 0",
        ),
        (
            "zb1p",
            orders("F0 F1 I0 I1 W0", LAST),
            "missing",
            "rank 0 lists no W of micro-batch 1 in stage 0",
        ),
        (
            "zb1p",
            orders("F0 F1 W0 I1 W1", LAST),
            "missing",
            "rank 0 lists no I of micro-batch 0 in stage 0",
        ),
        (
            "1f1b",
            orders("", LAST),
            "missing",
            "rank 0 lists no F of micro-batch 0 in stage 0. It lists 0",
        ),
        (
            "1f1b",
            orders("F0 F1 B0 B1", "B0 F0 F1 B1"),
            "before_forward",
            "rank 1 lists B of micro-batch 0 in stage 1 as its operation 0",
        ),
        (
            "zb1p",
            orders("F0 F1 W0 I0 B1", LAST),
            "before_forward",
            "lists W of micro-batch 0 in stage 0 as its operation 2, and I of",
        ),
        (
            "1f1b",
            orders("F0 B0 F1 B1", "F0 F1 B0 B1"),
            "deadlock",
            "and needs F of micro-batch 1 in stage 0 of rank 0",
        ),
        (
            "1f1b",
            orders("F0 F1 B0 B1", "F0 F1 B0 B1"),
            "memory",
            "lets rank 1 hold 1 stash at most: from time 2",
        ),
        (
            "zb1p",
            orders("F0 F1 I0 I1 W0 W1", "F0 I0 F1 I1 W0 W1"),
            "time",
            "a step of zb1p may take 7 units",
        ),
        ("1f1b", orders("F0 B0 F1 B1", LAST), "time", "takes 12, and rank 0 is idle in 6 of them"),
    ],
)
def test_a_broken_rule_is_told_with_its_operation(
    schedule: str, answer: Any, kind: str, fact: str
) -> None:
    failure = told(schedule, answer)
    assert isinstance(failure, Failure), failure.text
    assert failure.kind == kind
    assert fact in failure.text
    expected = Verdict.TOO_SLOW if kind == "time" else Verdict.WRONG_ANSWER
    assert failure.verdict is expected


def test_the_operation_that_breaks_the_rule_is_marked() -> None:
    failure = told("1f1b", orders("F0 F1 B0 B1 B0", LAST))
    assert isinstance(failure, Failure)
    assert failure.marked == ((0, 4), (0, 2))


def test_a_deadlock_gives_the_circle_and_nobody_beside_it() -> None:
    """Rank 2 waits too, for rank 1, but is no part of the circle."""
    answer = orders("F0 B0 F1 B1", "F0 F1 B0 B1", "F0 B0 F1 B1")
    failure = told("1f1b", answer, p=3)
    assert isinstance(failure, Failure)
    assert {place[0] for place in failure.marked} == {0, 1}
    assert failure.waits == (((0, 1), (1, 2)), ((1, 1), (0, 2)))


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (None, "one list of operations for each of the 2 ranks, got None"),
        ([[]], "got 1 lists"),
        ([[], 5], "that of rank 1 is 5"),
        ([[["F", 0]], []], "an operation must be (kind, micro-batch, stage)"),
        ([[["F", 0, True]], []], "must be ints from 0 to 1 and stages from 0 to 1"),
        ([[["F", 2, 0]], []], "Operation 0 of rank 0 is ['F', 2, 0]"),
        ([[["F", 0, -1]], []], "must be ints"),
        ([[["I", 0, 0]], []], "an operation of 1f1b must be a tuple that begins with one of F, B"),
        ([["F00"], []], "must be a tuple"),
        ([[[["F"], 0, 0]], []], "must be a tuple"),
        ([[["F", 10**30, 0]], []], "must be ints"),
    ],
)
def test_what_is_no_list_of_operations_is_told(answer: Any, fact: str) -> None:
    read = told("1f1b", answer)
    assert isinstance(read, Misread)
    assert fact in read.text


@pytest.mark.parametrize(
    ("one", "fact"),
    [
        (["FB", 0, 0, 1], 'must be ("FB", micro-batch, stage, micro-batch, stage)'),
        (["FB", 0, 0, 0, 1], "of two micro-batches"),
        (["FB", 0, 0, 4, 1], "from 0 to 3"),
    ],
)
def test_an_overlapped_pair_is_read_strictly(one: list[Any], fact: str) -> None:
    read = told("dualpipe", [[one], []], m=4)
    assert isinstance(read, Misread)
    assert fact in read.text


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"n_ranks": 0}, "must be from 1"),
        ({"n_micro_batches": 65}, "must be from 1"),
        ({"n_chunks": 2}, "only the interleaved"),
        ({"costs": Costs(1, 1, 1, 4)}, "FB must take"),
        ({"costs": Costs(0, 1, 1, 3)}, "1 to 100 units"),
        ({"schedule": Schedule.ZB1P, "costs": Costs(1, 2, 2, 5)}, "zb1p must have"),
        ({"schedule": Schedule.ZB1P, "costs": Costs(1, 1, 1, 3, 1)}, "with a latency"),
        ({"schedule": Schedule.DUALPIPE, "n_micro_batches": 2}, "m >= 2p"),
        (
            {"schedule": Schedule.DUALPIPE, "n_micro_batches": 4, "costs": Costs(2, 1, 1, 4)},
            "as long as I",
        ),
    ],
)
def test_a_pipeline_that_the_statement_rules_out_cannot_be_made(
    changes: dict[str, Any], rule: str
) -> None:
    given: dict[str, Any] = {
        "n_ranks": 2,
        "n_micro_batches": 2,
        "n_chunks": 1,
        "schedule": Schedule.ONE_F_ONE_B,
        "costs": COSTS,
    }
    Pipeline(**given)
    with pytest.raises(ValueError, match=rule):
        Pipeline(**{**given, **changes})
