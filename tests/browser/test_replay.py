"""The replay in a real browser: exact at every moment, by click, by key, by link, and played."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, InterviewRound, Link, Moment
from app.interviews.room.documents import text_at
from app.practice.models import Submission
from graders.answers import read, written
from tests.app.interviews.conftest import (
    MovedClock,
    current,
    interviewer,
    interviewer_client,
    plan,
    queued,
    room,
    server_clock,
)
from tests.app.interviews.replay.conftest import played
from tests.app.interviews.replay.played import DRAFTS, NOTE, write
from tests.app.practice_data import reject, version_of
from tests.app.trace_data import trace_problem
from tests.app.worksheet_data import worksheet
from tests.browser.conftest import PHONE, OpenBrowser
from tests.browser.editor_page import expect_saved

__all__ = ["interviewer", "interviewer_client", "plan", "played", "queued", "room", "server_clock"]

PLAYER = "document.querySelector('replay-player')"
# Of the round that is shown: the number of its last edit, and the text.
SHOWN = f"""(() => {{
  const {{ recording, at, code }} = {PLAYER};
  const round = recording.roundAt(at);
  const {{ sequences }} = round.track;
  const count = recording.editsAt(round, at);
  return {{
    round: round.number,
    sequence: sequences[count - 1],
    text: code.view.state.doc.toString(),
  }};
}})()"""


def watch(page: Page) -> list[str]:
    """What the page complains of."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
    return complaints


def until(page: Page, condition: str) -> None:
    """Wait for the page; its policy forbids what Playwright would do for this."""
    for _look in range(400):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never came true: {condition}")


def opened(page: Page, address: str) -> Page:
    """The replay, with every edit of every round there."""
    page.goto(address)
    until(
        page,
        f"[...({PLAYER}.recording?.rounds.values() ?? [])].length > 0"
        f" && [...{PLAYER}.recording.rounds.values()].every(({{ track }}) => track.isWhole)",
    )
    return page


