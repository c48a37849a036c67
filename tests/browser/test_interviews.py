"""Interviews in a real browser: no drift, no lost words, two people at once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.interviews import follow_ups, running
from app.interviews.models import AskedFollowUp, Interview, InterviewRound, RoundSubmission
from app.practice.models import Problem, Submission
from tests.app.interviews.conftest import (
    MovedClock,
    Plan,
    current,
    interview,
    interviewer,
    plan,
    queued,
    room,
    seat,
    server_clock,
)
from tests.app.practice_data import RIGHT
from tests.browser.conftest import PHONE, OpenBrowser
from tests.browser.editor_page import editor, write
from tests.conftest import make_user

__all__ = ["interview", "interviewer", "plan", "queued", "room", "server_clock"]


@pytest.fixture(autouse=True)
def sockets_that_look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.interviews.consumers.LOOK_INTERVAL_S", 0.2)


def shown_s(page: Page) -> float:
    """Seconds on the page's clock."""
    parts = page.locator(".clock-left").inner_text().split(":")
    return float(sum(int(part) * 60**place for place, part in enumerate(reversed(parts))))


def left_s(made: Interview, clock: MovedClock) -> float:
    deadline = current(made).deadline
    assert deadline is not None
    return (deadline - clock.now()).total_seconds()


def expect_right(page: Page, made: Interview, clock: MovedClock) -> None:
    """Within a second of the server's, at the latest once the page has asked again: 30 s."""
    for _look in range(900):
        if abs(shown_s(page) - left_s(made, clock)) <= 1.0:
            return
        page.wait_for_timeout(50)
    assert abs(shown_s(page) - left_s(made, clock)) <= 1.0


@pytest.fixture
def long_round(plan: Plan, owner: User, server_clock: MovedClock) -> Interview:
    """A round of ninety minutes, running."""
    made = plan()
    made.rounds.update(minutes=90)
    running.start(made, owner)
    return made


@pytest.fixture
def clocked(page: Page, long_round: Interview) -> Page:
    """The round's page in a browser whose own time the test moves."""
    page.clock.install()
    page.goto(long_round.get_absolute_url())
    expect(page.locator(".clock-left")).to_have_text(re.compile(r"1:(29:5\d|30:00)"))
    return page


def test_the_clock_does_not_drift(
    clocked: Page, long_round: Interview, server_clock: MovedClock
) -> None:
    # An hour in a background tab: its timers run late, and never more than once.
    server_clock.forward(hours=1)
    clocked.clock.fast_forward("01:00:00")
    expect_right(clocked, long_round, server_clock)
    assert 29 * 60 < shown_s(clocked) < 31 * 60
    # A browser that counts too fast.
    clocked.clock.fast_forward("00:20:00")
    expect_right(clocked, long_round, server_clock)
    # A local clock that somebody sets: back, and far ahead.
    for hours in (-3, 5):
        clocked.clock.set_system_time(datetime.now() + timedelta(hours=hours))
        clocked.wait_for_timeout(1100)  # the page's own second has to pass
        expect_right(clocked, long_round, server_clock)
    # Asleep the monotonic clock stands still; only the local time has gone on.
    server_clock.forward(minutes=20)
    clocked.clock.set_system_time(datetime.now() + timedelta(hours=5, minutes=20))
    expect_right(clocked, long_round, server_clock)
    assert shown_s(clocked) < 11 * 60


def expect_time_up(page: Page) -> None:
    """The page closes the editor, once an answer about the clock is quick enough to be believed."""
    form = page.locator("#code-form")
    for _look in range(60):
        page.evaluate("dispatchEvent(new Event('focus'))")
        page.wait_for_timeout(250)
        if form.get_attribute("inert") is not None:
            return
    expect(form).to_have_attribute("inert", "")


