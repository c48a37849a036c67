"""The search for a smaller input, without any program."""

from __future__ import annotations

import pytest

from graders.simulation.ring.collective import Trace
from graders.simulation.ring.failures import Failure
from graders.simulation.ring.inputs import Input
from graders.simulation.ring.ring import Ring
from graders.simulation.ring.shrink import MAX_TRIES, shrink, smaller_inputs
from graders.text import say
from graders.verdict import Verdict


def trace(chosen: Input) -> Trace:
    return Trace(chosen, chosen.vectors(1), Ring(chosen.n_ranks, 1e-6, 1e-9))


def failure(kind: str) -> Failure:
    return Failure(kind, Verdict.WRONG_ANSWER, say("{kind}", kind=kind))


@pytest.mark.parametrize("length", [0, 1, 5, 100])
def test_smaller_inputs_come_smallest_first_and_are_smaller(length: int) -> None:
    failed = Input(6, length, "float32")
    tried = list(smaller_inputs(failed))
    assert tried == sorted(tried)
    assert len(set(tried)) == len(tried)
    for chosen in tried:
        assert chosen < failed
        assert chosen.length <= length
        assert (chosen.length == 0) is (length == 0)
        assert chosen.dtype == "float32"


def test_nothing_is_smaller_than_one_element_on_one_rank() -> None:
    assert list(smaller_inputs(Input(1, 1, "float64"))) == []


def test_the_smallest_run_of_the_same_kind_is_taken() -> None:
    def run(chosen: Input) -> tuple[Trace, Failure | None]:
        if chosen.n_ranks == 2:
            return trace(chosen), failure("other")
        fails = chosen.n_ranks >= 3 and chosen.length >= 4
        return trace(chosen), failure("same") if fails else None

    failed = trace(Input(8, 64, "float64"))
    # Two ranks fail otherwise, more often than is put up with: then the case itself stands.
    small, _ = shrink(failed, failure("same"), run)
    assert small is failed

    def run_without_the_other(chosen: Input) -> tuple[Trace, Failure | None]:
        return (trace(chosen), None) if chosen.n_ranks == 2 else run(chosen)

    small, found = shrink(failed, failure("same"), run_without_the_other)
    assert small.input == Input(3, 4, "float64")
    assert found.kind == "same"


def test_the_search_ends() -> None:
    tried = []

    def run(chosen: Input) -> tuple[Trace, Failure | None]:
        tried.append(chosen)
        return trace(chosen), None

    failed = trace(Input(16, 1000, "float64"))
    small, _ = shrink(failed, failure("same"), run)
    assert small is failed
    assert len(tried) == MAX_TRIES
