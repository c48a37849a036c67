"""The debrief tells what happened: verdicts of the judge, levels that people saw, time, moments."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, Mark, Moment
from app.interviews.time_use import time_use
from app.practice.models import ProblemVersion, Submission
from tests.app.interviews.conftest import MovedClock, current
from tests.app.practice_data import RIGHT, accept, reject

pytestmark = pytest.mark.django_db

RUBRIC = [{"criterion": "Signs", "levels": ["forgets them", "sees them", "proves them"]}]


@pytest.fixture
def over(
    room: Interview, owner: User, version: ProblemVersion, server_clock: MovedClock
) -> Interview:
    """Ended after its first round: a rejected submit, 12 of 30 minutes, a note."""
    ProblemVersion.objects.filter(pk=version.pk).update(
        spec_json={**version.spec_json, "rubric": RUBRIC}
    )
    reject(running.send(current(room), Submission.Kind.SUBMIT, "wrong", owner))
    running.settle(room)
    room.record(Moment.Kind.NOTE, {"text": "private"}, interview_round=current(room))
    server_clock.forward(minutes=12)
    running.end_interview(room, owner)
    room.refresh_from_db()
    return room


def data_of(client: Client, interview: Interview) -> dict[str, Any]:
    answer = client.get(f"/interviews/{interview.pk}/debrief.json")
    assert answer.status_code == 200
    data: dict[str, Any] = answer.json()
    return data


def test_a_round_tells_its_result_in_the_judges_words_and_its_time(
    owner_client: Client, over: Interview
) -> None:
    first, second, _third = data_of(owner_client, over)["rounds"]
    assert first["result"]["verdict"] == "WA"
    assert "sign must stay" in first["result"]["message"]
    assert first["result"]["breaks"] == "a forgotten sign"
    assert (first["planned_s"], first["ended_by"]) == (1800, "candidate")
    assert abs(first["used_s"] - 12 * 60) <= 5
    assert (second["was_sat"], second["title"], second["used_s"]) == (False, "", 0)


def test_the_best_submit_counts_and_runs_do_not(
    owner_client: Client, room: Interview, owner: User
) -> None:
    for kind, judge in (("submit", accept), ("submit", reject), ("run", reject)):
        judge(running.send(current(room), Submission.Kind(kind), RIGHT, owner))
    running.end_interview(room, owner)
    told = data_of(owner_client, room)["rounds"][0]
    assert told["result"]["verdict"] == "AC"
    assert [one["kind"] for one in told["submissions"]] == ["submit", "submit", "run"]


def test_a_verdict_that_is_still_to_come_is_no_failure(
    owner_client: Client, room: Interview, owner: User
) -> None:
    running.send(current(room), Submission.Kind.SUBMIT, RIGHT, owner)
    running.end_interview(room, owner)
    data = data_of(owner_client, room)
    assert (data["rounds"][0]["is_judging"], data["practise_next"]) == (True, [])
    page = owner_client.get(f"/interviews/{room.pk}/debrief/").content.decode()
    assert "Being judged" in page


def test_there_is_no_score_of_ours(owner_client: Client, over: Interview) -> None:
    data = data_of(owner_client, over)
    assert "score" not in {*data, *data["rounds"][0]}


def test_levels_come_from_people_with_the_moments_that_show_them(
    owner_client: Client, interviewer_client: Client, over: Interview
) -> None:
    url = f"/interviews/{over.pk}/rounds/1/marks/"
    verdict = over.moments.get(kind=Moment.Kind.VERDICT)
    note = over.moments.get(kind=Moment.Kind.NOTE)
    form = {
        "level-0": "0",
        "comment-0": "took magnitudes",
        "evidence-0": [str(verdict.sequence), str(note.sequence), "999", "x"],
        "feedback": "Draw the number line.",
    }
    interviewer_client.post(url, form)
    owner_client.post(url, {"level-0": "1"})
    told = data_of(owner_client, over)["rounds"][0]
    (line,) = told["rubric"]
    assert [(mark["author"], mark["role"], mark["level"]) for mark in line["marks"]] == [
        ("ivan", "interviewer", 0),
        ("olga", "candidate", 1),
    ]
    assert line["marks"][0]["evidence"] == [verdict.sequence], "a private note is no evidence"
    assert told["feedback"] == [
        {"author": "ivan", "role": "interviewer", "text": "Draw the number line."}
    ]
    page = owner_client.get(f"/interviews/{over.pk}/debrief/").content.decode()
    assert f'href="/interviews/{over.pk}/replay/?moment={verdict.sequence}"' in page
    assert f'id="moment-{verdict.sequence}"' in page
    interviewer_client.post(url, {"level-0": ""})
    assert not Mark.objects.filter(author__username="ivan").exists(), "not seen is no level"


@pytest.mark.parametrize("level", ["3", "-1", "high"])
def test_a_level_that_the_rubric_does_not_have_is_none(
    interviewer_client: Client, over: Interview, level: str
) -> None:
    interviewer_client.post(f"/interviews/{over.pk}/rounds/1/marks/", {"level-0": level})
    assert not Mark.objects.exists()


def test_a_candidate_judges_themselves_only_afterwards(
    owner_client: Client, interviewer_client: Client, room: Interview, version: ProblemVersion
) -> None:
    ProblemVersion.objects.filter(pk=version.pk).update(
        spec_json={**version.spec_json, "rubric": RUBRIC}
    )
    url = f"/interviews/{room.pk}/rounds/1/marks/"
    owner_client.post(url, {"level-0": "2"})
    assert not Mark.objects.exists()
    interviewer_client.post(url, {"level-0": "2"})
    assert Mark.objects.get().author.get_username() == "ivan"


def test_words_about_the_whole_are_kept_changed_and_taken_back(
    owner_client: Client, interviewer_client: Client, over: Interview
) -> None:
    url = f"/interviews/{over.pk}/feedback/"
    interviewer_client.post(url, {"text": "Good."})
    interviewer_client.post(url, {"text": "Very good."})
    assert [one["text"] for one in data_of(owner_client, over)["feedback"]] == ["Very good."]
    interviewer_client.post(url, {"text": " "})
    assert data_of(owner_client, over)["feedback"] == []


def test_what_to_practise_begins_with_what_went_wrong(
    owner_client: Client, interviewer_client: Client, over: Interview
) -> None:
    interviewer_client.post(f"/interviews/{over.pk}/rounds/1/marks/", {"level-0": "1"})
    steps = data_of(owner_client, over)["practise_next"]
    assert steps[0]["url"] == "/problems/double/"
    assert "a forgotten sign" in steps[0]["why"]
    assert "proves them" in steps[1]["why"]
    assert steps[1]["url"] == "/problems/triple/", "another one of the round, new to them"


def test_the_timeline_is_in_the_order_of_the_servers_time(
    owner_client: Client, over: Interview
) -> None:
    timeline = data_of(owner_client, over)["timeline"]
    offsets = [moment["offset_s"] for moment in timeline]
    assert offsets == sorted(offsets)
    assert {"note", "edit"}.isdisjoint(moment["kind"] for moment in timeline)
    assert [timeline[0]["kind"], timeline[-1]["kind"]] == ["started", "ended"]


def test_everything_is_escaped(
    owner_client: Client, interviewer_client: Client, over: Interview
) -> None:
    attack = "<script>alert(1)</script>"
    interviewer_client.post(f"/interviews/{over.pk}/feedback/", {"text": attack})
    form = {"level-0": "1", "comment-0": attack, "feedback": attack}
    interviewer_client.post(f"/interviews/{over.pk}/rounds/1/marks/", form)
    page = owner_client.get(f"/interviews/{over.pk}/debrief/").content.decode()
    assert attack not in page
    assert page.count("&lt;script&gt;alert(1)") == 3


def test_no_page_of_interviews_has_a_script_or_a_style_inside(
    owner_client: Client, interviewer_client: Client, room: Interview, owner: User
) -> None:
    paths = ["/interviews/", "/interviews/new/?template=full-loop", room.get_absolute_url()]
    pages = [owner_client.get(path) for path in paths]
    pages.append(interviewer_client.get(room.get_absolute_url()))
    running.end_interview(room, owner)
    pages += [
        owner_client.get(f"/interviews/{room.pk}/debrief/{query}") for query in ("", "?mark=1")
    ]
    for answer in pages:
        assert answer.status_code == 200
        page = answer.content.decode()
        scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page)
        assert all('type="application/json"' in attributes for attributes in scripts)
        assert not re.search(
            r"<style|\sstyle=|\son\w+=", page.split("<main", 1)[1].split("katex")[0]
        )


def test_the_drawing_has_one_scale_for_plan_and_use() -> None:
    rounds = [
        {"number": 1, "title": "a", "planned_s": 1800, "added_s": 600, "used_s": 2400},
        {"number": 2, "title": "b", "planned_s": 1200, "added_s": 0, "used_s": 300},
    ]
    drawn = time_use([{**one, "was_sat": True} for one in rounds])
    first, second = drawn["bars"]
    assert first["allowed"] == first["used"] == drawn["width"], "the longest fills the width"
    assert first["planned"] == pytest.approx(0.75 * drawn["width"])
    assert second["used"] == pytest.approx(drawn["width"] / 8)
    assert [tick["minutes"] for tick in drawn["ticks"]] == [0, 10, 20, 30, 40]
