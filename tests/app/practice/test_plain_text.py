"""What a drawing shows must be readable without one."""

from __future__ import annotations

from typing import Any

from app.practice.plain_text import MAX_ROWS, counterexample_lines


def lines(summary: str = "", **data: Any) -> list[str]:
    return list(counterexample_lines({"kind": "any", "summary": summary, "data": data}))


def message(index: int, **changes: Any) -> dict[str, Any]:
    """A row of a space-time diagram's table, with what only a drawing needs."""
    row = {"source": index, "target": index + 1, "bytes": 8, "bad": False, "path": [1.5, 2.5]}
    return {**row, **changes}


def test_a_cycle_of_waits_is_told_edge_by_edge() -> None:
    edges = [
        {"text": "rank 0 waits for rank 1", "path": "M0,0"},
        {"text": "rank 1 waits for rank 0"},
    ]
    assert lines(wait_graph={"size": 300, "edges": edges}) == [
        "rank 0 waits for rank 1",
        "rank 1 waits for rank 0",
    ]


def test_messages_are_a_table_without_their_geometry() -> None:
    assert lines(diagram={"messages": [message(9), message(10, bad=True)], "width": 744}) == [
        "source  target  bytes  bad",
        "9       10      8",
        "10      11      8      yes",
    ]


def test_a_long_table_says_how_much_is_left_out() -> None:
    told = lines(diagram={"messages": [message(index) for index in range(MAX_ROWS + 5)]})
    assert len(told) == MAX_ROWS + 1
    assert told[-1] == "... and 6 more"


def test_wrong_elements_of_a_vector_are_marked_and_a_rank_that_hangs_is_named() -> None:
    after = [{"text": "4", "wrong": False}, {"text": "5", "wrong": True}]
    assert lines(
        vectors=[
            {"rank": 0, "before": ["1", "2"], "after": after},
            {"rank": 1, "before": ["3", "4"], "after": None},
        ]
    ) == ["rank 0: before 1 2, after 4 [5]", "rank 1: before 3 4, did not return"]


def test_a_traceback_is_not_told_twice() -> None:
    assert lines(summary="it raised ValueError: no", traceback="ValueError: no\n") == []
    assert lines(summary="it raised", traceback="line 3\nValueError: no\n") == [
        "line 3",
        "ValueError: no",
    ]


def test_a_configuration_is_wrapped_and_each_step_stands_on_lines_of_its_own() -> None:
    rows = [{"name": f"parameter{index}", "value": "1,024"} for index in range(8)]
    steps = [
        {"label": "weights", "formula": "2 n", "numbers": "2 * 8", "value_text": "16", "unit": "B"}
    ]
    told = lines(configuration=[{"name": "model", "rows": rows}], steps=steps)
    assert all(len(line) <= 100 for line in told)
    assert told[0].startswith("model: parameter0=1,024 parameter1=1,024")
    assert told[1].startswith("       parameter")
    assert told[-3:] == ["weights: 16 B", "    = 2 n", "    = 2 * 8"]


def test_operations_are_told_in_order_with_what_was_wrong_and_the_state_there() -> None:
    kept = {"name": "answer", "expected": "1", "answer": "1", "ok": True}
    wrong = {"name": "answer", "expected": "2", "answer": "3", "ok": False}
    views = [{"title": "The blocks", "cells": [{"name": "1", "lines": ["7 8", "used by A"]}]}]
    steps = [
        {"rows": [kept], "ok": True, "note": "half of it", "mark": "lost", "shown": False},
        {"rows": [kept, wrong], "ok": False, "note": "", "mark": "", "shown": True},
    ]
    told = lines(
        make="Manager(4)",
        operations=[
            {"number": number, "call": f"append({number})", "views": views, **step}
            for number, step in enumerate(steps, 1)
        ],
    )
    assert told == [
        "Manager(4)",
        "  1  append(1)  [lost]",
        "     half of it",
        "  2  append(2)",
        "     answer: must be 1, is 1",
        "   ! answer: must be 2, is 3",
        "     The blocks:",
        "       1: 7 8, used by A",
    ]


def test_a_timeline_is_told_rank_by_rank_with_a_mark_at_what_is_wrong() -> None:
    def cell(rank: int, kinds: str, begin: int | None, bad: bool) -> dict[str, Any]:
        parts = [{"kind": kind, "micro_batch": at, "stage": 2} for at, kind in enumerate(kinds)]
        return {"rank": rank, "parts": parts, "begin": begin, "end": 4, "bad": bad}

    cells = [cell(1, "F", 0, False), cell(0, "FB", 1, False), cell(1, "W", None, True)]
    told = lines(
        make="schedule(2)",
        timelines={
            "yours": {"text": "2 ranks", "rows": [{"rank": 0}, {"rank": 1}], "cells": cells}
        },
    )
    assert told == [
        "schedule(2)",
        "2 ranks",
        "rank 0: FB(0, 2, 1, 2) 1-4",
        "rank 1: F(0, 2) 0-4 !W(0, 2) never",
    ]


def test_a_designs_arithmetic_its_changes_and_its_faults_are_told() -> None:
    terms = [
        {"label": "held", "formula": "2 B * 8", "value_text": "16", "unit": "GB"},
        {"label": "room", "formula": "", "value_text": "8", "unit": "GB"},
    ]
    assert lines(terms=terms) == ["held: 16 GB  = 2 B * 8", "room: 8 GB"]
    changes = [{"field": "parallel.ep", "before": "8", "after": "2"}]
    assert lines(better={"changes": changes, "cost_text": "5"}) == ["parallel.ep: 8 -> 2"]
    assert lines(better=None) == []
    faults = [{"line": n, "column": 3, "message": f"fault {n}", "text": ""} for n in (1, 2)]
    # The first one is the summary already.
    assert lines(faults=faults) == ["line 2, column 3: fault 2"]
