"""A design in a real browser: completed and checked while typed, drawn, reviewed by its author."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.designs.models import SelfReview
from app.practice.models import Problem, Submission
from tests.app.design_data import SLUG, design_problem, file_of, judged
from tests.browser.editor_page import text_of, write

SHOTS = os.environ.get("DESIGN_SHOTS")


def shoot(page: Page, name: str, *, full: bool = False) -> None:
    """A picture for a person to look at, if one asks for it."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=full)


@pytest.fixture
def design(published: list[Submission]) -> Problem:
    return design_problem()


def sent(owner: User, design: Problem, path: str) -> Submission:
    """A file of the package, judged for this person."""
    assert design.current_version is not None
    source = file_of(design, path)
    return judged(Submission.send(owner, design.current_version, Submission.Kind.SUBMIT, source))


def test_a_design_is_completed_and_checked_while_it_is_typed(design: Problem, page: Page) -> None:
    page.goto(f"/problems/{SLUG}/")
    write(page, "parallel:\n  tp: 1\nmemory:\n  recompute: ")
    page.keyboard.press("Control+Space")
    options = page.locator(".cm-tooltip-autocomplete .cm-completionLabel")
    expect(options).to_have_text(["full", "none", "selective"])
    shoot(page, "completion")
    page.keyboard.press("Escape")
    page.keyboard.insert_text("selectiv")
    expect(page.locator(".cm-lintRange-error").filter(has_text="selectiv")).to_have_count(1)
    page.locator(".cm-lintRange-error").filter(has_text="selectiv").hover()
    expect(page.locator(".cm-tooltip-lint")).to_contain_text("Did you mean selective?")
    shoot(page, "complaint")
    page.keyboard.press("Escape")
    write(page, file_of(design, "reference.yaml"))
    expect(page.locator(".cm-lintRange-error")).to_have_count(0)
    assert text_of(page) == file_of(design, "reference.yaml")


def test_an_accepted_design_is_drawn_and_reviewed_by_its_author(
    design: Problem, page: Page, owner: User
) -> None:
    submission = sent(owner, design, "reference.yaml")
    assert submission.verdict == "AC"
    page.goto(f"/problems/{SLUG}/")
    page.get_by_text("Your own review").scroll_into_view_if_needed()
    expect(page.locator(".bars svg").first).to_be_visible()
    expect(page.locator(".placement svg")).to_be_visible()
    assert page.locator("[name='level.0']").first.is_disabled(), "Locality is computed"
    page.locator("[name='level.3'][value='1']").check()
    page.get_by_label("Notes to yourself").fill("try pp 8 first next time")
    page.get_by_role("button", name="Save the review").click()
    expect(page.locator("[data-review-state]")).to_contain_text("Saved")
    assert SelfReview.objects.get(submission=submission).levels == {"Alternatives": 1}
    page.goto(submission.get_absolute_url())
    expect(page.locator("[name='level.3'][value='1']")).to_be_checked()
    expect(page.get_by_label("Notes to yourself")).to_have_value("try pp 8 first next time")
    shoot(page, "accepted", full=True)


def test_the_arithmetic_of_a_rejection_is_on_the_page(
    design: Problem, page: Page, owner: User
) -> None:
    submission = sent(owner, design, "submissions/wrong_answer/optimizer_not_divided.yaml")
    page.goto(submission.get_absolute_url())
    terms = page.locator(".counterexample .design-terms")
    expect(terms).to_contain_text("optimizer state")
    expect(terms.locator("tr").last).to_contain_text("-13.68")
    expect(page.locator(".design-link[aria-current]")).to_contain_text("memory")
    shoot(page, "memory", full=True)
    submission = sent(owner, design, "submissions/too_slow/experts_across_spines.yaml")
    page.goto(submission.get_absolute_url())
    expect(page.locator(".design-changes")).to_contain_text("placement.order")
    shoot(page, "slow", full=True)
    submission = sent(owner, design, "submissions/compile_error/no_such_key.yaml")
    page.goto(submission.get_absolute_url())
    expect(page.locator(".design-faults")).to_contain_text("Did you mean micro_batch?")
    shoot(page, "unreadable", full=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_runs_off_a_phone(
    design: Problem, open_browser: object, owner: User, scheme: str
) -> None:
    submission = sent(owner, design, "submissions/wrong_answer/optimizer_not_divided.yaml")
    size = {"width": 375, "height": 740}
    page = open_browser(owner, viewport=size, color_scheme=scheme).new_page()  # type: ignore[operator]
    page.goto(submission.get_absolute_url())
    shoot(page, f"phone-{scheme}", full=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_without_scripts_a_design_is_judged_and_reviewed_too(
    design: Problem, open_browser: object, owner: User, published: list[Submission]
) -> None:
    page = open_browser(owner, java_script_enabled=False).new_page()  # type: ignore[operator]
    page.goto(f"/problems/{SLUG}/")
    page.locator("textarea[name=source]").fill(
        file_of(design, "submissions/wrong_answer/optimizer_not_divided.yaml")
    )
    page.get_by_role("button", name="Submit").click()
    submission = judged(published[-1])
    page.reload()
    expect(page.locator(".banner")).to_contain_text("GPU of stage 0 must hold 72 GB")
    page.locator("[name='level.2'][value='1']").check()
    page.get_by_role("button", name="Save the review").click()
    expect(page.locator("[data-review-state]")).to_contain_text("Saved")
    assert SelfReview.objects.get(submission=submission).levels == {"Order of thought": 1}
