"""A round ends at its time, once, and no word is lost, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from app.serving.trial import TrialSite
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.processes.conftest import SOURCE
from tests.processes.tree import command_line, descendants, find, kill, parents, until

pytestmark = pytest.mark.processes


def rows(data_folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Read past the site, from its database."""
    database = f"file:{data_folder / 'gauntlet.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        return connection.execute(query).fetchall()


# As if the round had run: a draft is saved, and the deadline will be over in a moment.
LET_TIME_PASS = """
from datetime import timedelta
from django.utils import timezone
from app.interviews.models import InterviewRound

one = InterviewRound.objects.get(status="running")
one.save_text({text!r}, 0)
deadline = timezone.now() - timedelta(seconds=2)
InterviewRound.objects.filter(pk=one.pk).update(deadline=deadline)
"""
PREPARE = """
import json, sys
from pathlib import Path
from django.conf import settings
from app.accounts.models import User
from app.interviews import running
from app.interviews.management.commands.bench_rooms import session_of
from app.interviews.models import Interview, InterviewRound, Link
from app.practice.models import Problem

people = [User.objects.create_user(name) for name in ("olga", "ivan")]
made = Interview.objects.create(candidate=people[0], title="A room", with_interviewer=True)
version = Problem.objects.get(slug="steady").current_version
text = version.files["reference.py"]
InterviewRound.objects.create(interview=made, number=1, version=version, minutes=30, text=text)
Link.issue(made, Link.Scope.INTERVIEWER)[0].seat(people[1])
running.start(made, people[0])
told = {"url": made.get_absolute_url(), "sessions": [session_of(one) for one in people]}
(Path(settings.DATA_DIR) / "room.json").write_text(json.dumps(told))
"""


class Typist:
    """A person at a real browser, who counts what they type and what was acknowledged."""

    def __init__(self, browser: Browser, address: str, session: str, mark: str) -> None:
        self.context = browser.new_context(base_url=address)
        cookie = {"name": "sessionid", "value": session, "url": address}
        self.context.add_cookies([cookie])  # type: ignore[list-item]
        self.page = self.context.new_page()
        self.mark = mark
        self.typed = self.acknowledged = 0

    def open(self, url: str) -> None:
        """Begin a line of one's own at the end of the text."""
        self.page.goto(url)
        until(lambda: bool(self.draft("isReady")), f"the text at {self.mark}'s")
        self.page.locator("shared-editor .cm-content").click()
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type(f"\n# {self.mark}")
        self.wait_for_acknowledgement()

    def type_on(self) -> None:
        """One numbered word more."""
        self.typed += 1
        self.page.keyboard.type(f" {self.mark}{self.typed}")

    def wait_for_acknowledgement(self) -> None:
        until(lambda: self.draft("isDirty") is False, f"the acknowledgement of {self.mark}'s")
        self.acknowledged = self.typed

    def draft(self, what: str) -> Any:
        return self.page.evaluate(f"document.querySelector('shared-editor')?.draft?.{what}")

    @property
    def text(self) -> str:
        return str(self.page.evaluate("document.querySelector('shared-editor').text"))

    @property
    def line(self) -> str:
        """What stands in the line of this person when all they typed is there."""
        return " ".join([f"# {self.mark}", *(f"{self.mark}{n}" for n in range(1, self.typed + 1))])


def test_two_people_type_on_while_web_worker_and_broker_are_killed(
    start: Callable[[], TrialSite], data_folder: Path
) -> None:
    site = start()
    site.manage("shell", "-c", PREPARE)
    room = json.loads((data_folder / "room.json").read_text())
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or chromium, args=CHROMIUM_FLAGS
        )
        people = [
            Typist(browser, site.address, session, mark)
            for session, mark in zip(room["sessions"], ("olga", "ivan"), strict=True)
        ]
        for person in people:
            person.open(room["url"])
        for part in ("app.serving.web", "celery -A app worker", "valkey-server"):
            for person in people:
                person.type_on()
            killed = find(site.process.pid, part)
            kill(killed)
            until(lambda part=part: is_back(site, part), f"another {part}")  # type: ignore[misc]
            for person in people:
                person.type_on()
                person.type_on()
            # Whoever lost the connection comes back by themselves, and goes on meanwhile.
            for person in people:
                person.wait_for_acknowledgement()
        stored = "SELECT text FROM interviews_interviewround"
        olga, ivan = people
        until(lambda: olga.text == ivan.text == rows(data_folder, stored)[0][0], "one text")
        text = olga.text
        for person in people:
            assert (person.typed, person.acknowledged) == (9, 9)
            assert person.line in text.splitlines()
        # The last word goes along with the button, acknowledged or not.
        olga.type_on()
        olga.page.get_by_role("button", name="Finish this round").click()
        olga.page.get_by_role("button", name="Finish", exact=True).click()
        verdicts = "SELECT verdict FROM practice_submission"
        until(lambda: rows(data_folder, verdicts) == [("AC",)], "the verdict")
        browser.close()
    ((source,),) = rows(data_folder, "SELECT source FROM practice_submission")
    assert rows(data_folder, stored) == [(source,)]
    assert {olga.line, ivan.line} <= set(source.splitlines())
    edits = "SELECT sequence, kind FROM interviews_moment ORDER BY sequence"
    told = rows(data_folder, edits)
    assert [sequence for sequence, _ in told] == list(range(1, len(told) + 1)), "without gaps"


def is_back(site: TrialSite, part: str) -> bool:
    tree = parents()
    return any(part in command_line(pid) for pid in descendants(site.process.pid) if pid in tree)


def test_web_worker_broker_and_sweeper_killed_change_nothing(
    start: Callable[[], TrialSite], data_folder: Path
) -> None:
    site = start()
    with closing(site.visitor()) as visitor:
        form = {
            "stage-0-on": "on",
            "stage-0-what": "round:1",
            "stage-0-problem": "steady",
            "stage-0-minutes": "30",
        }
        address = visitor.post("/interviews/new/", form)
        visitor.post(f"{address}start/", {})
        site.manage("shell", "-c", LET_TIME_PASS.format(text=SOURCE))
        # Nobody looks any more, and every part that could end the round dies before its time.
        for part in ("app.serving.web", "celery -A app worker", "valkey-server", "manage.py sweep"):
            kill(find(site.process.pid, part))
        status = "SELECT status FROM interviews_interview"
        until(lambda: rows(data_folder, status) == [("ended",)], "the end of the interview")
        verdicts = "SELECT verdict FROM practice_submission"
        until(lambda: rows(data_folder, verdicts) == [("AC",)], "the verdict")
        # Nobody has the page open: on a slow machine the candidate has left by now.
        moments = (
            "SELECT kind, payload FROM interviews_moment WHERE kind <> 'left' ORDER BY sequence"
        )
        until(lambda: rows(data_folder, moments)[-1][0] == "verdict", "its place on the timeline")
        debrief = visitor.get(f"{address}debrief/")
    told = rows(data_folder, moments)
    kinds = [kind for kind, _ in told]
    ended = ["sent", "round_ended", "ended", "verdict"]
    assert kinds == ["started", "round_began", "edit", "edit", *ended], "the starter, and the draft"
    assert json.loads(told[4][1])["automatic"] is True
    assert json.loads(told[5][1]) == {"by": "time"}
    assert "Accepted" in debrief
