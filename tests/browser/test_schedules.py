"""Schedules of gangs: round by round where a rule breaks, in lanes where they are slow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.practice.models import Problem, Submission
from graders.simulation.gang_scheduling import drawing, traces
from graders.simulation.gang_scheduling.cluster import Cluster
from graders.simulation.gang_scheduling.engine import Engine
from graders.simulation.gang_scheduling.runs import drive, measure, setting
from graders.verdict import CaseResult, Counterexample, JsonObject, Verdict
from tests.app.practice_data import WRONG, judge_to_the_end, send
from tests.browser.conftest import PHONE, OpenBrowser

CLUSTER = Cluster(racks=2, nodes_per_rack=2, gpus_per_node=4, quota={"red": 16})
JOBS = {"jobs": [["embeddings", 0, "red", 1, 8, 200], ["b", 1, "red", 1, 12, 60]]}


def shown(
    owner: User, problem: Problem, kind: str, verdict: Verdict, data: JsonObject
) -> Submission:
    example = Counterexample(kind, "a sentence", data, {"case": "two", "seed": 1})
    result = CaseResult("two", verdict, "a sentence", counterexample=example)
    return judge_to_the_end(send(owner, problem, WRONG), [result])


@pytest.fixture
def broken(owner: User, problem: Problem) -> Submission:
    trace = traces.read(JOBS, CLUSTER, 1)

    def ask(now: int, jobs: list[JsonObject]) -> Any:
        start = {0: {"embeddings": list(range(8))}, 9: {"b": list(range(7, 16))}}.get(now, {})
        return {"preempt": [], "start": start}

    run = drive(Engine(CLUSTER, trace, None), trace, ask, None)
    data = drawing.failed(setting(CLUSTER, measure(CLUSTER, trace)), run)
    return shown(owner, problem, "gang_schedule", Verdict.WRONG_ANSWER, data)


@pytest.fixture
def slow(owner: User, problem: Problem) -> Submission:
    trace = traces.read(JOBS, CLUSTER, 1)

    def ask(now: int, jobs: list[JsonObject]) -> Any:
        gpus = [0, 1, 4, 5, 8, 9, 12, 13]
        start = {0: {"embeddings": gpus}, 40: {"b": list(range(12))}}.get(now, {})
        return {"preempt": ["embeddings"] if now == 10 else [], "start": start}

    def again(now: int, jobs: list[JsonObject]) -> Any:
        answer = ask(now, jobs)
        return {**answer, "start": {"embeddings": list(range(8))}} if now == 12 else answer

    run = drive(Engine(CLUSTER, trace, None), trace, again, None)
    data: JsonObject = {"figure": drawing.slow(CLUSTER, run, measure(CLUSTER, trace))}
    return shown(owner, problem, "lanes", Verdict.TOO_SLOW, data)


def screenshot(page: Page, name: str) -> None:
    if "SCREENSHOTS" in os.environ:
        page.screenshot(path=Path(os.environ["SCREENSHOTS"]) / f"{name}.png", full_page=True)


def jobs_on_gpus(page: Page) -> list[str]:
    return page.locator(".operations-state:visible .gang-gpu b").all_inner_texts()


@pytest.mark.parametrize(("viewport", "scheme"), [((1280, 900), "light"), ((375, 740), "dark")])
def test_the_rounds_step_by_keyboard_and_the_cluster_names_each_job(
    open_browser: OpenBrowser,
    owner: User,
    broken: Submission,
    viewport: tuple[int, int],
    scheme: str,
) -> None:
    size = {"width": viewport[0], "height": viewport[1]}
    context = open_browser(owner, viewport=size, color_scheme=scheme, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/submissions/{broken.pk}/")
    expect(page.get_by_role("radio")).to_have_count(3)
    expect(page.get_by_role("radio").nth(2)).to_be_checked()
    assert jobs_on_gpus(page) == ["embeddings"] * 8 + ["–"] * 8
    wronged = page.locator(".operations-state:visible tr.is-wrong th")
    expect(wronged).to_have_text(["embeddings", "b"])
    screenshot(page, f"gang-{scheme}")
    page.get_by_role("radio").nth(2).focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".operations-state:visible")).to_contain_text("b arrived")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport[0], "the page must not scroll sideways"


def test_lanes_show_where_the_time_went_and_a_table_says_the_same(
    open_browser: OpenBrowser, owner: User, slow: Submission
) -> None:
    page = open_browser(owner, viewport=PHONE, color_scheme="dark").new_page()
    page.goto(f"/submissions/{slow.pk}/")
    expect(page.locator(".lanes-drawing .lane-lost")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    screenshot(page, "lanes-dark")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    page.get_by_text("The drawing as a table").click()
    rows = page.locator(".lanes-table tbody tr").all_inner_texts()
    assert "lost by a preemption\t7\t10" in rows[2]
    screenshot(page, "lanes-light")
