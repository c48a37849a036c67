"""An execution on its page: stepped through by keyboard, on a phone, without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.practice.models import Problem, Submission
from graders.verdict import CaseResult, Verdict
from tests.app.practice_data import WRONG, judge_to_the_end, passed, send
from tests.browser.conftest import PHONE, OpenBrowser
from tests.graders.concurrency.executions import drawn, stale_pop


@pytest.fixture
def path(owner: User, problem: Problem) -> str:
    counterexample = drawn(stale_pop())
    result = CaseResult(
        "one-item",
        Verdict.WRONG_ANSWER,
        message=counterexample.summary,
        counterexample=counterexample,
    )
    submission: Submission = judge_to_the_end(send(owner, problem, WRONG), [passed(), result])
    return f"/submissions/{submission.pk}/"


def test_arrow_keys_go_forwards_and_backwards_through_the_steps(page: Page, path: str) -> None:
    page.goto(path)
    drawing = page.locator("interleaving-steps")
    current = drawing.locator("[aria-current=step]")
    expect(drawing.locator(".il-controls")).to_be_visible()
    expect(current).to_have_count(0)
    drawing.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(current.locator("th")).to_have_text("3")
    page.keyboard.press("ArrowLeft")
    expect(current.locator("th")).to_have_text("2")
    expect(drawing.locator(".il-source .il-now")).to_have_attribute("value", "7")
    page.keyboard.press("End")
    expect(current.locator("th")).to_have_text("11")
    page.keyboard.press("ArrowRight")
    expect(current.locator("th")).to_have_text("11")
    page.keyboard.press("Home")
    expect(current.locator("th")).to_have_text("1")
    expect(drawing.locator(".il-call.il-now")).to_have_text(
        "try_push(1)\n→ true", use_inner_text=True
    )


def test_a_reader_of_screens_hears_each_step_with_what_is_wrong_about_it(
    page: Page, path: str
) -> None:
    page.goto(path)
    page.locator(".il-steps tbody tr").nth(8).click()
    said = page.locator(".il-announcer")
    expect(said).to_have_text(
        "Step 9 of 11, Thread 2, line 16, cells[0] is read: 0 (relaxed), stale: thread 1 has "
        "stored 1 by now, and nothing makes this thread see it"
    )


def test_the_answer_that_breaks_the_rule_is_marked_in_the_history(page: Page, path: str) -> None:
    page.goto(path)
    wrong = page.locator(".il-history .il-wrong")
    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text("try_pop()")
    expect(wrong).to_contain_text("wrong:")


def test_the_source_is_coloured_and_stays_itself(page: Page, path: str) -> None:
    page.goto(path)
    line = page.locator("#il-line-4 code")
    expect(line).to_have_text("template <class T, std::size_t Capacity>")
    expect(line.locator(".tok-keyword").first).to_have_text("template")


def test_without_a_script_every_step_is_a_row_of_a_table(
    open_browser: OpenBrowser, owner: User, path: str
) -> None:
    page = open_browser(owner, java_script_enabled=False).new_page()
    page.goto(path)
    expect(page.locator(".il-controls")).to_be_hidden()
    rows = page.locator(".il-steps tbody tr")
    expect(rows).to_have_count(11)
    expect(rows.nth(8)).to_contain_text("cells[0] is read: 0 (relaxed)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_page(
    open_browser: OpenBrowser, owner: User, path: str, scheme: str
) -> None:
    page = open_browser(owner, viewport=PHONE, color_scheme=scheme).new_page()
    page.goto(path)
    page.locator("interleaving-steps").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[aria-current=step]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_page_about_the_model_is_one_step_away(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_role("link", name="Which executions C++ allows").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("judged")
