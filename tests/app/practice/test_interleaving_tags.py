"""Where calls and steps stand in the drawing of an execution."""

from __future__ import annotations

from typing import Any

from app.practice.templatetags.interleaving import history_rows, step_rows, used_lines
from tests.graders.concurrency.executions import drawn, stale_pop


def data() -> dict[str, Any]:
    return dict(drawn(stale_pop()).data)


def test_calls_span_their_steps_and_the_rest_is_gaps() -> None:
    rows = history_rows(data())
    spans = [[(cell["span"], "operation" in cell) for cell in row["cells"]] for row in rows]
    assert spans == [[(5, True), (6, False)], [(5, False), (6, True)]]


def test_a_call_that_never_returns_reaches_to_the_end() -> None:
    changed = data()
    changed["operations"][0]["last_step"] = None
    cells = history_rows(changed)[0]["cells"]
    assert [(cell["span"], cell["is_open"]) for cell in cells] == [(11, True)]


def test_each_step_stands_in_its_own_threads_column() -> None:
    rows = step_rows(data())
    assert [row["cells"].index(row["step"]) for row in rows] == [0] * 5 + [1] * 6


def test_a_line_with_a_wrong_step_is_marked_as_wrong_however_often_it_is_used() -> None:
    changed = data()
    changed["steps"][2]["wrong"] = True
    changed["steps"][3]["line"] = changed["steps"][2]["line"]
    assert used_lines(changed)[8] == "wrong"
    assert used_lines(changed)[16] == "used"
