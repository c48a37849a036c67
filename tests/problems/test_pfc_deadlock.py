"""What the checker of pfc-deadlock says of a fix tells what was done, and what is still wrong."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[2] / "problems/round-4/pfc-deadlock"
TRIANGLE = [
    {"path": ["A", "B", "C"], "priority": 3},
    {"path": ["B", "C", "A"], "priority": 3},
    {"path": ["C", "A", "B"], "priority": 3},
]
CYCLE = {"priority": 3, "links": [["A", "B"], ["B", "C"], ["C", "A"]]}


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PACKAGE))  # the checker imports the reference beside it
    monkeypatch.delitem(sys.modules, "reference", raising=False)
    loaded = runpy.run_path(str(PACKAGE / "checker.py"))["check"]
    monkeypatch.delitem(sys.modules, "reference")  # another package's is its own
    return loaded


def said(check: Any, routes: list[dict[str, Any]], cycle: Any, moves: Any) -> str:
    answer = check({"routes": routes, "spare": 7}, {"cycle": cycle, "moves": moves}, 1)
    assert isinstance(answer, str)
    return answer


def test_where_nothing_was_moved_no_move_is_told_of(check: Any) -> None:
    text = said(check, TRIANGLE, CYCLE, [])
    assert text.startswith("no cycle may be left on any priority: no route is moved, and there is")
    assert "each of which waits for the next, at priority 3" in text


def test_a_move_that_leaves_a_cycle_is_told_with_it(check: Any) -> None:
    twice = [*TRIANGLE, *TRIANGLE]
    text = said(check, twice, CYCLE, [0])
    assert "after moving 0 to priority 7" in text


def test_one_route_and_several_are_told_in_their_own_words(check: Any) -> None:
    assert said(check, TRIANGLE, CYCLE, None).startswith("moving route 0 to priority 7")
    twice = [*TRIANGLE, *TRIANGLE]
    assert said(check, twice, CYCLE, None).startswith("moving routes 0, 3 to priority 7")


def test_nothing_to_break_is_an_empty_list(check: Any) -> None:
    assert "it must be an empty list" in said(check, TRIANGLE[:2], None, None)


def test_a_right_fix_is_an_item(check: Any) -> None:
    (item,) = check({"routes": TRIANGLE, "spare": 7}, {"cycle": CYCLE, "moves": [2]}, 1)
    assert item.ok
