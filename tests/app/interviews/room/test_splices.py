"""Replacements that take one text to the next, counted as browsers count."""

from __future__ import annotations

import random

import pytest

from app.interviews.room.splices import Splice, splice_between


def applied(text: str, splice: Splice) -> str:
    """As a browser does it: on UTF-16 units."""
    units = text.encode("utf-16-le")
    start, end = 2 * splice.at, 2 * (splice.at + splice.gone)
    return (units[:start] + splice.new.encode("utf-16-le") + units[end:]).decode("utf-16-le")


@pytest.mark.parametrize(
    ("before", "after", "splice"),
    [
        ("", "def f", Splice(0, 0, "def f")),
        ("def f", "", Splice(0, 5, "")),
        ("same", "same", Splice(4, 0, "")),
        ("abc", "aXc", Splice(1, 1, "X")),
        ("aa", "aaa", Splice(2, 0, "a")),
        ("x = 😀 + 1", "x = 😀 + 2", Splice(9, 1, "2")),
        # Two characters that share their first half: neither is ever cut.
        ("😀", "😁", Splice(0, 2, "😁")),
    ],
)
def test_a_replacement_is_as_short_as_it_can_be(before: str, after: str, splice: Splice) -> None:
    assert splice_between(before, after) == splice
    assert applied(before, splice) == after


def test_any_two_texts_have_one() -> None:
    dice = random.Random(11)
    for _trial in range(400):
        before, after = ("".join(dice.choices("ab\n😀é", k=dice.randrange(12))) for _ in "12")
        assert applied(before, splice_between(before, after)) == after
