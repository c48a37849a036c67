"""The live room in two real browsers."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect

from app.accounts.models import User
from app.interviews.models import Interview
from app.interviews.room.desk import desk
from app.practice.models import Submission
from tests.app.interviews.conftest import (
    current,
    interview,
    interviewer,
    plan,
    queued,
    room,
    server_clock,
)
from tests.browser.conftest import OpenBrowser
from tests.browser.editor_page import expect_saved

__all__ = ["interview", "interviewer", "plan", "queued", "room", "server_clock"]


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


def counted_frames(page: Page, sent: list[dict[str, Any]]) -> None:
    """Keep what this page sends over the socket of the text."""

    def opened(socket: WebSocket) -> None:
        if "/rounds/" in socket.url:
            socket.on("framesent", lambda frame: sent.append(json.loads(str(frame))))

    page.on("websocket", opened)


def test_a_burst_of_keys_is_one_message_with_its_cursor(
    open_browser: OpenBrowser, room: Interview, owner: User, interviewer: User
) -> None:
    candidate, asking = (open_browser(one).new_page() for one in (owner, interviewer))
    sent: list[dict[str, Any]] = []
    read: list[dict[str, Any]] = []
    counted_frames(candidate, sent)
    counted_frames(asking, read)
    for page in (candidate, asking):
        page.goto(room.get_absolute_url())
        expect(page.locator(".draft-status")).to_have_attribute("data-state", "saved")
    expect(asking.locator(".room-people")).to_have_text("Here too: olga")
    write_at_the_end(candidate, "\n# ")
    expect_saved(candidate)
    asking.wait_for_timeout(300)  # cursors come to rest
    sent.clear()
    read.clear()
    edits = room.moments.filter(kind="edit")
    before = edits.count()
    words = "forty keys that are pressed very quickly"
    begun = time.monotonic()
    candidate.keyboard.type(words)
    expect(asking.locator("shared-editor .cm-content")).to_contain_text(words)
    expect_saved(candidate)
    spent_s = time.monotonic() - begun
    assert len(words) == 40
    assert all(one["type"] == "write" for one in sent)
    assert len([one for one in sent if one["update"]]) <= 1 + spent_s / 0.05
    assert len(sent) < len(words) / 2, "keys are gathered"
    assert all(one["update"] and one["cursor"] for one in sent), "an edit and its cursor are one"
    assert read == [], "who reads says nothing"
    assert edits.count() - before == len(sent)


def test_a_candidate_alone_writes_live_in_two_tabs_without_company(
    open_browser: OpenBrowser, interview: Interview, owner: User, queued: list[Submission]
) -> None:
    context = open_browser(owner)
    one, other = context.new_page(), context.new_page()
    complaints: list[str] = []
    for page in (one, other):
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.goto(interview.get_absolute_url())
    write_at_the_end(one, "# one")
    expect(other.locator("shared-editor .cm-content")).to_contain_text("# one")
    write_at_the_end(other, " and two")
    expect(one.locator("shared-editor .cm-content")).to_contain_text("# one and two")
    for page in (one, other):
        expect_saved(page)
        expect(page.locator(".room-people")).to_be_empty()
        expect(page.locator(".cm-their-caret")).to_have_count(0)
        expect(page.get_by_role("button", name="Chat")).to_have_count(0)
    # Without its socket the page still sends what stands in the editor, and only once.
    one.evaluate(
        "() => { const { draft } = document.querySelector('shared-editor');"
        " draft.connect = () => {}; draft.socket.close(); }"
    )
    expect(one.locator(".draft-status")).to_have_attribute("data-state", "offline")
    write_at_the_end(one, ", offline")
    one.keyboard.press("Control+Enter")
    expect(one.locator("live-submission")).to_be_visible()
    (run,) = queued
    assert run.source == current(interview).text == editor(one)
    one.evaluate(
        "() => { const { draft } = document.querySelector('shared-editor');"
        " delete draft.connect; draft.connect(); }"
    )
    expect_saved(one)
    expect(other.locator("shared-editor .cm-content")).to_contain_text("two, offline")
    assert editor(one) == editor(other) == current(interview).text == run.source
    assert complaints == []
