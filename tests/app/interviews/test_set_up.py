"""Setting up: rounds in one's own order, templates of the site and one's own."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, SavedTemplate, Sighting
from app.interviews.models.saved_templates import MOST
from app.interviews.setting_up import SetUp
from app.practice.models import Problem
from tests.app.interviews.conftest import Plan
from tests.app.practice_data import another_problem

pytestmark = pytest.mark.django_db

NEW = "/interviews/new/"
Row = tuple[str, str, str]
THREE: list[Row] = [
    ("question:motivation", "", "15"),
    ("round:3", "double", "40"),
    ("round:4", "", "x"),
]


def form(*rows: Row, **rules: str) -> dict[str, str]:
    """What the browser sends: rows of (what, problem, minutes)."""
    data = {"title": "Mine"} | rules
    for index, (what, problem, minutes) in enumerate(rows):
        data |= {
            f"stage-{index}-what": what,
            f"stage-{index}-problem": problem,
            f"stage-{index}-minutes": minutes,
        }
    return data


def rows_of(answer: Any) -> list[Row]:
    """The rounds that the form on a page has, as `form` takes them."""
    set_up: SetUp = answer.context["set_up"]
    return [(row.row["what"], row.row["problem"], row.row["minutes"]) for row in set_up.rows]


@pytest.mark.parametrize("template", ["", "full-loop", "one-evening", "no-such-template", "own:1"])
def test_the_form_opens_for_every_template(
    owner_client: Client, problem: Problem, template: str
) -> None:
    assert owner_client.get(f"{NEW}?template={template}").status_code == 200


def test_a_template_brings_its_rounds_in_its_order(owner_client: Client) -> None:
    page = owner_client.get(f"{NEW}?template=inference-engineer")
    assert [what for what, _problem, _minutes in rows_of(page)] == [
        "round:2",
        "round:5",
        "round:5",
        "question:explain-it-to-me",
    ]


def test_what_was_made_is_planned_and_nothing_begins(
    owner_client: Client, problem: Problem
) -> None:
    sent = form(
        ("question:motivation", "", "15"),
        ("round:3", "double", "40"),
        with_interviewer="yes",
        break_minutes="5",
        title="For Tuesday",
    )
    answer = owner_client.post(NEW, sent)
    made = Interview.objects.get()
    assert answer["Location"] == made.get_absolute_url()
    assert (made.status, made.with_interviewer, made.hints_allowed) == ("planned", True, False)
    assert (made.title, made.break_minutes, made.pause_allowed) == ("For Tuesday", 5, False)
    question, coding = made.rounds.all()
    assert (question.number, question.title, question.minutes) == (1, "Why this, and why now", 15)
    assert (coding.number, coding.title, coding.minutes) == (2, "Double a number", 40)
    assert not coding.was_drawn
    assert coding.text.startswith("def double")


def test_a_template_that_does_not_pause_cannot_be_made_to(
    owner_client: Client, problem: Problem
) -> None:
    sent = form(("round:3", "double", "40"), template="full-loop", pause="on")
    owner_client.post(NEW, sent)
    assert not Interview.objects.get().pause_allowed


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "1 to 12 rounds"),
        ([("round:3", "double", "0")], "greater than or equal to 1"),
        ([("round:9", "", "30")], "no such round"),
        ([("question:nothing", "", "30")], "no such round"),
        ([("round:3", "other-problem", "30")], "not one of the available choices"),
        ([("round:3", "", "30")] * 13, "1 to 12 rounds"),
        ([("round:3", "double", "30")] * 2, "in the loop already"),
    ],
)
def test_a_set_up_that_makes_no_sense_is_told_so_and_keeps_what_was_typed(
    owner_client: Client, problem: Problem, rows: list[Row], told: str
) -> None:
    answer = owner_client.post(NEW, form(*rows))
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert rows_of(answer) == rows
    assert not Interview.objects.exists()


@pytest.mark.parametrize(
    ("do", "order", "focus"),
    [
        ("up:2", [0, 2, 1], "up-1"),
        ("up:1", [1, 0, 2], "down-0"),
        ("down:0", [1, 0, 2], "down-1"),
        ("down:1", [0, 2, 1], "up-2"),
        ("remove:0", [1, 2], "remove-0"),
        ("remove:2", [0, 1], "remove-1"),
        ("up:0", [0, 1, 2], ""),
        ("down:2", [0, 1, 2], ""),
        ("remove:3", [0, 1, 2], ""),
        ("up:x", [0, 1, 2], ""),
        ("remove:-1", [0, 1, 2], ""),
        ("count", [0, 1, 2], ""),
    ],
)
def test_a_button_moves_a_round_and_keeps_what_was_typed(
    owner_client: Client, problem: Problem, do: str, order: list[int], focus: str
) -> None:
    answer = owner_client.post(NEW, form(*THREE, do=do, title="", break_minutes="many"))
    assert answer.status_code == 200
    assert rows_of(answer) == [THREE[index] for index in order]
    assert answer.context["set_up"].focus == focus
    page = answer.content.decode()
    assert 'value="many"' in page
    assert "field-error" not in page, "nothing is complained about before it is sent"
    if focus:
        assert page.count("autofocus") == 1
        assert f'id="{focus}"' in page
    assert not Interview.objects.exists()


def test_a_round_is_repeated_as_another_draw_of_its_kind(
    owner_client: Client, problem: Problem
) -> None:
    answer = owner_client.post(NEW, form(*THREE, do="again:1"))
    assert rows_of(answer) == [*THREE[:2], ("round:3", "", "40"), THREE[2]]


@pytest.mark.parametrize(
    ("adding", "row"),
    [
        ("round:5", ("round:5", "", "45")),
        ("question:technical-vision", ("question:technical-vision", "", "25")),
        ("problem:double", ("round:3", "double", "5")),
    ],
)
def test_a_round_is_added_at_the_end(
    owner_client: Client, problem: Problem, adding: str, row: Row
) -> None:
    answer = owner_client.post(NEW, form(*THREE, do="add", adding=adding))
    assert rows_of(answer) == [*THREE, row]
    for nothing in ("round:8", "question:nothing", "problem:nothing", "round:", "", "x:y"):
        answer = owner_client.post(NEW, form(*THREE, do="add", adding=nothing))
        assert rows_of(answer) == THREE, nothing


def test_a_loop_that_is_full_takes_no_more(owner_client: Client, problem: Problem) -> None:
    full = [("question:motivation", "", "15")] * 12
    answer = owner_client.post(NEW, form(*full, do="add", adding="round:5"))
    assert rows_of(answer) == full
    assert "at most 12 rounds" in answer.content.decode()


@pytest.mark.parametrize(
    ("break_minutes", "told"),
    [
        ("10", {"round_minutes": 55, "break_minutes": 20, "minutes": 75}),
        ("0", {"round_minutes": 55, "break_minutes": 0, "minutes": 55}),
        ("", {"round_minutes": 55, "break_minutes": None, "minutes": 55}),
        ("many", {"round_minutes": 55, "break_minutes": 0, "minutes": 55}),
    ],
)
def test_the_total_counts_what_can_be_read_with_the_breaks(
    owner_client: Client, problem: Problem, break_minutes: str, told: dict[str, int]
) -> None:
    answer = owner_client.post(NEW, form(*THREE, do="count", break_minutes=break_minutes))
    assert answer.context["set_up"].total == told
    sum_told = "1 h 15 min" if break_minutes == "10" else "55 min"
    assert f"<strong>{sum_told}</strong>" in answer.content.decode()


def test_a_loop_is_kept_as_ones_own_template_and_begun_from_again(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    rows: list[Row] = [("round:3", "double", "40"), ("question:motivation", "", "15")]
    rules = {"title": "Tuesdays", "with_interviewer": "yes", "pause": "on", "break_minutes": "7"}
    kept = owner_client.post(NEW, form(*rows, do="keep", **rules), follow=True)
    assert "Tuesdays" in kept.content.decode()
    assert not Interview.objects.exists()
    saved = SavedTemplate.objects.get(owner=owner)
    page = owner_client.get(f"{NEW}?template=own:{saved.pk}")
    assert rows_of(page) == rows
    assert page.context["set_up"].rules.initial == {
        "title": "Tuesdays",
        "with_interviewer": "yes",
        "hints": False,
        "pause": True,
        "break_minutes": 7,
    }
    # The same name again replaces it.
    owner_client.post(NEW, form(*rows[::-1], do="keep", title="Tuesdays"))
    (saved,) = SavedTemplate.objects.filter(owner=owner)
    assert [row["what"] for row in saved.rows] == ["question:motivation", "round:3"]


def test_another_persons_template_is_neither_shown_nor_deleted(
    owner_client: Client, stranger_client: Client, owner: User, problem: Problem
) -> None:
    owner_client.post(NEW, form(("round:3", "double", "40"), do="keep", title="A secret"))
    saved = SavedTemplate.objects.get()
    for url in ("/interviews/", NEW, f"{NEW}?template=own:{saved.pk}"):
        assert "A secret" in owner_client.get(url).content.decode()
        assert "A secret" not in stranger_client.get(url).content.decode()
    delete = f"/interviews/templates/{saved.pk}/delete/"
    assert stranger_client.post(delete).status_code == 404
    assert Client().post(delete)["Location"].startswith("/accounts/login/")
    assert owner_client.get(delete).status_code == 405
    assert SavedTemplate.objects.exists()
    owner_client.post(delete)
    assert not SavedTemplate.objects.exists()


def test_what_makes_no_sense_is_not_kept_and_templates_have_an_end(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    bad = owner_client.post(NEW, form(("round:3", "double", "0"), do="keep"))
    nameless = owner_client.post(NEW, form(("round:3", "double", "5"), do="keep", title=" "))
    assert (bad.status_code, nameless.status_code) == (400, 400)
    assert not SavedTemplate.objects.exists()
    for number in range(MOST):
        SavedTemplate.objects.create(owner=owner, name=str(number), rows=[])
    one = form(("round:3", "double", "40"), do="keep")
    full = owner_client.post(NEW, one | {"title": "One more"})
    assert (full.status_code, "at most 30" in full.content.decode()) == (400, True)
    owner_client.post(NEW, one | {"title": "7"})
    assert len(SavedTemplate.objects.get(name="7").rows) == 1, "a name that is there is replaced"


def test_a_kept_template_outlives_what_it_names(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    rows = [
        {"what": "round:3", "tags": "", "problem": "gone", "minutes": "40"},
        {"what": "question:gone", "tags": "", "problem": "", "minutes": "15"},
    ]
    saved = SavedTemplate.objects.create(owner=owner, name="Old", rows=rows)
    page = owner_client.get(f"{NEW}?template=own:{saved.pk}")
    assert page.status_code == 200
    sent = owner_client.post(NEW, form(*rows_of(page)))
    assert "no such round or question" in sent.content.decode()


def test_the_rounds_that_were_not_sat_can_be_set_up_alone(
    plan: Plan, owner: User, owner_client: Client, stranger_client: Client
) -> None:
    made = plan(pause_allowed=True, break_minutes=3)
    running.start(made, owner)
    running.end_interview(made, owner)
    page = owner_client.get(f"{NEW}?template=left:{made.pk}")
    assert rows_of(page) == [("round:3", "", "30")], "the question is none of this site's"
    assert page.context["set_up"].rules.initial["break_minutes"] == 3
    assert rows_of(stranger_client.get(f"{NEW}?template=left:{made.pk}")) == []
    assert rows_of(owner_client.get(f"{NEW}?template=left:nonsense")) == []


def test_before_the_start_it_is_told_which_rounds_bring_back_what_was_seen(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    Sighting.objects.create(user=owner, problem=problem)
    another_problem(problem, "triple")
    twice = form(("round:3", "", "20"), ("round:3", "", "20"))
    told = owner_client.post(NEW, twice | {"do": "count"})
    assert told.context["set_up"].warnings == [
        "Round 2, Distributed-training architecture: nothing new to you is left, "
        "so one that you have seen comes back."
    ]
    owner_client.post(NEW, twice)
    made = Interview.objects.get()
    slugs = made.rounds.values_list("version__problem__slug", "was_seen")
    assert list(slugs) == [("triple", False), ("double", True)]
    plan = owner_client.get(made.get_absolute_url()).content.decode()
    assert plan.count("you have seen it") == 1


def test_where_each_problem_is_in_the_loop_already_the_person_is_told(
    owner_client: Client, problem: Problem
) -> None:
    rows: list[Row] = [("round:3", "", "20"), ("round:3", "double", "20"), ("round:6", "", "9")]
    answer = owner_client.post(NEW, form(*rows))
    assert answer.status_code == 400
    assert answer.content.decode().count("No problem is left for this round") == 2
    assert not Interview.objects.exists()


def test_a_drawn_problem_stays_a_secret_until_its_round(
    owner_client: Client, staff_client: Client, plan: Plan
) -> None:
    made = plan()
    assert "Double a number" not in owner_client.get(made.get_absolute_url()).content.decode()
    assert "Double a number" in staff_client.get(made.get_absolute_url()).content.decode()
