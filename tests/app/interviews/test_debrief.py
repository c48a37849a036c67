"""The debrief tells what happened: verdicts of the judge, levels that people saw, time, moments."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, Mark, Moment
from app.interviews.time_use import time_use
from app.practice.models import ProblemVersion, Submission
from tests.app.interviews.conftest import MovedClock, Plan, current, seat
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
    assert data["rounds"][0]["is_judging"]
    assert not [step for step in data["practise_next"] if step["round"] == 1]
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


def verdicts(interview: Interview) -> list[dict[str, Any]]:
    told = interview.moments.filter(kind=Moment.Kind.VERDICT).order_by("sequence")
    return [
        {key: moment.payload.get(key) for key in ("verdict", "rejudged", "before")}
        for moment in told
    ]


def test_a_rejudge_by_an_admin_is_told_beside_the_verdict_that_was_given(
    owner_client: Client, over: Interview, queued: list[Submission]
) -> None:
    sent = Submission.objects.get()
    assert sent.rejudge()
    assert data_of(owner_client, over)["rounds"][0]["is_judging"]
    sent.refresh_from_db()
    accept(sent)
    told = data_of(owner_client, over)
    first = {"verdict": "WA", "rejudged": None, "before": None}
    again = {"verdict": "AC", "rejudged": True, "before": "WA"}
    assert verdicts(over) == [first, again]
    result = told["rounds"][0]["result"]
    assert (result["verdict"], [past["verdict"] for past in result["former"]]) == ("AC", ["WA"])
    page = owner_client.get(f"/interviews/{over.pk}/debrief/").content.decode()
    assert "judged again since; before: Wrong answer" in page
    assert "Submit: Accepted, judged again; before: Wrong answer" in page


def test_another_versions_verdict_is_told_too_and_without_any_signal_the_sweeper_finds_it(
    over: Interview, version: ProblemVersion
) -> None:
    sent = Submission.objects.get()
    assert sent.take_verdict(version, "AC", 1.0, {"verdict": "AC", "score": 1.0, "cases": []})
    assert running.sweep() == 1
    assert [one["verdict"] for one in verdicts(over)] == ["WA", "AC"]
    assert running.sweep() == 0
    assert len(verdicts(over)) == 2


def test_a_rejudge_that_changes_nothing_is_no_moment(
    over: Interview, queued: list[Submission]
) -> None:
    sent = Submission.objects.get()
    sent.rejudge()
    sent.refresh_from_db()
    reject(sent)
    running.sweep()
    assert len(verdicts(over)) == 1


def test_a_rejudge_long_after_does_not_lengthen_the_interview(
    owner_client: Client, over: Interview, server_clock: MovedClock
) -> None:
    sent = Submission.objects.get()
    sent.rejudge()
    sent.refresh_from_db()
    accept(sent)
    Submission.objects.update(finished_at=server_clock.now() + timedelta(days=9))
    timeline = data_of(owner_client, over)["timeline"]
    assert timeline[-1]["payload"]["rejudged"]
    assert timeline[-1]["offset_s"] <= 12 * 60 + 5


def test_what_came_when_is_counted_on_the_rounds_own_clock(
    plan: Plan, owner: User, owner_client: Client, server_clock: MovedClock
) -> None:
    made = plan(pause_allowed=True)
    server_clock.stop()
    running.start(made, owner)
    server_clock.forward(minutes=4)
    running.pause(made, owner)
    server_clock.forward(hours=3)
    assert running.resume(running.settle(made), owner)
    server_clock.forward(minutes=1)
    for minutes, kind, judge in ((0, "run", reject), (5, "submit", reject), (3, "submit", accept)):
        server_clock.forward(minutes=minutes)
        sent = running.send(current(made), Submission.Kind(kind), RIGHT, owner)
        Submission.objects.filter(pk=sent.pk).update(created_at=server_clock.now())
        judge(sent)
        running.settle(made)
    running.end_interview(made, owner)
    told = data_of(owner_client, made)
    first = told["rounds"][0]
    assert {key: first["firsts"][key] for key in ("run_s", "submit_s", "accepted_s")} == {
        "run_s": 5 * 60,
        "submit_s": 10 * 60,
        "accepted_s": 13 * 60,
    }
    assert [sent["after_s"] for sent in first["submissions"]] == [300, 600, 780]
    assert (first["used_s"], first["paused_s"]) == (13 * 60, 3 * 3600)
    assert (first["result"]["cases_passed"], first["result"]["cases"]) == (2, 2)
    assert told["summary"] == {
        "rounds": 3,
        "sat": 1,
        "problems": 1,
        "accepted": 1,
        "being_judged": 0,
        "nothing_submitted": 0,
        "time_was_up": 0,
        "hints": 0,
        "asked": 1,
        "answered": 0,
        "used_s": 13 * 60,
        "planned_s": 70 * 60,
    }


def test_the_counterexample_is_drawn_and_nothing_in_it_can_be_replayed_elsewhere(
    owner_client: Client, over: Interview
) -> None:
    result = data_of(owner_client, over)["rounds"][0]["result"]
    assert set(result["counterexample"]) == {"kind", "summary", "data"}
    page = owner_client.get(f"/interviews/{over.pk}/debrief/").content.decode()
    assert "The smallest counterexample" in page
    assert "Got number" in page, "its data is on the page"
    assert "<button" not in page.split("debrief-counterexample")[1].split("</details>")[0]


def test_an_address_is_advised_once_with_all_its_reasons(
    owner_client: Client, interviewer_client: Client, over: Interview
) -> None:
    interviewer_client.post(f"/interviews/{over.pk}/rounds/1/marks/", {"level-0": "0"})
    owner_client.get("/problems/triple/")  # nothing new of the round is left
    steps = data_of(owner_client, over)["practise_next"]
    urls = [step["url"] for step in steps]
    assert len(urls) == len(set(urls))
    assert urls[-1] == f"/interviews/new/?template=left:{over.pk}"
    assert "2 rounds of this loop were not sat" in steps[-1]["why"]


def test_earlier_rounds_of_the_kind_are_for_the_candidate_alone(
    plan: Plan,
    owner: User,
    over: Interview,
    owner_client: Client,
    interviewer_client: Client,
    server_clock: MovedClock,
) -> None:
    server_clock.forward(days=1)
    again = plan(title="Again", with_interviewer=True)
    seat(again, User.objects.get(username="ivan"))
    running.start(again, owner)
    running.end_interview(again, owner)
    url = f"/interviews/{again.pk}/debrief/"
    before = owner_client.get(url).context["earlier"][1]
    assert [(past["interview"], past["accepted"]) for past in before] == [(over, False)]
    assert over.get_absolute_url() in owner_client.get(url).content.decode()
    assert over.get_absolute_url() not in interviewer_client.get(url).content.decode()
    assert owner_client.get(f"/interviews/{over.pk}/debrief/").context["earlier"] == {1: []}
