"""Setting up: templates, rules, and problems that the candidate has not seen."""

from __future__ import annotations

import random

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.drawing import NothingNew, draw
from app.interviews.models import Interview, Sighting
from app.practice.models import Draft, Problem
from tests.app.interviews.conftest import Plan
from tests.app.practice_data import another_problem, send

pytestmark = pytest.mark.django_db


def form(*rows: tuple[str, str, str], **rules: str) -> dict[str, str]:
    """What the browser sends: rows of (what, problem, minutes), all of them chosen."""
    data = dict(rules)
    for index, (what, problem, minutes) in enumerate(rows):
        data |= {
            f"stage-{index}-on": "on",
            f"stage-{index}-what": what,
            f"stage-{index}-problem": problem,
            f"stage-{index}-minutes": minutes,
        }
    return data


@pytest.mark.parametrize("template", ["", "full-loop", "one-evening", "no-such-template"])
def test_the_form_opens_for_every_template(
    owner_client: Client, problem: Problem, template: str
) -> None:
    page = owner_client.get(f"/interviews/new/?template={template}")
    assert page.status_code == 200
    assert page.content.decode().count('type="checkbox"') >= 11


def test_a_template_chooses_its_rounds_in_its_order(owner_client: Client, owner: User) -> None:
    page = owner_client.get("/interviews/new/?template=inference-engineer")
    rows = page.context["set_up"].rows
    assert [row.initial["what"] for row in rows if row.is_on] == [
        "round:2",
        "round:5",
        "round:5",
        "question:explain-it-to-me",
    ]


def test_what_was_chosen_is_planned_and_nothing_begins(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    sent = form(
        ("question:motivation", "", "15"),
        ("round:3", "double", "40"),
        with_interviewer="yes",
        break_minutes="5",
    )
    answer = owner_client.post("/interviews/new/", sent)
    made = Interview.objects.get()
    assert answer["Location"] == made.get_absolute_url()
    assert (made.status, made.with_interviewer, made.hints_allowed) == ("planned", True, False)
    assert (made.break_minutes, made.pause_allowed) == (5, False)
    question, coding = made.rounds.all()
    assert (question.number, question.title, question.minutes) == (1, "Why this, and why now", 15)
    assert (coding.number, coding.title, coding.minutes) == (2, "Double a number", 40)
    assert not coding.was_drawn
    assert coding.text.startswith("def double")


def test_a_template_that_does_not_pause_cannot_be_made_to(
    owner_client: Client, problem: Problem
) -> None:
    sent = form(("round:3", "double", "40"), template="full-loop", pause="on")
    owner_client.post("/interviews/new/", sent)
    assert not Interview.objects.get().pause_allowed


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "1 to 12 rounds"),
        ([("round:3", "double", "0")], "greater than or equal to 1"),
        ([("round:9", "", "30")], "no such round"),
        ([("question:nothing", "", "30")], "no such round"),
        ([("round:3", "other-problem", "30")], "not one of the available choices"),
        ([("round:3", "double", "30")] * 13, "1 to 12 rounds"),
    ],
)
def test_a_set_up_that_makes_no_sense_is_told_so(
    owner_client: Client, problem: Problem, rows: list[tuple[str, str, str]], told: str
) -> None:
    answer = owner_client.post("/interviews/new/", form(*rows))
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not Interview.objects.exists()


def see_by_page(user: User, client: Client, problem: Problem) -> None:
    client.get(f"/problems/{problem.slug}/")


def see_by_editorial(user: User, client: Client, problem: Problem) -> None:
    client.get(f"/problems/{problem.slug}/editorial/")


def see_by_draft(user: User, client: Client, problem: Problem) -> None:
    Draft.save_text(user, problem, "typed", 0)


def see_by_submission(user: User, client: Client, problem: Problem) -> None:
    send(user, problem)


@pytest.mark.parametrize("see", [see_by_page, see_by_editorial, see_by_draft, see_by_submission])
def test_what_was_seen_is_never_drawn(
    owner: User, stranger: User, owner_client: Client, problem: Problem, see: object
) -> None:
    fresh = another_problem(problem, "fresh", title="Fresh")
    see(owner, owner_client, problem)  # type: ignore[operator]
    for seed in range(8):
        assert draw(owner, 3, chance=random.Random(seed)) == fresh
    both = {draw(stranger, 3, chance=random.Random(seed)) for seed in range(16)}
    assert both == {problem, fresh}, "what one person saw is new to another"
    with pytest.raises(NothingNew):
        draw(owner, 3, without=[fresh.pk])


def test_a_round_that_was_sat_counts_as_seen_and_one_that_was_not_does_not(
    plan: Plan, owner: User, problem: Problem
) -> None:
    running.start(plan(), owner)
    assert draw(owner, 3).slug == "triple"


def test_tags_choose_among_the_problems(owner: User, problem: Problem) -> None:
    tagged = another_problem(problem, "tagged", tags=["paging"])
    assert draw(owner, 3, tags=["paging"]) == tagged
    with pytest.raises(NothingNew):
        draw(owner, 3, tags=["nothing"])


def test_two_rounds_of_one_interview_are_two_problems(
    owner_client: Client, problem: Problem
) -> None:
    another_problem(problem, "triple")
    owner_client.post("/interviews/new/", form(("round:3", "", "20"), ("round:3", "", "20")))
    drawn = Interview.objects.get().rounds.values_list("version__problem__slug", flat=True)
    assert sorted(str(slug) for slug in drawn) == ["double", "triple"]


def test_where_nothing_new_is_left_the_person_chooses(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    Sighting.objects.create(user=owner, problem=problem)
    answer = owner_client.post("/interviews/new/", form(("round:3", "", "20")))
    assert answer.status_code == 400
    assert "must be new to you" in answer.content.decode()
    assert not Interview.objects.exists()
    owner_client.post("/interviews/new/", form(("round:3", "double", "20")))
    assert Interview.objects.get().rounds.get().version == problem.current_version


def test_a_drawn_problem_stays_a_secret_until_its_round(
    owner_client: Client, staff_client: Client, plan: Plan
) -> None:
    made = plan()
    assert "Double a number" not in owner_client.get(made.get_absolute_url()).content.decode()
    assert "Double a number" in staff_client.get(made.get_absolute_url()).content.decode()
