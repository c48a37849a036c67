"""The counterexample that steps through operations: by keyboard, on a phone, without scripts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.practice.models import Problem, Submission
from graders.simulation.stateful.steps import Cell, Row, Step, View, operations
from graders.verdict import CaseResult, Counterexample, Verdict
from tests.app.practice_data import WRONG, judge_to_the_end, send
from tests.browser.conftest import PHONE, OpenBrowser


def step(number: int, ok: bool) -> Step:
    cells = [
        Cell("0", ["never handed out"], "faint"),
        Cell("1", [f"content {number}", "used by A, B"], "shared"),
        Cell("2", ["7 8", "used by A"], "busy"),
        Cell("3", ["number 1 in the free queue", "can be hit"], "kept"),
    ]
    rows = [
        Row("answer", f"[{number}, None]", f"[{number if ok else 0}, None]", ok),
        Row("free_queue()", "[3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]", None, ok=False),
    ]
    return Step(f"append('A', {number})", rows[: 1 if ok else 2], [View("The blocks", cells)])


@pytest.fixture
def rejected(owner: User, problem: Problem) -> Submission:
    steps = [step(1, ok=True), step(2, ok=True), step(3, ok=False)]
    data = operations("BlockManager(num_blocks=4, block_size=2)", steps)
    summary = "append('A', 3) must return [3, None], got [0, None]"
    example = Counterexample("operations", summary, data, {"case": "two", "seed": 1})
    result = CaseResult("two", Verdict.WRONG_ANSWER, summary, counterexample=example)
    return judge_to_the_end(send(owner, problem, WRONG), [result])


def open_steps(page: Page) -> list[str]:
    return page.locator(".operations-state:visible .operations-cell:nth-child(2)").all_inner_texts()


def test_the_wrong_operation_is_open_and_arrow_keys_step_to_the_others(
    open_browser: OpenBrowser, owner: User, rejected: Submission
) -> None:
    page = open_browser(owner).new_page()
    page.goto(f"/submissions/{rejected.pk}/")
    expect(page.get_by_role("radio").nth(2)).to_be_checked()
    assert [text.split("\n")[1] for text in open_steps(page)] == ["content 3"]
    page.get_by_role("radio").nth(2).focus()
    page.keyboard.press("ArrowUp")
    assert [text.split("\n")[1] for text in open_steps(page)] == ["content 2"]
    page.keyboard.press("ArrowUp")
    assert [text.split("\n")[1] for text in open_steps(page)] == ["content 1"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("wide", [True, False])
def test_it_fits_and_needs_no_script(
    open_browser: OpenBrowser, owner: User, rejected: Submission, wide: bool, scheme: str
) -> None:
    viewport = {"width": 1280, "height": 900} if wide else PHONE
    context = open_browser(owner, viewport=viewport, color_scheme=scheme, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/submissions/{rejected.pk}/")
    page.get_by_text("append('A', 2)").click()
    assert [text.split("\n")[1] for text in open_steps(page)] == ["content 2"]
    call = page.get_by_text("append('A', 2)").bounding_box()
    state = page.locator(".operations-state:visible").bounding_box()
    assert call is not None
    assert state is not None
    assert (state["x"] > call["x"] + 100) is wide  # beside the calls, or below the chosen one
    assert state["x"] + state["width"] <= viewport["width"]
    if "SCREENSHOTS" in os.environ:
        page.screenshot(
            path=Path(os.environ["SCREENSHOTS"]) / f"operations-{scheme}-{wide}.png", full_page=True
        )
