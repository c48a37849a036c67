"""Drafts: an older tab never overwrites a newer text."""

from __future__ import annotations

import pytest

from app.accounts.models import User
from app.practice.models import Draft, Problem, StaleDraft


def test_each_save_raises_the_revision(owner: User, problem: Problem) -> None:
    assert Draft.save_text(owner, problem, "one", 0).revision == 1
    assert Draft.save_text(owner, problem, "two", 1).revision == 2


def test_an_older_tab_is_refused_and_shown_the_newer_text(owner: User, problem: Problem) -> None:
    Draft.save_text(owner, problem, "one", 0)
    Draft.save_text(owner, problem, "two", 1)
    with pytest.raises(StaleDraft) as stale:
        Draft.save_text(owner, problem, "from the older tab", 1)
    assert (stale.value.draft.text, stale.value.draft.revision) == ("two", 2)
    assert Draft.objects.get().text == "two"


def test_a_first_save_on_top_of_another_tabs_first_save_is_refused(
    owner: User, problem: Problem
) -> None:
    Draft.save_text(owner, problem, "one", 0)
    with pytest.raises(StaleDraft):
        Draft.save_text(owner, problem, "other", 0)


def test_the_same_text_twice_is_no_conflict(owner: User, problem: Problem) -> None:
    Draft.save_text(owner, problem, "one", 0)
    assert Draft.save_text(owner, problem, "one", 0).revision == 1


def test_drafts_are_per_person(owner: User, stranger: User, problem: Problem) -> None:
    Draft.save_text(owner, problem, "mine", 0)
    Draft.save_text(stranger, problem, "theirs", 0)
    assert Draft.objects.get(user=owner).text == "mine"
