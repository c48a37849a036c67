"""A result that a function stores directly where its caller wants it is a write like any other."""

from __future__ import annotations

import pytest

from tests.graders.concurrency.checker import Checker, Found

RIGHT = ("published", "published-in-registers", "neighbours", "neighbouring-numbers", "shown")
WRONG = {
    "relaxed": "race",
    "relaxed-in-registers": "race",
    "relaxed-large": "race",
    "the-same-number": "race",
    "shown-relaxed": "race",
    "another-pointer": "race",
    "after-its-end": "use_after_free",
}


@pytest.fixture(scope="module")
def program(checker: Checker) -> str:
    return checker.program("results.cpp")


@pytest.fixture(scope="module")
def found(checker: Checker, program: str) -> Found:
    return {search: checker.outcomes(program, search).outcomes for search in ("reduced", "random")}


@pytest.mark.parametrize("search", ["reduced", "random"])
@pytest.mark.parametrize("name", RIGHT)
def test_a_result_that_is_published_with_release_is_not_refused(
    found: Found, name: str, search: str
) -> None:
    assert found[search][name]["failures"] == {}


@pytest.mark.parametrize("search", ["reduced", "random"])
@pytest.mark.parametrize("name", WRONG)
def test_a_result_that_another_thread_may_miss_is_refused(
    found: Found, name: str, search: str
) -> None:
    assert set(found[search][name]["failures"]) == {WRONG[name]}


@pytest.mark.parametrize("search", ["reduced", "random"])
def test_a_destructor_that_stores_the_pointer_which_is_there_disturbs_nobody(
    found: Found, search: str
) -> None:
    assert found[search]["restored-pointer"]["failures"] == {}


@pytest.mark.parametrize("name", ["relaxed", "relaxed-large", "another-pointer"])
def test_each_side_of_such_a_race_is_told_once(checker: Checker, program: str, name: str) -> None:
    failure = checker.check(program, scenario=name).failure
    assert failure is not None
    marked = [step["what"] for step in failure.steps if step.get("part_of_failure")]
    assert sorted(marked) == ["plain read", "plain write"]
