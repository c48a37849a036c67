"""Timelines of pipelines: marked, stepped by keyboard, readable without scripts and on a phone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.practice.models import Problem, Submission
from graders.simulation.pipeline import timeline
from graders.simulation.pipeline.checks import examine
from graders.simulation.pipeline.operations import Orders, passes
from graders.simulation.pipeline.pipelines import Costs, Pipeline, Schedule
from graders.simulation.pipeline.published import published
from graders.simulation.pipeline.simulate import run
from graders.verdict import CaseResult, Counterexample, JsonObject, Verdict
from tests.app.practice_data import RIGHT, WRONG, judge_to_the_end, send
from tests.browser.conftest import PHONE, OpenBrowser

TWO_RANKS = Pipeline(2, 2, 1, Schedule.ONE_F_ONE_B, Costs(1, 1, 1, 3))
FOUR_RANKS = Pipeline(4, 10, 1, Schedule.DUALPIPE, Costs(2, 2, 1, 4))
# Rank 0 wants micro-batch 0's gradient before it sends micro-batch 1, rank 1 the other way round.
CIRCLE: Orders = [
    [passes("F", 0, 0), passes("B", 0, 0), passes("F", 1, 0), passes("B", 1, 0)],
    [passes("F", 0, 1), passes("F", 1, 1), passes("B", 0, 1), passes("B", 1, 1)],
]


def drawn(pipeline: Pipeline, orders: Orders) -> tuple[str, JsonObject]:
    """What is said of orders, and their timeline beside the published one."""
    made = run(orders, pipeline)
    failure = examine(made)
    best = run(published(pipeline), pipeline)
    return failure.text if failure else "", timeline.beside(made, best, failure)


@pytest.fixture
def rejected(owner: User, problem: Problem) -> Submission:
    summary, timelines = drawn(TWO_RANKS, CIRCLE)
    data: JsonObject = {"make": "schedule('1f1b', 2, 2, 1, {})", "timelines": timelines}
    example = Counterexample("pipeline_timeline", summary, data, {"case": "two", "seed": 1})
    result = CaseResult("two", Verdict.WRONG_ANSWER, summary, counterexample=example)
    return judge_to_the_end(send(owner, problem, WRONG), [result])


@pytest.fixture
def accepted(owner: User, problem: Problem) -> Submission:
    _, timelines = drawn(FOUR_RANKS, published(FOUR_RANKS))
    result = CaseResult("two", Verdict.ACCEPTED, score=1.0)
    metrics: JsonObject = {"pipeline_timelines": [timelines]}
    return judge_to_the_end(send(owner, problem, RIGHT), [result], metrics)


def said(page: Page) -> str:
    return page.locator(".pipeline-place").first.inner_text()


def test_the_faulty_operation_is_chosen_and_arrow_keys_go_to_the_others(
    open_browser: OpenBrowser, owner: User, rejected: Submission
) -> None:
    page = open_browser(owner, viewport=PHONE).new_page()
    page.goto(f"/submissions/{rejected.pk}/")
    assert said(page) == "rank 0: B of micro-batch 0 in stage 0, never begins"
    assert page.locator(".pl-bad").count() == 2
    page.locator("pipeline-steps").first.scroll_into_view_if_needed()
    expect(page.locator(".pl-bad").first).to_be_in_viewport()
    assert page.locator(".pl-wait").count() == 2
    page.locator("pipeline-steps").first.focus()
    page.keyboard.press("Home")
    expected = "rank 0: F of micro-batch 0 in stage 0, 0 to 1, stashes held: 1"
    expect(page.locator(".pipeline-place").first).to_have_text(expected)
    page.keyboard.press("ArrowDown")
    assert said(page).startswith("rank 1: F of micro-batch 0 in stage 1, 1 to 2")
    page.keyboard.press("ArrowLeft")
    assert said(page).startswith("rank 0: F of micro-batch 0")


@pytest.mark.parametrize(("wide", "scheme"), [(True, "light"), (False, "dark")])
def test_it_fits_beside_the_published_order_and_needs_no_script(
    open_browser: OpenBrowser,
    owner: User,
    rejected: Submission,
    accepted: Submission,
    wide: bool,
    scheme: str,
) -> None:
    viewport = {"width": 1280, "height": 900} if wide else PHONE
    context = open_browser(owner, viewport=viewport, color_scheme=scheme, java_script_enabled=False)
    page = context.new_page()
    for submission, name in ((rejected, "refused"), (accepted, "accepted")):
        page.goto(f"/submissions/{submission.pk}/")
        expect(page.locator(".pipeline-drawing")).to_have_count(2)
        page.get_by_text("The operations as a table").first.click()
        row = page.locator(".pipeline-table").first.locator("tbody tr").first
        expect(row).to_contain_text("F of micro-batch 0 in stage 0")
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, "only the drawing's own box may scroll sideways"
        if "SCREENSHOTS" in os.environ:
            path = Path(os.environ["SCREENSHOTS"]) / f"pipeline-{name}-{scheme}-{wide}.png"
            page.screenshot(path=path, full_page=True)
