"""A running round: its page, its text, what is sent from it, and the closed books beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, InterviewRound, Moment, RoundSubmission
from app.practice.models import Attempt, Problem, ProblemVersion, Submission
from graders.answers import fill
from problems.package import SHIPPED, read_package
from tests.app.interviews.conftest import MovedClock, Plan, current
from tests.app.practice_data import RIGHT, reject, version_of
from tests.app.worksheet_data import judged, worksheet

pytestmark = pytest.mark.django_db

FETCH: dict[str, Any] = {"headers": {"X-Requested-With": "fetch"}}


def address(interview: Interview, tail: str, number: int = 1) -> str:
    return f"/interviews/{interview.pk}/rounds/{number}/{tail}/"


def put(client: Client, url: str, text: str, base: int) -> Any:
    body = json.dumps({"text": text, "base_revision": base})
    return client.put(url, body, content_type="application/json")


def test_the_round_is_a_workbench_with_the_rounds_own_addresses(
    owner_client: Client, interview: Interview
) -> None:
    page = owner_client.get(interview.get_absolute_url()).content.decode()
    assert "Double a number" in page
    assert f'data-address="/ws/interviews/{interview.pk}/rounds/1/"' in page
    assert f'action="{address(interview, "submit")}"' in page
    assert "/problems/double/" not in page, "no way out to practice"
    assert "And for floats?" not in page, "follow-ups are not for the candidate"
    assert "Add it to itself" not in page, "hints are shown when they are asked for"


def test_a_question_has_notes_and_nothing_to_run(
    owner_client: Client, interview: Interview, owner: User, server_clock: MovedClock
) -> None:
    for _round in range(2):
        running.end_round(current(interview), running.EndedBy.CANDIDATE, owner)
        running.begin_next_round(interview, owner)
    page = owner_client.get(interview.get_absolute_url()).content.decode()
    assert "Tell a story." in page
    assert "one system" not in page, "what a good answer holds is not for the candidate"
    saved = put(owner_client, address(interview, "draft", 3), "I would say", 0)
    assert saved.json() == {"revision": 1}
    assert owner_client.post(address(interview, "submit", 3), {"kind": "run"}).status_code == 404


def test_the_draft_is_the_rounds_own(
    owner_client: Client, interview: Interview, problem: Problem
) -> None:
    url = address(interview, "draft")
    assert put(owner_client, url, "one", 0).json() == {"revision": 1}
    assert owner_client.get(url).json() == {"text": "one", "revision": 1}
    stale = put(owner_client, url, "two", 0)
    assert (stale.status_code, stale.json()) == (409, {"text": "one", "revision": 1})
    assert put(owner_client, url, "nul \0", 1).status_code == 400
    assert put(owner_client, url, "x" * 65 * 1024, 1).status_code == 413
    assert not problem.draft_set.exists()


def test_a_text_after_the_end_is_refused_and_not_kept(
    owner_client: Client, interview: Interview, server_clock: MovedClock
) -> None:
    url = address(interview, "draft")
    server_clock.forward(minutes=30, seconds=4)
    assert put(owner_client, url, "in the grace", 0).status_code == 200
    server_clock.forward(seconds=2)
    late = put(owner_client, url, "too late", 1)
    assert (late.status_code, "while it runs" in late.json()["error"]) == (423, True)
    assert interview.rounds.get(number=1).text == "in the grace"


def test_a_submission_is_judged_as_in_practice_and_belongs_to_the_round(
    owner_client: Client, interview: Interview, owner: User, queued: list[Submission]
) -> None:
    answer = owner_client.post(
        address(interview, "submit"), {"source": RIGHT, "kind": "submit"}, **FETCH
    )
    assert answer.status_code == 201
    (sent,) = queued
    assert (sent.user, sent.source, sent.kind) == (owner, RIGHT, "submit")
    assert sent.round_submission.interview_round == current(interview)
    verdict_url = address(interview, f"verdicts/{sent.pk}")
    assert f'data-verdict-url="{verdict_url}"' in answer.content.decode()
    moment = interview.moments.get(kind=Moment.Kind.SENT)
    assert moment.payload == {"submission": str(sent.pk), "kind": "submit", "automatic": False}


def test_a_submission_posted_before_the_deadline_counts_a_little_after_it(
    owner_client: Client,
    interview: Interview,
    queued: list[Submission],
    server_clock: MovedClock,
) -> None:
    server_clock.forward(minutes=30, seconds=4)
    form = {"source": RIGHT, "kind": "submit"}
    assert owner_client.post(address(interview, "submit"), form, **FETCH).status_code == 201
    server_clock.forward(seconds=2)
    late = owner_client.post(address(interview, "submit"), form, **FETCH)
    assert late.status_code == 423
    assert len(queued) == 1


def test_the_grace_does_not_send_the_same_text_twice(
    owner_client: Client,
    interview: Interview,
    queued: list[Submission],
    server_clock: MovedClock,
) -> None:
    put(owner_client, address(interview, "draft"), RIGHT, 0)
    server_clock.forward(minutes=30, seconds=3)
    form = {"source": RIGHT, "kind": "submit"}
    owner_client.post(address(interview, "submit"), form, **FETCH)
    server_clock.forward(seconds=5)
    running.sweep()
    assert len(queued) == 1


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"kind": "submit"}, 400),
        ({"kind": "submit", "source": "x" * 17 * 1024}, 413),
        ({"kind": "replay", "source": "x"}, 400),
        ({"kind": "nonsense", "source": "x"}, 400),
    ],
)
def test_what_cannot_be_judged_is_refused_with_a_reason(
    owner_client: Client,
    interview: Interview,
    queued: list[Submission],
    form: dict[str, str],
    status: int,
) -> None:
    answer = owner_client.post(address(interview, "submit"), form, **FETCH)
    assert (answer.status_code, bool(answer.json()["error"]), queued) == (status, True, [])


def test_a_refused_plain_form_keeps_what_was_typed(
    owner_client: Client, interview: Interview
) -> None:
    form = {"kind": "replay", "source": "mine = 1"}
    answer = owner_client.post(address(interview, "submit"), form)
    assert (answer.status_code, "mine = 1" in answer.content.decode()) == (400, True)


def test_the_limit_on_submissions_holds_in_a_round_too(
    owner_client: Client, interview: Interview, settings: Any
) -> None:
    settings.SUBMISSIONS_PER_MINUTE = 1
    form = {"source": RIGHT, "kind": "run"}
    assert owner_client.post(address(interview, "submit"), form, **FETCH).status_code == 201
    assert owner_client.post(address(interview, "submit"), form, **FETCH).status_code == 429


def test_a_counterexample_is_replayed_inside_the_round(
    owner_client: Client, interview: Interview, queued: list[Submission]
) -> None:
    sent = reject(
        running.send(current(interview), Submission.Kind.SUBMIT, "x", interview.candidate)
    )
    verdict = owner_client.get(address(interview, f"verdicts/{sent.pk}")).content.decode()
    replay = f"{address(interview, 'submit')}?replay_of={sent.pk}"
    assert f'formaction="{replay}"' in verdict
    form = {"kind": "replay", "source": RIGHT}
    assert owner_client.post(replay, form, **FETCH).status_code == 201
    assert queued[-1].replay is not None
    assert queued[-1].round_submission.interview_round == current(interview)


def test_finishing_takes_the_last_words_along(
    owner_client: Client, interview: Interview, queued: list[Submission]
) -> None:
    typed = RIGHT.replace("\n", "\r\n")  # as a form sends it
    owner_client.post(address(interview, "finish"), {"source": typed})
    first = interview.rounds.get(number=1)
    assert (first.status, first.ended_by, first.text) == ("ended", "candidate", RIGHT)
    assert [one.source for one in queued] == [RIGHT]


def test_hints_come_one_by_one_and_are_told(owner_client: Client, interview: Interview) -> None:
    owner_client.post(address(interview, "hint"))
    page = owner_client.get(interview.get_absolute_url()).content.decode()
    assert "Add it to itself" in page
    owner_client.post(address(interview, "hint"))
    assert current(interview).hints_shown == 1, "there is no second one"
    assert interview.moments.get(kind=Moment.Kind.HINT).payload == {"index": 0}


def test_without_hints_the_candidate_gets_none_and_the_interviewer_may_give_one(
    owner_client: Client, interviewer_client: Client, room: Interview
) -> None:
    owner_client.post(address(room, "hint"))
    assert current(room).hints_shown == 0
    interviewer_client.post(address(room, "hint"))
    assert current(room).hints_shown == 1


@pytest.mark.parametrize("tail", ["", "editorial/", "draft/", "diff/", "recent/"])
def test_the_books_are_closed_while_the_round_runs(
    owner_client: Client,
    stranger_client: Client,
    interview: Interview,
    owner: User,
    tail: str,
) -> None:
    url = f"/problems/double/{tail}"
    answer = owner_client.get(url)
    assert (answer.status_code, answer["Location"]) == (302, interview.get_absolute_url())
    assert stranger_client.get(url).status_code == 200, "another person's books stay open"
    assert owner_client.get("/problems/triple/").status_code == 200, "no other problem's either"
    running.end_round(current(interview), running.EndedBy.CANDIDATE, owner)
    assert owner_client.get(url).status_code == 200


def test_the_problem_cannot_be_judged_past_the_round(
    owner_client: Client, interview: Interview, queued: list[Submission]
) -> None:
    form = {"kind": "submit", "source": RIGHT}
    assert owner_client.post("/problems/double/submit/", form).status_code == 302
    assert not Submission.objects.exists()


def test_a_pause_puts_the_problem_away(
    plan: Plan, owner: User, owner_client: Client, server_clock: MovedClock
) -> None:
    made = plan(pause_allowed=True)
    running.start(made, owner)
    owner_client.post(f"/interviews/{made.pk}/pause/", {"source": "the last words"})
    page = owner_client.get(made.get_absolute_url()).content.decode()
    assert "Return <code>" not in page
    assert "the last words" not in page
    assert current(made).text == "the last words"
    form = {"source": RIGHT, "kind": "submit"}
    assert owner_client.post(address(made, "submit"), form, **FETCH).status_code == 423
    owner_client.post(f"/interviews/{made.pk}/resume/")
    assert "the last words" in owner_client.get(made.get_absolute_url()).content.decode()


def test_the_clock_tells_the_servers_time_and_what_it_counts_down_to(
    owner_client: Client, interview: Interview, server_clock: MovedClock
) -> None:
    server_clock.forward(minutes=10)
    told = owner_client.get(f"/interviews/{interview.pk}/clock/").json()
    assert abs(told["deadline_ms"] - told["now_ms"] - 20 * 60_000) < 5000
    assert (told["later_ms"], told["state"]) == (40 * 60_000, "round-1")
    server_clock.forward(minutes=21)
    told = owner_client.get(f"/interviews/{interview.pk}/clock/").json()
    assert (told["state"], told["deadline_ms"]) == ("break", None)
    assert abs(told["break_ends_ms"] - told["now_ms"] - 10 * 60_000) < 5000


@pytest.fixture
def sizing(owner: User, db: None, queued: list[Submission], server_clock: MovedClock) -> Interview:
    """A round about a worksheet, running."""
    version = version_of(worksheet())
    made = Interview.objects.create(candidate=owner, title="Sizing")
    InterviewRound.objects.create(
        interview=made, number=1, version=version, minutes=20, text=version.starter, seed=7
    )
    running.start(made, owner)
    return made


def typed(interview: Interview, path: str) -> str:
    """A file of the worksheet's package, as typed for the round's values."""
    one = current(interview)
    assert one.version is not None
    return fill(one.version.spec.grader.model_dump(), one.version.files[path], one.seed)


def test_a_worksheet_is_drawn_for_the_round_and_judged_once(
    owner_client: Client, sizing: Interview, queued: list[Submission]
) -> None:
    assert 'name="answer.' in owner_client.get(sizing.get_absolute_url()).content.decode()
    form = {"kind": "submit", "source": typed(sizing, "reference.yaml")}
    assert owner_client.post(address(sizing, "submit"), form, **FETCH).status_code == 201
    assert queued[0].seed == 7
    assert judged(queued[0]).verdict == "AC"
    again = owner_client.post(address(sizing, "submit"), form, **FETCH)
    assert (again.status_code, len(queued)) == (400, 1)
    assert not Attempt.objects.exists(), "the values of practice are untouched"
    running.end_round(current(sizing), running.EndedBy.CANDIDATE, sizing.candidate)
    assert len(queued) == 1, "judged once, at the end too"


def test_a_worksheet_half_filled_in_is_sent_at_the_end(
    sizing: Interview, queued: list[Submission], server_clock: MovedClock
) -> None:
    answers = typed(sizing, "reference.yaml").splitlines(keepends=True)
    current(sizing).save_text("".join(answers[:1]), 0)
    server_clock.forward(hours=1)
    running.sweep()
    (sent,) = RoundSubmission.objects.filter(is_automatic=True)
    assert judged(sent.submission).verdict == "WA"


def of_kind(owner: User, folder: str) -> Interview:
    """A running round about a problem that ships with the project."""
    package = read_package(SHIPPED / folder)
    problem = Problem.objects.create(
        uuid=package.spec.id,
        slug=package.slug,
        round=package.spec.round,
        title=package.spec.title,
        summary=package.spec.summary,
        difficulty=package.spec.difficulty,
        minutes=package.spec.minutes,
    )
    version = ProblemVersion.objects.create(
        problem=problem,
        number=1,
        digest=package.digest,
        spec_json=package.spec.model_dump(mode="json"),
        files=dict(package.files),
    )
    problem.current_version = version
    problem.save()
    made = Interview.objects.create(candidate=owner, title="One kind")
    InterviewRound.objects.create(
        interview=made, number=1, version=version, minutes=20, text=version.starter, seed=11
    )
    running.start(made, owner)
    return made


def test_a_design_is_checked_while_it_is_typed(owner: User, owner_client: Client) -> None:
    made = of_kind(owner, "round-7/cluster-capstone")
    page = owner_client.get(made.get_absolute_url()).content.decode()
    check = "/problems/cluster-capstone/check/"
    assert f'data-check-url="{check}"' in page
    body = json.dumps({"text": "racks: ["})
    answer = owner_client.post(check, body, content_type="application/json")
    assert (answer.status_code, bool(answer.json())) == (200, True)