def test_the_last_words_are_judged_and_the_break_comes_by_itself(
    page: Page,
    room: Interview,
    interviewer: User,
    server_clock: MovedClock,
    queued: list[Submission],
) -> None:
    asked = follow_ups.push(current(room), None, "Why this?", interviewer)
    page.goto(room.get_absolute_url())
    page.get_by_role("textbox", name="Your answer").fill("half an answer")
    server_clock.stop()
    deadline = current(room).deadline
    assert deadline is not None
    server_clock.ahead += deadline - server_clock.now() + timedelta(seconds=1)
    form = page.locator("#code-form")
    expect_time_up(page)
    expect(page.locator(".clock-trouble")).to_contain_text("Time is up")
    # Minutes that are given at the last moment open the editor again.
    running.add_minutes(current(room), 5, interviewer)
    expect(form).not_to_have_attribute("inert", "")
    write(page, RIGHT)
    server_clock.forward(minutes=5)
    expect_time_up(page)
    asked.refresh_from_db()
    assert asked.answer == "half an answer"
    for _look in range(100):
        if current(room).text == RIGHT:
            break
        page.wait_for_timeout(50)
    server_clock.forward(seconds=6)
    expect(page.get_by_role("heading", name="A break")).to_be_visible()
    assert [one.source for one in queued] == [RIGHT]
    assert RoundSubmission.objects.get().is_automatic


def test_pausing_takes_what_was_typed_a_moment_ago(
    page: Page, plan: Plan, owner: User, server_clock: MovedClock
) -> None:
    made = plan(pause_allowed=True)
    running.start(made, owner)
    page.goto(made.get_absolute_url())
    write(page, "x = 'the last words'")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="The clock stands")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(editor(page)).to_contain_text("the last words")


def test_a_follow_up_arrives_while_something_else_is_being_typed(
    open_browser: OpenBrowser, room: Interview, owner: User, interviewer: User
) -> None:
    candidate = open_browser(owner).new_page()
    asking = open_browser(interviewer).new_page()
    candidate.goto(room.get_absolute_url())
    asking.goto(room.get_absolute_url())
    write(candidate, "watched = 1")
    expect(editor(asking)).to_contain_text("watched = 1")
    asking.get_by_label("A question of your own").fill("Why this?")
    asking.get_by_role("button", name="Ask", exact=True).click()
    first = candidate.get_by_role("textbox", name="Your answer")
    first.fill("because of")
    asking.get_by_label("A question of your own").fill("And what else?")
    asking.get_by_role("button", name="Ask", exact=True).click()
    expect(candidate.get_by_text("And what else?")).to_be_visible()
    expect(first.first).to_have_value("because of")
    expect(first.first).to_be_focused()
    candidate.get_by_role("button", name="Answer").first.click()
    expect(asking.get_by_text("because of")).to_be_visible()
    # Finishing takes an answer along that was written and not sent.
    candidate.get_by_role("textbox", name="Your answer").fill("and so on")
    candidate.get_by_role("button", name="Finish this round").click()
    candidate.get_by_role("button", name="Finish", exact=True).click()
    expect(candidate.get_by_role("heading", name="A break")).to_be_visible()
    answers = AskedFollowUp.objects.order_by("pk").values_list("answer", flat=True)
    assert list(answers) == ["because of", "and so on"]


def test_every_page_fits_a_phone_without_complaint(
    open_browser: OpenBrowser,
    room: Interview,
    plan: Plan,
    owner: User,
    interviewer: User,
    problem: Problem,
) -> None:
    over = plan(title="Over", candidate=make_user("over"))
    running.start(over, over.candidate)
    running.end_interview(over, over.candidate)
    question = Interview.objects.create(candidate=make_user("talk"), title="Talk")
    last = room.rounds.get(number=3)
    InterviewRound.objects.create(interview=question, number=1, question=last.question, minutes=10)
    running.start(question, question.candidate)
    between = plan(title="Break", candidate=make_user("break"), with_interviewer=True)
    seat(between, interviewer)
    running.start(between, interviewer)
    running.end_round(current(between), running.EndedBy.CANDIDATE, between.candidate)
    pages = {
        user: open_browser(user, viewport=PHONE).new_page()
        for user in (owner, interviewer, over.candidate, question.candidate, between.candidate)
    }
    complaints: list[str] = []
    for page in pages.values():
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if message.type == "error" else None,
        )
    paths = [
        (owner, "/interviews/"),
        (owner, "/interviews/new/?template=full-loop"),
        (owner, plan(title="Planned").get_absolute_url()),
        (owner, room.get_absolute_url()),
        (interviewer, room.get_absolute_url()),
        (question.candidate, question.get_absolute_url()),
        (between.candidate, between.get_absolute_url()),
        (interviewer, f"{between.get_absolute_url()}?mark=1"),
        (over.candidate, f"/interviews/{over.pk}/debrief/?mark=1"),
    ]
    for user, path in paths:
        page = pages[user]
        page.goto(path, wait_until="load")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{path} is {width} px wide"
    assert complaints == []


