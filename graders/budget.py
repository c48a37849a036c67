"""How much may be spent on making a counterexample smaller."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

SHRINK_TIME_LIMIT_S = 4.0
Item = TypeVar("Item")


class Budget:
    """Questions that may still be asked while a counterexample is made smaller.

    Their number decides wherever answers come quickly, so that the same submission and seed give
    the same counterexample. The clock is for submissions that think for long over each answer:
    a verdict must not wait for its smallest illustration.
    """

    def __init__(self, questions: int, time_limit_s: float = SHRINK_TIME_LIMIT_S) -> None:
        self._left = questions
        self._until_s = time.monotonic() + time_limit_s

    @property
    def is_spent(self) -> bool:
        """Nothing more may be asked."""
        return self._left <= 0 or time.monotonic() >= self._until_s

    def spend(self, questions: int = 1) -> None:
        """So many were asked."""
        self._left -= questions


def delta_debug(
    items: list[Item], fails: Callable[[list[Item]], bool], budget: Budget
) -> list[Item]:
    """A part of `items`, in their order, of which no single one can be left out.

    Leaves out halves, quarters and so on down to single items, as long as what is left still
    `fails`; parts that `budget` no longer pays for stay.

    Parameters
    ----------
    items : list
        What fails, not empty.
    fails : callable
        Whether a shorter list, never empty, fails in the same way. It spends the budget.

    References
    ----------
    .. [1] Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE
       Transactions on Software Engineering 28(2), 2002: ddmin, with complements alone.
    """
    n_parts = 2
    while len(items) > 1 and not budget.is_spent:
        size = -(-len(items) // n_parts)
        for begin in range(0, len(items), size):
            rest = items[:begin] + items[begin + size :]
            if budget.is_spent:
                return items
            if rest and fails(rest):
                items, n_parts = rest, max(n_parts - 1, 2)
                break
        else:
            if size == 1:
                break
            n_parts = min(2 * n_parts, len(items))
    return items