def shown(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(SHOWN)
    return found


def expect_exact(page: Page, played: Interview) -> dict[str, Any]:
    """What stands there is what stood there."""
    found = shown(page)
    one = played.rounds.get(number=found["round"])
    assert found["text"] == text_at(one, found["sequence"])
    return found


@pytest.fixture
def address(played: Interview) -> str:
    return f"{played.get_absolute_url()}replay/"


def test_what_two_people_typed_in_the_room_is_replayed_exactly(
    open_browser: OpenBrowser, room: Interview, owner: User, interviewer: User
) -> None:
    pages = [open_browser(one).new_page() for one in (owner, interviewer)]
    complaints = [watch(page) for page in pages]
    for page, words in zip(pages, ("# olga 😀", "# ivan 𝛼"), strict=True):
        page.goto(room.get_absolute_url())
        page.locator("shared-editor .cm-content").click()
        page.keyboard.press("Control+Home")
        for _line in range(2):
            page.keyboard.type(words)
            page.keyboard.press("Enter")
            expect_saved(page)
    reject(running.send(current(room), Submission.Kind.SUBMIT, current(room).text, owner))
    running.settle(room)
    running.end_interview(room, owner)
    replayed = opened(pages[0], f"{room.get_absolute_url()}replay/")
    one = room.rounds.get(number=1)
    edits = one.moments.filter(kind=Moment.Kind.EDIT).order_by("sequence")
    assert edits.count() >= 5
    seen = set()
    replayed.keyboard.press("End")
    for _edit in range(edits.count() + 2):
        seen.add(expect_exact(replayed, room)["sequence"])
        replayed.keyboard.press(",")
    assert seen == {edit.sequence for edit in edits}
    assert "# ivan 𝛼" in text_at(one, max(seen))
    sent = room.moments.filter(kind="sent").order_by("sequence").first()
    assert sent is not None
    replayed.goto(f"{room.get_absolute_url()}replay/?moment={sent.sequence}")
    until(replayed, f"{PLAYER}.code?.view")
    assert expect_exact(replayed, room)["text"] == one.text
    assert complaints == [[], []]


def test_a_jump_by_mark_by_list_by_key_and_by_link(
    open_browser: OpenBrowser, played: Interview, address: str, owner: User
) -> None:
    page = open_browser(owner).new_page()
    complaints = watch(page)
    opened(page, address)
    first = expect_exact(page, played)
    assert first["text"].startswith("def double")
    verdict = played.moments.filter(kind="verdict").order_by("sequence").first()
    assert verdict is not None
    # By a mark of the scrubber: the refusal, with its counterexample as the round showed it.
    page.locator(f'.replay-marks [data-sequence="{verdict.sequence}"]').click()
    assert expect_exact(page, played)["text"] == DRAFTS[3]
    expect(page.locator(".replay-verdict")).to_contain_text("sign must stay")
    expect(page.locator(".replay-moment [aria-current]")).to_contain_text("Wrong answer")
    expect(page.locator(".cm-their-caret.candidate")).to_have_text("olga")
    # Before it was reached it is not known.
    page.keyboard.press("[")
    expect(page.locator(".replay-judging")).to_be_visible()
    expect(page.locator(".replay-verdict")).to_be_empty()
    expect(page.locator(".replay-announcer")).to_contain_text("Sent to the judge: Submit")
    page.keyboard.press("k")
    expect(page.locator(".replay-no-result")).to_be_visible()
    expect(page.locator(".replay-announcer")).to_contain_text("And below zero?")
    # What was said is there as of then, and no sooner.
    page.get_by_role("tab", name="Said").click()
    expect(page.get_by_text("And below zero?").first).to_be_visible()
    expect(page.locator(".said", has_text="Add it to itself.")).to_be_hidden()
    # By the list.
    page.locator(".replay-moment", has_text="The same, exactly.").locator("a").click()
    expect(page.locator(".said", has_text="Add it to itself.")).to_be_visible()
    expect_exact(page, played)
    # By the slider's own keys.
    slider = page.get_by_role("slider", name="Time of the interview")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "0:00, round 1: Double a number")
    for _step in range(2):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "20")
    assert expect_exact(page, played)["text"] == DRAFTS[1]
    expect(page.locator(".cm-their-caret.interviewer")).to_have_text("ivan")
    # By links: to a moment, to a time, and to a moment of this very page.
    link = page.evaluate(f"{PLAYER}.link")
    assert link.endswith("replay/?at=20.000")
    opened(page, link)
    assert expect_exact(page, played)["text"] == DRAFTS[1]
    opened(page, f"{address}?moment={verdict.sequence}")
    assert expect_exact(page, played)["text"] == DRAFTS[3]
    assert page.evaluate(f"{PLAYER}.link").endswith(f"replay/?moment={verdict.sequence}")
    began = played.moments.filter(kind="round_began").order_by("sequence").last()
    assert began is not None
    page.evaluate(f"location.hash = '#moment-{began.sequence}'")
    expect(page.locator("#replay-round")).to_have_text("2 · Triple a number")
    assert complaints == []


def test_played_at_16_times_it_arrives_at_the_end(
    open_browser: OpenBrowser, played: Interview, address: str, owner: User
) -> None:
    page = opened(open_browser(owner).new_page(), address)
    complaints = watch(page)
    page.get_by_role("button", name="16×").click()
    page.keyboard.press("Space")  # plays: the button that was clicked has not kept the focus
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    announced = page.locator(".replay-announcer").inner_text()
    # Ten minutes of break are not waited for.
    until(page, f"!{PLAYER}.isPlaying")
    assert page.evaluate(f"{PLAYER}.at.ms === {PLAYER}.recording.endMs")
    assert expect_exact(page, played)["text"] == "def triple(number):\n"
    expect(page.locator(".replay-moment.future")).to_have_count(0)
    expect(page.locator(".replay-announcer")).to_contain_text("at the end of the round")
    assert announced == "", "nothing is said at 16 times the speed until it stops"
    assert complaints == []


