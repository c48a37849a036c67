"""Orders in which ranks that share a disk take their turns."""

from __future__ import annotations

from collections.abc import Callable

Order = Callable[[list[int], int], int]  # the ranks that can go on, the operations so far -> one


def in_turns(ready: list[int], count: int) -> int:
    """Whoever has waited longest, roughly."""
    return ready[count % len(ready)]


def first_first(ready: list[int], count: int) -> int:
    """The lowest rank for as long as it can."""
    return ready[0]


def last_first(ready: list[int], count: int) -> int:
    """The highest rank for as long as it can."""
    return ready[-1]


SCHEDULES: dict[str, Order] = {
    "in turns": in_turns,
    "lowest rank first": first_first,
    "highest rank first": last_first,
}