def order(page: Page) -> list[str]:
    """The rounds of the set-up, as they stand on the page."""
    return page.locator(".stage-what strong").all_inner_texts()


def test_a_loop_is_put_in_order_by_keyboard_on_one_page(page: Page, problem: Problem) -> None:
    page.goto("/interviews/new/?template=one-evening")
    systems, training = order(page)
    page.evaluate("window.sameDocument = true")
    page.get_by_label("Minutes", exact=True).nth(1).fill("35")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".stage-what strong").first).to_have_text(training)
    expect(page.get_by_label("Minutes", exact=True).first).to_have_value("35")
    expect(page.get_by_role("status")).to_contain_text("is now round 1 of 2")
    expect(page.get_by_role("button", name="Later").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".stage-what strong").first).to_have_text(systems)
    expect(page.get_by_role("button", name="Earlier").nth(1)).to_be_focused()
    page.get_by_label("Another round").select_option("question:motivation")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".stage-what strong")).to_have_count(3)
    page.get_by_label("Minutes", exact=True).nth(2).fill("20")
    page.get_by_label("Minutes of break").fill("10")
    page.get_by_label("Minutes of break").press("Tab")
    expect(page.locator("#set-up-total")).to_contain_text("2 h 5 min")
    assert page.evaluate("window.sameDocument")


def test_a_loop_is_made_without_scripts(
    open_browser: OpenBrowser, owner: User, problem: Problem
) -> None:
    page = open_browser(owner, java_script_enabled=False).new_page()
    page.goto("/interviews/new/")
    for choice in ("round:3", "question:motivation"):
        page.get_by_label("Another round").select_option(choice)
        page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Minutes", exact=True).first.fill("33")
    page.get_by_role("button", name="Later").first.click()
    assert order(page)[0] == "Why this, and why now"
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", name="Your own loop")).to_be_visible()
    made = Interview.objects.get()
    assert list(made.rounds.values_list("minutes", flat=True)) == [15, 33]


def test_two_people_talk_in_the_break_and_go_on_when_both_are_ready(
    open_browser: OpenBrowser, room: Interview, owner: User, interviewer: User
) -> None:
    running.end_round(current(room), running.EndedBy.CANDIDATE, owner)
    candidate, asking = open_browser(owner).new_page(), open_browser(interviewer).new_page()
    for page in (candidate, asking):
        page.goto(room.get_absolute_url())
    candidate.locator("#chat-text").fill("Two minutes, please.")
    candidate.locator("#chat-text").press("Enter")
    expect(asking.get_by_role("log")).to_contain_text("Two minutes, please.")
    candidate.get_by_role("button", name="I am ready").click()
    expect(asking.locator("#people li").first).to_contain_text("Ready")
    asking.get_by_label("A private note").fill("half a thought")
    asking.locator("#chat-text").fill("So let us")
    candidate.locator("#chat-text").fill("and one more thing")
    room.refresh_from_db()
    running.begin_next_round(room, interviewer)
    # The candidate is in the round at once; what the interviewer writes is not torn from them.
    expect(candidate.get_by_role("heading", name="Triple a number")).to_be_visible()
    candidate.get_by_role("button", name="Chat").click()
    expect(candidate.locator("#chat-text")).to_have_value("and one more thing")
    expect(asking.locator(".clock-waits")).to_be_visible()
    expect(asking.get_by_label("A private note")).to_have_value("half a thought")
    asking.get_by_role("button", name="Keep").first.click()
    expect(asking.get_by_role("heading", name="Triple a number")).to_be_visible()
    expect(asking.get_by_text("half a thought")).to_be_visible()
