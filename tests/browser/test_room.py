"""The live room in two real browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.interviews.models import Interview
from app.interviews.room.desk import desk
from tests.app.interviews.conftest import (
    current,
    interviewer,
    plan,
    queued,
    room,
    server_clock,
)
from tests.browser.conftest import OpenBrowser
from tests.browser.editor_page import expect_saved

__all__ = ["interviewer", "plan", "queued", "room", "server_clock"]


@pytest.fixture(autouse=True)
def fresh_documents() -> None:
    desk.forget()


def editor(page: Page) -> str:
    return str(page.evaluate("document.querySelector('shared-editor').text"))


def write_at_the_end(page: Page, words: str) -> None:
    page.locator("shared-editor .cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(words)


def test_two_people_write_one_text_talk_and_survive_a_lost_connection(
    open_browser: OpenBrowser, room: Interview, owner: User, interviewer: User
) -> None:
    complaints: list[str] = []
    contexts = [open_browser(owner), open_browser(interviewer)]
    candidate, asking = pages = [one.new_page() for one in contexts]
    for page in pages:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
        page.goto(room.get_absolute_url())
    write_at_the_end(candidate, "# from olga")
    expect(asking.locator("shared-editor .cm-content")).to_contain_text("# from olga")
    expect(asking.locator(".cm-their-caret.candidate")).to_have_text("olga")
    expect(asking.locator(".room-people")).to_have_text("Here too: olga")
    write_at_the_end(asking, " and ivan")
    expect(candidate.locator("shared-editor .cm-content")).to_contain_text("# from olga and ivan")
    expect_saved(candidate)
    # One undoes one's own words and nobody else's.
    candidate.locator("shared-editor .cm-content").click()
    candidate.keyboard.press("Control+z")
    expect(asking.locator("shared-editor .cm-content")).not_to_contain_text("from olga")
    assert " and ivan" in editor(candidate)
    # Both lose the connection, both go on, and both come back.
    for page in pages:
        page.evaluate(
            "() => { const { draft } = document.querySelector('shared-editor');"
            " draft.connect = () => {}; draft.socket.close(); }"
        )
        expect(page.locator(".draft-status")).to_have_attribute("data-state", "offline")
    write_at_the_end(candidate, "\nalone = 1")
    write_at_the_end(asking, "\nalone = 2")
    for page in pages:
        page.evaluate(
            "() => { const { draft } = document.querySelector('shared-editor');"
            " delete draft.connect; draft.connect(); }"
        )
        expect_saved(page)
    for page in pages:
        expect(page.locator("shared-editor .cm-content")).to_contain_text("alone = 1")
        expect(page.locator("shared-editor .cm-content")).to_contain_text("alone = 2")
    assert editor(candidate) == editor(asking) == current(room).text
    # Chat by keyboard alone.
    asking.get_by_role("button", name="Chat").focus()
    asking.keyboard.press("Enter")
    asking.keyboard.type("Why so?")
    asking.keyboard.press("Enter")
    expect(candidate.get_by_role("button", name="Chat (1)")).to_be_visible()
    candidate.get_by_role("button", name="Chat (1)").click()
    expect(candidate.get_by_role("log")).to_contain_text("Why so?")
    asking.keyboard.press("Escape")
    expect(asking.get_by_role("button", name="Chat")).to_be_focused()
    asking.close()
    expect(candidate.locator(".cm-their-caret")).to_have_count(0)
    assert complaints == []
