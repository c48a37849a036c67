"""Drawing: what was seen is not drawn while anything new is left, and nothing is drawn twice."""

from __future__ import annotations

import random

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.drawing import Shelf, Wish
from app.interviews.models import Interview, Sighting
from app.practice.models import Draft, Problem
from tests.app.interviews.conftest import MovedClock, Plan
from tests.app.practice_data import another_problem, send

pytestmark = pytest.mark.django_db

ANY = Wish(3)


def dealt(user: User, *wishes: Wish, seed: int = 0, without: list[int] | None = None) -> list[str]:
    """Slugs of what is dealt, with a star where it was seen; nothing where none is left."""
    cards = Shelf(user).deal(wishes, without or [], random.Random(seed))
    return [f"{card.problem.slug}{'*' * card.was_seen}" if card else "" for card in cards]


def see_by_page(user: User, client: Client, problem: Problem) -> None:
    client.get(f"/problems/{problem.slug}/")


def see_by_editorial(user: User, client: Client, problem: Problem) -> None:
    client.get(f"/problems/{problem.slug}/editorial/")


def see_by_draft(user: User, client: Client, problem: Problem) -> None:
    Draft.save_text(user, problem, "typed", 0)


def see_by_submission(user: User, client: Client, problem: Problem) -> None:
    send(user, problem)


@pytest.mark.parametrize("see", [see_by_page, see_by_editorial, see_by_draft, see_by_submission])
def test_what_was_seen_is_not_drawn_while_anything_new_is_left(
    owner: User, stranger: User, owner_client: Client, problem: Problem, see: object
) -> None:
    another_problem(problem, "fresh")
    see(owner, owner_client, problem)  # type: ignore[operator]
    assert {dealt(owner, ANY, seed=seed)[0] for seed in range(8)} == {"fresh"}
    theirs = {dealt(stranger, ANY, seed=seed)[0] for seed in range(16)}
    assert theirs == {"double", "fresh"}, "what one person saw is new to another"
    assert dealt(owner, ANY, ANY) == ["fresh", "double*"]


def test_no_problem_is_dealt_twice_nor_one_that_was_chosen(owner: User, problem: Problem) -> None:
    triple = another_problem(problem, "triple")
    for seed in range(8):
        assert set(dealt(owner, ANY, ANY, seed=seed)) == {"double", "triple"}
        assert dealt(owner, ANY, seed=seed, without=[triple.pk]) == ["double"]
    assert dealt(owner, ANY, ANY, ANY)[2] == "", "there are two"
    assert dealt(owner, Wish(6)) == [""]


def test_tags_choose_among_the_problems(owner: User, problem: Problem) -> None:
    another_problem(problem, "tagged", tags=["paging"])
    assert dealt(owner, Wish(3, ("paging", "else"))) == ["tagged"]
    assert dealt(owner, Wish(3, ("nothing",))) == [""]


def test_a_round_that_takes_anything_leaves_to_others_what_only_they_can_have(
    owner: User, problem: Problem
) -> None:
    another_problem(problem, "tagged", tags=["paging"])
    for seed in range(8):
        assert dealt(owner, ANY, Wish(3, ("paging",)), seed=seed) == ["double", "tagged"]
    # A seen problem does not take a new one's place either: it goes where nothing new can.
    Sighting.objects.create(user=owner, problem=problem)
    another_problem(problem, "other", tags=["else"])
    for seed in range(8):
        got = dealt(owner, ANY, Wish(3, ("paging",)), Wish(3, ("else",)), seed=seed)
        assert got == ["double*", "tagged", "other"]


def test_an_unpublished_problem_is_not_drawn(owner: User, problem: Problem) -> None:
    Problem.objects.filter(pk=problem.pk).update(published=False)
    assert dealt(owner, ANY) == [""]


def test_a_round_that_was_sat_counts_as_seen_and_one_that_was_not_does_not(
    plan: Plan, owner: User, server_clock: MovedClock
) -> None:
    running.start(plan(), owner)
    assert dealt(owner, ANY) == ["triple"]


def drawn(interview: Interview) -> list[tuple[str, bool]]:
    rounds = interview.rounds.filter(version__isnull=False)
    return list(rounds.values_list("version__problem__slug", "was_seen"))


def test_what_was_seen_between_planning_and_start_is_drawn_again(
    plan: Plan, owner: User, owner_client: Client, problem: Problem, server_clock: MovedClock
) -> None:
    made = plan()
    another_problem(problem, "fresh", title="Fresh")
    owner_client.get("/problems/double/")
    running.start(made, owner)
    assert drawn(made) == [("fresh", False), ("triple", False)]
    assert made.rounds.get(number=1).text.startswith("def double"), "the starter of the new one"


def test_where_nothing_new_is_left_at_the_start_the_drawn_one_stays_and_says_so(
    plan: Plan, owner: User, owner_client: Client, server_clock: MovedClock
) -> None:
    made = plan()
    owner_client.get("/problems/triple/")
    running.start(made, owner)
    assert drawn(made) == [("double", False), ("triple", True)]


def test_a_chosen_problem_is_not_exchanged(
    plan: Plan, owner: User, owner_client: Client, problem: Problem, server_clock: MovedClock
) -> None:
    made = plan()
    another_problem(problem, "fresh")
    made.rounds.update(was_drawn=False)
    owner_client.get("/problems/double/")
    running.start(made, owner)
    assert drawn(made)[0] == ("double", False)
