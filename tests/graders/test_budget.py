"""Delta debugging finds what matters, and a budget ends it by number or by clock."""

from __future__ import annotations

import pytest

from graders.budget import Budget, delta_debug


def test_what_cannot_be_left_out_is_all_that_is_left() -> None:
    asked: list[list[int]] = []

    def fails(items: list[int]) -> bool:
        asked.append(items)
        return {3, 40, 77} <= set(items)

    assert delta_debug(list(range(100)), fails, Budget(1000)) == [3, 40, 77]
    assert len(asked) < 100
    assert all(asked), "an empty list fails in no way"


def test_a_single_item_is_as_small_as_it_gets() -> None:
    assert delta_debug([1], lambda items: True, Budget(10)) == [1]
    assert delta_debug([1, 2, 3], lambda items: True, Budget(10)) == [3]


def test_a_spent_budget_leaves_what_was_found_so_far() -> None:
    allowed = Budget(2)

    def fails(items: list[int]) -> bool:
        allowed.spend()
        return 7 in items

    left = delta_debug(list(range(64)), fails, allowed)
    assert allowed.is_spent
    assert 7 in left
    assert 1 < len(left) < 64


def test_the_clock_ends_what_thinks_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("graders.budget.time.monotonic", lambda: now_s)
    allowed = Budget(1000, time_limit_s=4.0)

    def fails(items: list[int]) -> bool:
        nonlocal now_s
        now_s += 3.0
        allowed.spend()
        return True

    assert len(delta_debug(list(range(64)), fails, allowed)) == 16, "two answers of 3 s each"
    assert allowed.is_spent
