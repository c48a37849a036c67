"""The timeline of a trace in a real browser: by keyboard, mouse and finger, and without scripts."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Position, expect

from app.accounts.models import User
from app.practice.models import Attempt, Problem, Submission
from graders.answers import read
from graders.triage import draw
from tests.app.practice_data import version_of
from tests.app.trace_data import SLUG, answers_for, trace_problem
from tests.app.worksheet_data import judged
from tests.browser.conftest import PHONE, OpenBrowser

PAGE = f"/problems/{SLUG}/"
SHOTS = os.environ.get("TRACE_SHOTS")


def shoot(page: Page, name: str) -> None:
    """A picture for a person to look at, if one asks for it."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


@pytest.fixture
def problem(published: list[Submission]) -> Problem:
    return trace_problem()


@pytest.fixture
def attempt(problem: Problem, owner: User) -> Attempt:
    mine = Attempt.current(owner, version_of(problem))
    mine.seed = 4  # the same trace each time
    mine.save()
    return mine


@pytest.fixture
def timeline(attempt: Attempt, page: Page) -> Page:
    page.goto(PAGE)
    expect(page.locator(".trace-status")).to_contain_text("spans.")
    return page


def status(page: Page) -> str:
    return page.locator(".trace-status").inner_text()


def tick(page: Page, span: str) -> None:
    """Choose a span in the table, whose rank is folded away."""
    radio = page.locator(f"[name='answer.span'][value='{span}']")
    page.locator(".trace-table details").filter(has=radio).locator("summary").click()
    radio.check()


def test_the_keyboard_walks_measures_and_chooses(timeline: Page) -> None:
    page = timeline
    page.locator(".trace-canvas").focus()
    first = status(page)
    assert first.startswith("Span ")
    for key in ("ArrowDown", "ArrowLeft", "ArrowLeft", "ArrowDown"):
        before = status(page)
        page.keyboard.press(key)
        expect(page.locator(".trace-status")).not_to_have_text(before)
    page.keyboard.press("a")
    page.keyboard.press("b")
    told = re.search(r"· ([\d.]+) ms", status(page))
    assert told is not None
    expect(page.locator(".trace-measured")).to_contain_text(f"{told[1]} ms apart")
    page.keyboard.press("Escape")
    expect(page.locator(".trace-measured")).to_have_text("")
    page.keyboard.press("Enter")
    number = re.match(r"Span (\d+):", status(page))
    assert number is not None
    expect(page.locator('[name="answer.span"]:checked')).to_have_value(number[1])
    expect(page.locator(".trace-answer")).to_have_text(status(page))
    expect(page.locator(".draft-status")).to_have_text("Saved")
    page.reload()
    expect(page.locator(".trace-answer")).to_contain_text(f"Span {number[1]}:")
    shoot(page, "chosen")


def test_find_shows_what_there_is_and_does_not_send_the_form(
    timeline: Page, attempt: Attempt, published: list[Submission]
) -> None:
    page = timeline
    spans = draw(attempt.seed).spans
    n_norms = sum("rms_norm" in span.name for span in spans)
    page.locator(".trace-canvas").focus()
    page.keyboard.press("/")
    page.keyboard.type("rms_norm")
    expect(page.locator(".trace-found")).to_have_text(f"{n_norms} found")
    page.keyboard.press("Enter")
    expect(page.locator(".trace-status")).to_contain_text("rms_norm")
    shoot(page, "found")
    assert published == []


