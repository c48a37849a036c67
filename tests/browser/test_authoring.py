"""An admin writes a problem in a real browser: from the form to candidates."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.authoring import queue
from app.authoring.models import Action, MutantRun, Verification, WorkingCopy
from app.practice.models import Problem, Submission
from problems.package import read_package
from tests.browser.conftest import OpenBrowser
from tests.problems.broken_packages import SOUND

SHOTS = os.environ.get("AUTHORING_SHOTS")


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Trials that were handed to the workers, in place of workers."""
    pieces: list[tuple[str, int]] = []
    monkeypatch.setattr(
        queue.do_piece, "apply_async", lambda args, queue: pieces.append((args[0], args[1]))
    )
    return pieces


@pytest.fixture
def admins_page(
    open_browser: OpenBrowser, published: list[Submission], staff: User, handed: object
) -> Page:
    return open_browser(staff).new_page()


def shoot(page: Page, name: str) -> None:
    """A picture for a person to look at, if one asks for it."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def type_at_the_end(page: Page, text: str) -> None:
    page.locator("package-editor .cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def be_the_workers(slug: str) -> None:
    """Every trial gets what it must get."""
    proof = Verification.objects.filter(slug=slug).first()
    assert proof is not None
    for trial in proof.trials.all():
        token = trial.claim()
        assert token is not None
        trial.finish(token, verdict="AC", wall_time_s=0.1)
    queue.pump(proof)


def judge_the_mutants(slug: str) -> None:
    """One survives."""
    run = MutantRun.objects.get(verification__slug=slug)
    first, *others = run.mutants.all()
    for mutant in others:
        token = mutant.claim()
        assert token is not None
        mutant.finish(token, verdict="WA")
    token = first.claim()
    assert token is not None
    first.finish(
        token,
        verdict="AC",
        place=f"round-3/{slug}/reference.py:7",
        missing="a case in which that makes a difference",
        diff="@@ -6,2 +6,2 @@\n def split():\n-    return 0\n+    return 1",
    )
    queue.pump(run)


def test_a_problem_is_written_verified_and_published(admins_page: Page, staff: User) -> None:
    page = admins_page
    page.goto("/authoring/new/")
    page.get_by_label("Title").fill("Split it fairly")
    page.get_by_label("Slug").fill("fair-split")
    page.get_by_label("Round").select_option("3")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#state")).to_contain_text("without faults")
    page.get_by_role("link", name="statement.md").click()
    type_at_the_end(page, "\nAnd $z^9$ more.")
    expect(page.locator("#preview")).to_contain_text("more.")
    expect(page.locator("#preview .katex").last).to_be_visible()
    # Not yet saved: what is verified is nevertheless what was typed.
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#state progress")).to_be_visible()
    shoot(page, "verifying")
    be_the_workers("fair-split")
    expect(page.locator("#trials > h2 .verdict-chip")).to_have_text("Passed")
    expect(page.locator("#mutants progress")).to_be_visible()
    shoot(page, "mutants-run")
    judge_the_mutants("fair-split")
    expect(page.locator("#mutants h2 .verdict-chip")).to_have_text("Done")
    survivor = page.locator("#mutants .mutant")
    expect(survivor).to_contain_text("round-3/fair-split/reference.py:7")
    survivor.get_by_text("What it changes").click()
    expect(survivor.locator("pre")).to_contain_text("+    return 1")
    shoot(page, "mutants-done")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".messages")).to_contain_text("Version 1 is published.")
    problem = Problem.objects.get(slug="fair-split")
    assert problem.current_version is not None
    assert problem.current_version.statement.endswith("And $z^9$ more.")
    shoot(page, "published")


def test_what_is_typed_outlives_the_page_and_faults_lead_to_their_line(
    admins_page: Page, staff: User
) -> None:
    page = admins_page
    copy = WorkingCopy.make(staff, "double", dict(read_package(SOUND).files), Action.CREATED)
    page.goto("/authoring/problems/double/")
    page.locator(".cm-line", has_text="minutes: 5").click()
    page.keyboard.press("End")
    page.keyboard.type("000")
    expect(page.locator(".cm-lintRange-error")).to_have_text("5000")
    expect(page.locator(".complaints")).to_contain_text("minutes must be at most 240, got 5000")
    shoot(page, "fault")
    expect(page.get_by_role("button", name="Verify")).to_be_disabled()
    page.goto("/authoring/problems/double/?file=starter.py")
    page.locator(".complaints a").click()
    expect(page.locator(".cm-activeLine")).to_have_text("minutes: 5000")
    # Another admin saves the same file meanwhile: neither text is lost.
    file = copy.files.get(path="problem.yaml")
    file.save_text(staff, file.text.replace("5000", "50"), file.revision)
    page.keyboard.press("Control+End")
    page.keyboard.type("# mine")
    expect(page.locator("#conflict")).to_be_visible()
    shoot(page, "conflict")
    page.get_by_role("button", name="Take the left one").click()
    expect(page.locator(".draft-status")).to_have_attribute("data-state", "saved")
    assert "minutes: 50\n" in copy.texts["problem.yaml"]
    page.locator("package-editor .cm-content").click()
    page.keyboard.press("Control+z")
    expect(page.locator("package-editor .cm-content")).to_contain_text("# mine")


def test_a_phone_shows_one_part_at_a_time(open_browser: OpenBrowser, staff: User) -> None:
    WorkingCopy.make(staff, "double", dict(read_package(SOUND).files), Action.CREATED)
    page = open_browser(staff, viewport={"width": 375, "height": 700}).new_page()
    for address in ("/authoring/", "/authoring/problems/double/", "/authoring/upload/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.goto("/authoring/problems/double/")
    expect(page.locator("#state")).to_be_hidden()
    page.get_by_role("tab", name="Checks").click()
    expect(page.locator("#state")).to_be_visible()
    expect(page.locator("package-editor .cm-content")).to_be_hidden()
