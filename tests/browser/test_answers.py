"""A worksheet in a real browser: read while typed, kept, judged once for its values."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.practice.models import Attempt, Problem, Submission
from graders.answers import read
from tests.app.worksheet_data import SLUG, answers_for, judged, worksheet

SHOTS = os.environ.get("ANSWER_SHOTS")


def shoot(page: Page, name: str) -> None:
    """A picture for a person to look at, if one asks for it."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


@pytest.fixture
def sheet(published: list[Submission]) -> Problem:
    return worksheet()


def fill_in(page: Page, source: str) -> None:
    for name, answer in read(source).items():
        if isinstance(answer, dict):
            for row, cells in answer.items():
                for column, text in cells.items():
                    page.locator(f"[name='answer.{name}.{row}.{column}']").fill(text)
        elif isinstance(answer, list):
            for option in answer:
                page.locator(f"[name='answer.{name}'][value='{option}']").check()
        elif page.locator(f"[name='answer.{name}'][type=radio]").count():
            page.locator(f"[name='answer.{name}'][value='{answer}']").check()
        else:
            page.locator(f"[name='answer.{name}']").fill(answer)


def test_an_answer_is_read_while_it_is_typed(sheet: Problem, page: Page) -> None:
    page.goto(f"/problems/{SLUG}/")
    for text, reading in [
        ("15 GB", "= 13.97 GiB"),
        ("15", "a number needs a unit here"),
        ("15 gb", "write GB for bytes or Gbit for bits".replace("write", "Write")),
        ("15 ms", "a size in bytes is wanted here, and ms measures a time"),
    ]:
        page.locator("[name='answer.megatron']").fill(text)
        expect(page.locator("#reading-megatron")).to_contain_text(reading)
    shoot(page, "typing")


def test_answers_outlive_a_reload_and_a_second_tab(sheet: Problem, page: Page) -> None:
    page.goto(f"/problems/{SLUG}/")
    page.locator("[name='answer.megatron']").fill("15 GB")
    page.locator("[name='answer.divided'][value=gradients]").check()
    page.locator("[name='answer.zero.stage-1.state']").fill("31.4 GB")
    expect(page.locator(".draft-status")).to_have_text("Saved")
    page.reload()
    expect(page.locator("[name='answer.megatron']")).to_have_value("15 GB")
    expect(page.locator("[name='answer.divided'][value=gradients]")).to_be_checked()
    second = page.context.new_page()
    second.goto(f"/problems/{SLUG}/")
    second.locator("[name='answer.moe']").fill("7 TB")
    expect(second.locator(".draft-status")).to_have_text("Saved")
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("[name='answer.moe']")).to_have_value("7 TB")
    expect(page.locator("[name='answer.zero.stage-1.state']")).to_have_value("31.4 GB")


def test_values_are_judged_once_and_then_others_are_drawn(
    sheet: Problem, page: Page, owner: User, published: list[Submission]
) -> None:
    page.goto(f"/problems/{SLUG}/")
    attempt = Attempt.objects.get(user=owner)
    fill_in(page, answers_for(attempt, "submissions/wrong_answer/no_master_weights.yaml"))
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("live-submission")).to_be_visible()
    judged(published[-1])
    expect(page.locator(".banner")).to_contain_text("the fp32 master weights are missing")
    expect(page.locator(".worksheet-marks")).to_be_visible()
    shoot(page, "verdict")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".send-error")).to_contain_text("Values are judged once")
    before = page.locator(".worksheet .worksheet-values").first.inner_text()
    page.get_by_role("button", name="Try again with new values").click()
    expect(page.locator("[name='answer.megatron']")).to_have_value("")
    assert page.locator(".worksheet .worksheet-values").first.inner_text() != before
    fill_in(page, answers_for(Attempt.objects.get(user=owner)))
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".timeline li").first).to_be_visible()
    assert judged(published[-1]).verdict == "AC"


def test_the_keyboard_alone_is_enough(
    sheet: Problem, page: Page, published: list[Submission]
) -> None:
    page.goto(f"/problems/{SLUG}/")
    page.locator("[name='answer.zero.stage-0.state']").focus()
    page.keyboard.type("1 TB")
    page.keyboard.press("Enter")
    page.keyboard.type("2 TB")
    expect(page.locator("[name='answer.zero.stage-1.state']")).to_have_value("2 TB")
    page.keyboard.press("Control+Enter")
    expect(page.locator("live-submission")).to_be_visible()
    assert [one.kind for one in published] == ["run"]


def test_without_scripts_the_form_is_judged_too(
    sheet: Problem, open_browser: object, owner: User, published: list[Submission]
) -> None:
    page = open_browser(owner, java_script_enabled=False).new_page()  # type: ignore[operator]
    page.goto(f"/problems/{SLUG}/")
    fill_in(page, answers_for(Attempt.objects.get(user=owner)))
    page.get_by_role("button", name="Submit").click()
    assert judged(published[-1]).verdict == "AC"
    page.goto(f"/problems/{SLUG}/")
    page.get_by_role("button", name="New values").first.click()
    expect(page.locator("[name=attempt]")).to_have_value("2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_runs_off_a_phone(
    sheet: Problem, open_browser: object, owner: User, scheme: str
) -> None:
    size = {"width": 375, "height": 740}
    page = open_browser(owner, viewport=size, color_scheme=scheme).new_page()  # type: ignore[operator]
    page.goto(f"/problems/{SLUG}/")
    shoot(page, f"phone-problem-{scheme}")
    page.get_by_role("tab", name="Answers").click()
    shoot(page, f"phone-{scheme}")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 375
