"""Writing code: nothing typed is ever lost, whatever happens to tab, network or session."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect
from pytest_django import Settings

from app.accounts.models import User
from app.practice.models import Draft, Problem, Submission
from tests.browser.conftest import OpenBrowser, session_of
from tests.browser.editor_page import URL, editor, expect_saved, status, text_of, write


def sign_in_again(page: Page, user: User, server: str) -> None:
    """As in another tab of the same browser."""
    cookie = {"name": "sessionid", "value": session_of(user), "url": server}
    page.context.add_cookies([cookie])  # type: ignore[list-item]


def stored(user: User) -> str:
    return Draft.objects.get(user=user).text


def test_the_draft_is_back_after_a_reload_and_on_another_machine(
    page: Page, open_browser: OpenBrowser, owner: User, problem: Problem
) -> None:
    page.goto(URL)
    assert text_of(page).startswith("def double")
    write(page, "x = 'written here'\n")
    expect(status(page)).to_have_attribute("data-state", "edited")
    expect_saved(page)
    page.reload()
    assert text_of(page) == "x = 'written here'\n"
    elsewhere = open_browser(owner).new_page()
    elsewhere.goto(URL)
    assert text_of(elsewhere) == "x = 'written here'\n"


def test_a_strangers_editor_holds_the_starter(
    page: Page, open_browser: OpenBrowser, stranger: User, problem: Problem
) -> None:
    page.goto(URL)
    write(page, "secret = 1\n")
    expect_saved(page)
    theirs = open_browser(stranger).new_page()
    theirs.goto(URL)
    assert "secret" not in text_of(theirs)


def test_what_is_typed_offline_is_kept_and_saved_when_the_network_is_back(
    page: Page, owner: User, problem: Problem
) -> None:
    page.goto(URL)
    page.context.set_offline(True)
    write(page, "x = 'typed offline'\n")
    expect(status(page)).to_have_text("Offline: kept in this browser")
    page.context.set_offline(False)
    expect_saved(page)
    assert stored(owner) == "x = 'typed offline'\n"


def test_a_tab_that_closes_before_saving_loses_nothing(
    page: Page, owner: User, server: str, problem: Problem
) -> None:
    page.goto(URL)
    Session.objects.all().delete()  # so that not even the last request of a closing tab is taken
    write(page, "x = 'never reached the server'\n")
    expect(status(page)).to_have_attribute("data-state", "signed_out")
    page.goto("about:blank")
    assert not Draft.objects.exists()
    sign_in_again(page, owner, server)
    page.goto(URL)
    assert text_of(page) == "x = 'never reached the server'\n"
    expect_saved(page)
    assert stored(owner) == "x = 'never reached the server'\n"


def test_leaving_right_after_typing_still_saves(page: Page, owner: User, problem: Problem) -> None:
    page.goto(URL)
    write(page, "x = 'typed and gone'\n")
    page.goto("/")
    page.goto(URL)
    assert text_of(page) == "x = 'typed and gone'\n"


def test_signing_out_elsewhere_keeps_the_text_until_one_is_back(
    page: Page, owner: User, server: str, problem: Problem
) -> None:
    page.goto(URL)
    Session.objects.all().delete()
    write(page, "x = 'typed signed out'\n")
    expect(status(page)).to_contain_text("Signed out: kept in this browser")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".send-error")).to_contain_text("Sign in in another tab")
    assert text_of(page) == "x = 'typed signed out'\n"
    sign_in_again(page, owner, server)
    expect_saved(page)
    assert stored(owner) == "x = 'typed signed out'\n"


def test_two_tabs_that_disagree_are_shown_side_by_side_and_mine_can_stay(
    page: Page, owner: User, problem: Problem
) -> None:
    page.goto(URL)
    Draft.save_text(owner, problem, "theirs = 1\n", 0)
    write(page, "mine = 1\n")
    dialog = page.get_by_role("dialog", name="Two versions of your draft")
    expect(dialog).to_be_visible()
    expect(dialog.locator(".cm-merge-a")).to_contain_text("theirs = 1")
    expect(dialog.locator(".cm-merge-b")).to_contain_text("mine = 1")
    assert stored(owner) == "theirs = 1\n"  # nothing is overwritten before the choice
    dialog.get_by_role("button", name="Keep the right one").click()
    expect_saved(page)
    assert stored(owner) == text_of(page) == "mine = 1\n"
    page.keyboard.press("Control+z")
    assert text_of(page) == "theirs = 1\n"


def test_the_other_tabs_text_can_be_taken_and_mine_is_one_undo_away(
    page: Page, owner: User, problem: Problem
) -> None:
    page.goto(URL)
    Draft.save_text(owner, problem, "theirs = 1\n", 0)
    write(page, "mine = 1\n")
    page.get_by_role("button", name="Take the left one").click()
    expect_saved(page)
    assert stored(owner) == text_of(page) == "theirs = 1\n"
    page.keyboard.press("Control+z")
    assert text_of(page) == "mine = 1\n"


def test_a_conflict_put_off_survives_a_reload(page: Page, owner: User, problem: Problem) -> None:
    page.goto(URL)
    Draft.save_text(owner, problem, "theirs = 1\n", 0)
    write(page, "mine = 1\n")
    page.get_by_role("button", name="Decide later").click()
    expect(page.get_by_role("button", name="Choose a version")).to_be_visible()
    page.reload()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".cm-merge-b")).to_contain_text("mine = 1")
    expect(dialog.locator(".cm-merge-a")).to_contain_text("theirs = 1")
    assert stored(owner) == "theirs = 1\n"


def test_an_untouched_tab_takes_over_what_another_saved(
    page: Page, owner: User, problem: Problem
) -> None:
    page.goto(URL)
    Draft.save_text(owner, problem, "newer = 1\n", 0)
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(editor(page)).to_contain_text("newer = 1")


def test_reset_asks_first_and_can_be_undone(page: Page, problem: Problem) -> None:
    page.goto(URL)
    write(page, "mine = 1\n")
    reset = page.get_by_role("button", name="Reset", exact=True)
    reset.first.click()
    page.get_by_role("button", name="Keep my text").click()
    assert text_of(page) == "mine = 1\n"
    reset.first.click()
    page.locator("#reset [data-choice=yes]").click()
    assert text_of(page).startswith("def double")
    editor(page).press("Control+z")
    assert text_of(page) == "mine = 1\n"


def test_run_and_submit_by_keyboard(
    page: Page, problem: Problem, published: list[Submission]
) -> None:
    page.goto(URL)
    write(page, "first = 1\n")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#panel")).to_contain_text("Place 1 in the queue")
    write(page, "second = 2\n")
    page.keyboard.press("Control+Shift+Enter")
    expect(page.locator("#panel .panel-title")).to_contain_text("Submit")
    sent = [(each.kind, each.source) for each in published]
    assert sent == [("run", "first = 1\n"), ("submit", "second = 2\n")]
    page.locator("body").press("Control+Enter")  # outside the editor too
    expect(page.locator("#panel .panel-title")).to_contain_text("Run")


def test_a_refusal_stands_beside_the_buttons_and_the_text_stays(
    page: Page, problem: Problem
) -> None:
    error = page.locator(".send-error")
    page.goto(URL)
    write(page, "   ")
    page.get_by_role("button", name="Submit").click()
    expect(error).to_contain_text("yours is empty")
    write(page, "x = 1  # " + "long " * 4000)
    page.get_by_role("button", name="Submit").click()
    expect(error).to_contain_text("may have 16 KiB, yours has 19.5 KiB")
    assert len(text_of(page)) == 20_009
    assert not Submission.objects.exists()


def test_too_many_submissions_are_told_when_to_try_again(
    page: Page, problem: Problem, settings: Settings
) -> None:
    settings.SUBMISSIONS_PER_MINUTE = 1
    page.goto(URL)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#panel live-submission")).to_be_visible()
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".send-error")).to_contain_text("Try again in")


def test_nobody_answering_loses_nothing(page: Page, problem: Problem) -> None:
    page.goto(URL)
    write(page, "x = 'important'\n")
    page.context.set_offline(True)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".send-error")).to_contain_text("nothing was sent")
    assert text_of(page) == "x = 'important'\n"


def test_a_text_that_came_back_refused_becomes_the_draft(
    page: Page, owner: User, problem: Problem
) -> None:
    Draft.save_text(owner, problem, "older = 1\n", 0)
    page.goto(URL)
    write(page, "refused = 1\n")
    # As a browser whose scripts failed sends it: no button, so no kind.
    page.evaluate("HTMLFormElement.prototype.submit.call(document.getElementById('code-form'))")
    expect(page.locator(".send-error")).to_contain_text("must say whether")
    assert text_of(page) == "refused = 1\n"
    expect_saved(page)
    page.goto(URL)
    assert text_of(page) == "refused = 1\n"
    assert stored(owner) == "refused = 1\n"


def test_without_javascript_a_plain_form_submits(
    open_browser: OpenBrowser, owner: User, problem: Problem, published: list[Submission]
) -> None:
    page = open_browser(owner, java_script_enabled=False).new_page()
    page.goto(URL)
    page.get_by_role("textbox", name="Your code").fill("plain = 1\n")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(f"**/submissions/{published[0].pk}/")
    assert published[0].source == "plain = 1\n"
    expect(page.get_by_role("heading", name="Source")).to_be_visible()
