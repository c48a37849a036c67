"""Nobody is accepted by keeping the judge from looking."""

from __future__ import annotations

import pytest

from graders.concurrency.evasions import EVASIONS
from graders.verdict import Verdict
from tests.graders.concurrency.ring import judge_ring


@pytest.mark.parametrize("name", EVASIONS)
def test_an_attempt_to_evade_is_not_accepted(name: str) -> None:
    evasion = EVASIONS[name]
    report = judge_ring(evasion.source, evasion.case)
    assert report["verdict"] not in (Verdict.ACCEPTED, Verdict.JUDGE_ERROR)
    assert evasion.message in report["message"]


@pytest.mark.parametrize("name", [name for name in EVASIONS if name.startswith("fills-a-cell-by-")])
def test_a_cell_may_be_filled_by_a_result_if_it_is_published_with_release(name: str) -> None:
    source = EVASIONS[name].source.replace(
        "tail.store(at + 1, std::memory_order_relaxed);",
        "tail.store(at + 1, std::memory_order_release);",
    )
    assert judge_ring(source, "one-item")["verdict"] == Verdict.ACCEPTED


def test_the_ring_is_accepted_once_it_publishes_with_release() -> None:
    source = EVASIONS["volatile"].source.replace(
        "*reinterpret_cast<volatile std::size_t*>(&tail) = at + 1;",
        "tail.store(at + 1, std::memory_order_release);",
    )
    assert judge_ring(source, "one-item")["verdict"] == Verdict.ACCEPTED