def test_silence_is_skipped_only_if_wanted(
    open_browser: OpenBrowser, played: Interview, address: str, owner: User
) -> None:
    page = opened(open_browser(owner).new_page(), f"{address}?at=29")
    before = page.evaluate(f"{PLAYER}.recording.nextTime(29500)")
    assert before - 29500 > 10_000
    for skips in (True, False):
        page.get_by_label("Skip silence").set_checked(skips)
        page.evaluate(f"{PLAYER}.jump({{ ms: 29500, sequence: Infinity }}); {PLAYER}.advance(16)")
        assert (page.evaluate(f"{PLAYER}.at.ms") >= before - 1000) is skips


def test_a_private_note_is_the_interviewers(
    open_browser: OpenBrowser,
    played: Interview,
    address: str,
    owner: User,
    interviewer: User,
) -> None:
    for person, sees in ((owner, 0), (interviewer, 1)):
        page = opened(open_browser(person).new_page(), address)
        page.locator("body").press("End")
        expect(page.locator(".replay-moments").get_by_text(NOTE)).to_have_count(sees)
        expect(page.locator('.replay-marks [data-kind="note"]')).to_have_count(sees)


def test_a_phone_has_it_all_by_the_shared_link(
    open_browser: OpenBrowser, played: Interview
) -> None:
    _link, token = Link.issue(played, Link.Scope.DEBRIEF)
    page = open_browser(None, viewport=PHONE, color_scheme="dark").new_page()
    complaints = watch(page)
    verdict = played.moments.filter(kind="verdict").order_by("sequence").first()
    assert verdict is not None
    opened(page, f"/interviews/shared/{token}/replay/?moment={verdict.sequence}")
    expect(page.locator(".replay-code .cm-content")).to_contain_text("abs(2 * number)")
    expect(page.locator(".replay-verdict")).to_be_hidden()
    page.get_by_role("tab", name="Result").click()
    expect(page.locator(".replay-verdict")).to_contain_text("sign must stay")
    expect(page.locator(".replay-code")).to_be_hidden()
    page.get_by_role("tab", name="Moments").click()
    page.locator(".replay-moment", has_text="Interview started").locator("a").click()
    page.get_by_role("tab", name="Said").click()
    expect(page.get_by_text("And below zero?").first).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.get_by_role("button", name="Play", exact=True).is_visible()
    page.get_by_role("tab", name="Problem").click()
    expect(page.locator(".replay-problem .katex").first).to_be_visible()
    # A browser that keeps the clipboard to itself shows the link.
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_label("Link to this moment")
    expect(link).to_have_value(re.compile(rf"/interviews/shared/{token}/replay/\?moment=1$"))
    assert complaints == []


def test_answers_are_replayed_in_their_form(
    open_browser: OpenBrowser, owner: User, queued: list[Submission], server_clock: MovedClock
) -> None:
    made = Interview.objects.create(candidate=owner, title="Forms", break_minutes=0)
    versions = [version_of(problem) for problem in (worksheet(), trace_problem())]
    for number, version in enumerate(versions, start=1):
        InterviewRound.objects.create(
            interview=made, number=number, version=version, minutes=30, text=version.starter
        )
    running.start(made, owner)
    empty = read(versions[0].starter)
    for answers in (
        [empty | {"megatron": given} for given in ("8", "80 GB")],
        [{"cause": "", "span": span, "measurement": ""} for span in ("2", "3")],
    ):
        for answer in answers:
            server_clock.forward(seconds=10)
            write(current(made), written(answer), owner)
        running.end_round(current(made), InterviewRound.EndedBy.CANDIDATE, owner)
    page = open_browser(owner).new_page()
    complaints = watch(page)
    opened(page, f"{made.get_absolute_url()}replay/?at=10.5")
    field = page.locator('.replay-form [data-field="megatron"]')
    expect(field.locator("input")).to_have_value("8")
    expect(field).to_have_class(re.compile("just-answered"))
    expect(field.locator("input")).to_be_disabled()
    page.locator("body").press(".")
    expect(field.locator("input")).to_have_value("80 GB")
    page.locator("body").press("Home")
    expect(field.locator("input")).to_have_value("")
    page.locator(".replay-moment", has_text="Round ended").last.locator("a").click()
    expect(page.locator('.replay-form [data-field="span"] .trace-answer')).to_contain_text("3: ")
    assert complaints == []