def test_a_mouse_selects_zooms_measures_chooses_and_collapses(timeline: Page) -> None:
    page = timeline
    canvas = page.locator(".trace-canvas")
    box = canvas.bounding_box()
    assert box is not None
    row_of_main_thread = 22 + 20 + 10  # below the head of rank 0 and the row of the step
    point: Position = {"x": box["width"] - 60, "y": row_of_main_thread}
    canvas.click(position=point)
    expect(page.locator(".trace-status")).to_contain_text("main thread")
    canvas.dblclick(position=point)
    expect(page.locator(".trace-answer")).to_contain_text("main thread")
    page.mouse.move(box["x"] + 300, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 340, box["y"] + 40)
    page.mouse.up()
    page.locator("[data-do=measure]").click()
    page.mouse.move(box["x"] + 200, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 40)
    page.mouse.up()
    expect(page.locator(".trace-measured")).to_contain_text("ms apart")
    measured = page.locator(".trace-measured").inner_text()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    page.mouse.move(box["x"] + 200, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 40)
    page.mouse.up()
    shorter = page.locator(".trace-measured").inner_text()
    assert span_of(shorter) < span_of(measured)
    height = page.locator(".trace-canvas").bounding_box()["height"]  # type: ignore[index]
    page.locator("[data-do=large]").click()
    page.locator(".trace-canvas").focus()
    shoot(page, "large")
    page.locator("[data-rank='1']").click()
    page.locator("[data-rows=network]").click()
    page.wait_for_function(
        "height => document.querySelector('.trace-canvas').clientHeight < height / 2 + 80",
        arg=height,
    )
    expect(page.locator("[data-rank='1']")).to_have_attribute("aria-pressed", "false")


def span_of(measured: str) -> float:
    found = re.search(r": ([\d.]+) ms", measured)
    assert found is not None
    return float(found[1])


def test_the_verdict_draws_the_step_without_what_was_named(
    timeline: Page, attempt: Attempt, published: list[Submission]
) -> None:
    page = timeline
    wrong = read(answers_for(attempt, "submissions/wrong_answer/victim_span.yaml"))
    for name in ("cause", "measurement"):
        page.locator(f"[name='answer.{name}'][value='{wrong[name]}']").check()
    page.locator(".trace-table > summary").click()
    tick(page, str(wrong["span"]))
    expect(page.locator(".trace-answer")).to_contain_text(f"Span {wrong['span']}:")
    page.locator("button[name=kind][value=submit]").click()
    expect(page.locator("#panel live-submission")).to_be_visible(timeout=20_000)
    judged(published[0])
    page.reload()
    expect(page.locator(".triage-timeline")).to_have_count(3)
    expect(page.locator(".banner")).to_contain_text("the step would still take")
    page.locator(".triage-timeline").first.scroll_into_view_if_needed()
    shoot(page, "verdict")
    page.locator(".worksheet-again button").click()
    expect(page.locator(".trace-answer")).to_contain_text("None yet")


def test_a_phone_is_wide_enough_and_nothing_complains(
    attempt: Attempt, open_browser: OpenBrowser, owner: User
) -> None:
    context = open_browser(owner, viewport=PHONE, color_scheme="dark", has_touch=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    page.goto(PAGE)
    page.set_viewport_size({"width": 1280, "height": 800})
    shoot(page, "wide-dark")
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.locator("#tab-code").tap()
    expect(page.locator(".trace-status")).to_contain_text("spans.")
    page.locator(".trace-canvas").tap(position={"x": 200, "y": 22 + 20 + 10})
    expect(page.locator(".trace-status")).to_contain_text("main thread")
    shoot(page, "phone-dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shown_us = "document.querySelector('trace-viewer').view.length"
    whole_us = page.evaluate(shown_us)
    pinch(page)
    assert page.evaluate(shown_us) < whole_us / 2
    assert complaints == []


def pinch(page: Page) -> None:
    """Two fingers on the timeline move apart, from 40 to 160 pixels."""
    box = page.locator(".trace-canvas").bounding_box()
    assert box is not None
    touches = page.context.new_cdp_session(page)

    def touch(kind: str, *across: float) -> None:
        points = [{"x": x, "y": box["y"] + 60, "id": one} for one, x in enumerate(across)]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 180)
    touch("touchStart", 180, 220)
    for apart in range(0, 61, 10):
        touch("touchMove", 180 - apart, 220 + apart)
    touch("touchEnd")


def test_without_scripts_the_table_is_the_form(
    attempt: Attempt, open_browser: OpenBrowser, owner: User, published: list[Submission]
) -> None:
    page = open_browser(owner, java_script_enabled=False).new_page()
    page.goto(PAGE)
    answers = read(answers_for(attempt))
    for name in ("cause", "measurement"):
        page.locator(f"[name='answer.{name}'][value='{answers[name]}']").check()
    tick(page, str(answers["span"]))
    shoot(page, "no-script")
    page.locator("button[name=kind][value=submit]").click()
    assert judged(published[0]).verdict == "AC"
