"""A submission, live: each event once, whatever happens to tab and socket."""

from __future__ import annotations

from uuid import UUID

from playwright.sync_api import Locator, Page, expect

from app.accounts.models import User
from app.practice.models import Problem, Submission
from graders.verdict import judged
from tests.app.practice_data import accept, broken, passed, reject, send, steps
from tests.browser.conftest import OpenBrowser
from tests.browser.editor_page import URL, text_of, write

RESULTS = [passed(), broken()]


def timeline(page: Page) -> list[int]:
    """The sequence numbers on the page, in the order in which they stand there."""
    numbers: list[int] = page.eval_on_selector_all(
        ".timeline > li", "items => items.map(item => Number(item.dataset.sequence))"
    )
    return numbers


def events(page: Page) -> Locator:
    return page.locator(".timeline > li")


def claimed(submission: Submission) -> UUID:
    token = submission.claim()
    assert token is not None
    return token


def break_the_socket(page: Page) -> None:
    page.evaluate("document.querySelector('live-submission').socket.close()")


def test_the_timeline_grows_by_itself_and_ends_with_the_counterexample(
    page: Page, problem: Problem, published: list[Submission]
) -> None:
    page.goto(URL)
    page.get_by_role("button", name="Submit").click()
    place = page.locator(".queue-place")
    expect(place).to_have_text("Place 1 in the queue")
    [submission] = published
    token = claimed(submission)
    expect(events(page).last).to_contain_text("A worker took it")
    expect(place).to_be_hidden()
    for event in steps(RESULTS):
        submission.record(token, event)
    expect(events(page).last).to_contain_text("Case 2 of 2")
    expect(events(page).last).to_contain_text("Wrong answer")
    submission.finish(token, judged(RESULTS))
    slot = page.locator(".verdict-slot")
    expect(slot).to_contain_text("double(-1) gave 2 instead of -2")
    expect(page.locator(".announcer")).to_contain_text("Wrong answer: The sign must stay")
    expect(slot.get_by_role("button", name="Replay")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(page.locator("#recent .verdict-chip")).to_have_text("Wrong answer")
    assert timeline(page) == list(range(1, 9))


def test_the_place_in_the_queue_moves(
    page: Page, owner: User, stranger: User, problem: Problem
) -> None:
    first, mine = send(stranger, problem), send(owner, problem)
    page.goto(mine.get_absolute_url())
    expect(page.locator(".queue-place")).to_have_text("Place 2 in the queue")
    claimed(first)
    expect(page.locator(".queue-place")).to_have_text("Place 1 in the queue")


def test_each_event_stands_once_after_reloads_and_broken_sockets(
    page: Page, owner: User, problem: Problem
) -> None:
    submission = send(owner, problem)
    asked: list[str] = []
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.goto(URL)
    token = claimed(submission)
    told = steps(RESULTS)
    for number, event in enumerate(told):
        submission.record(token, event)
        if number % 2:
            page.reload()
        else:
            break_the_socket(page)
        expect(events(page)).to_have_count(number + 3)
        # It asks for what it lacks, and not for everything again.
        assert int(asked[-1].split("after=")[1]) >= number + 1
    break_the_socket(page)
    submission.finish(token, judged(RESULTS))
    expect(page.locator(".verdict-slot")).to_contain_text("Wrong answer")
    assert timeline(page) == list(range(1, len(told) + 4))


def test_an_event_told_twice_is_shown_once(page: Page, owner: User, problem: Problem) -> None:
    claimed(send(owner, problem))
    page.goto(URL)
    expect(events(page)).to_have_count(2)
    page.evaluate(
        """() => {
          const live = document.querySelector('live-submission');
          const html = live.timeline.lastElementChild.outerHTML;
          live.take({type: 'event', sequence: 2, kind: 'started', html});
          live.take({type: 'event', sequence: 1, kind: 'queued', html});
        }"""
    )
    assert timeline(page) == [1, 2]


def test_a_second_tab_shows_the_same(page: Page, owner: User, problem: Problem) -> None:
    submission = send(owner, problem)
    page.goto(URL)
    other = page.context.new_page()
    other.goto(submission.get_absolute_url())
    accept(submission)
    for tab in (page, other):
        expect(tab.locator(".verdict-slot")).to_contain_text("Every case holds.")
    assert timeline(page) == timeline(other) == list(range(1, 9))


def test_a_browser_that_slept_through_it_all_catches_up(
    page: Page, owner: User, problem: Problem
) -> None:
    submission = send(owner, problem)
    page.goto(URL)
    expect(page.locator(".queue-place")).to_be_visible()
    page.context.set_offline(True)
    break_the_socket(page)
    expect(page.locator(".connection")).to_contain_text("Connection lost")
    reject(submission)
    page.context.set_offline(False)
    expect(page.locator(".verdict-slot")).to_contain_text("Wrong answer")
    assert timeline(page) == list(range(1, 9))


def test_cancel_while_it_waits_and_while_it_runs(page: Page, owner: User, problem: Problem) -> None:
    for runs in (False, True):
        submission = send(owner, problem)
        if runs:
            claimed(submission)
        page.goto(URL)
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".verdict-slot")).to_contain_text("does not count")
        submission.refresh_from_db()
        assert submission.status == Submission.Status.CANCELLED


def test_a_rejudged_submission_comes_alive_again(page: Page, owner: User, problem: Problem) -> None:
    submission = accept(send(owner, problem))
    page.goto(submission.get_absolute_url())
    expect(page.locator(".verdict-slot")).to_contain_text("Every case holds.")
    assert submission.rejudge()
    page.reload()
    expect(page.locator(".verdict-slot")).to_be_empty()
    expect(page.locator(".queue-place")).to_be_visible()
    submission.refresh_from_db()
    reject(submission)
    expect(page.locator(".verdict-slot")).to_contain_text("Wrong answer")


def test_a_replay_sends_the_code_in_the_editor_against_the_counterexample(
    page: Page, owner: User, problem: Problem, published: list[Submission]
) -> None:
    rejected = reject(send(owner, problem))
    page.goto(URL)
    write(page, "repaired = True\n")
    page.get_by_role("button", name="Replay with the code in the editor").click()
    expect(page.locator("#panel .panel-title")).to_contain_text("Replay")
    [again] = published
    assert (again.kind, again.source) == ("replay", "repaired = True\n")
    assert again.replay == rejected.report["counterexample"]["replay"]  # type: ignore[index,call-overload]
    assert text_of(page) == "repaired = True\n"


def test_a_programs_own_output_is_shown_after_a_run(
    page: Page, owner: User, problem: Problem
) -> None:
    submission = send(owner, problem, kind=Submission.Kind.RUN)
    page.goto(URL)
    token = claimed(submission)
    loud = passed(output="hello <b>there</b>\n", output_truncated=True)
    submission.finish(token, judged([loud]))
    output = page.locator(".output")
    expect(output).to_have_text("hello <b>there</b>")
    expect(output).to_be_visible()
    expect(page.locator(".cut")).to_be_visible()


def test_a_stranger_cannot_watch(
    open_browser: OpenBrowser, owner: User, stranger: User, problem: Problem
) -> None:
    submission = send(owner, problem)
    page = open_browser(stranger).new_page()
    page.goto("/")
    code = page.evaluate(
        """address => new Promise(resolve => {
          const socket = new WebSocket(address);
          socket.onmessage = () => resolve('told something');
          socket.onclose = event => resolve(event.code);
        })""",
        f"/ws/submissions/{submission.pk}/",
    )
    assert code == 4404
