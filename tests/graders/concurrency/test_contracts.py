"""A scenario's contract: what excuses a failure, how much is held, who may wait or allocate."""

from __future__ import annotations

import time

import pytest

from tests.graders.concurrency.checker import Checker

KINDS = {
    "no-excuse": {"false_empty"},
    "a-push-would-excuse": {"false_empty"},
    "anything-excuses": set(),
    "a-push-excuses": set(),
    "holds-more": set(),
    "holds-too-much": {"capacity"},
    "from-the-heap": set(),
    "not-from-the-heap": {"allocates"},
    "waits-in-the-setup": {"stuck"},
    "waits-at-the-end": {"stuck"},
}


@pytest.mark.parametrize("name", KINDS)
def test_a_failure_is_excused_by_what_the_contract_names_only(checker: Checker, name: str) -> None:
    program = checker.program("contracts.cpp")
    result = checker.check(program, scenario=name, random_executions=300)
    found = {result.failure.kind} if result.failure else set()
    assert found == KINDS[name]


def test_waiting_while_alone_is_found_without_the_watchdog(checker: Checker) -> None:
    program = checker.program("contracts.cpp")
    started = time.monotonic()
    for name in ("waits-in-the-setup", "waits-at-the-end"):
        assert checker.check(program, scenario=name).failure is not None
    # The watchdog needs a second for each of some hundred tries to make the execution smaller.
    assert time.monotonic() - started < 60


def test_a_suspended_allocation_may_hold_the_last_block(checker: Checker) -> None:
    program = checker.program("contracts.cpp")
    found = checker.progress(program, scenario="behind-a-slow-allocation").worst_progress()
    assert found is not None
    assert found.progress_class == "wait_free", found.message


def test_a_lock_that_is_only_tried_stalls(checker: Checker) -> None:
    program = checker.program("contracts.cpp")
    found = checker.progress(program, scenario="anything-excuses").worst_progress()
    assert found is not None
    assert found.progress_class == "stalls", found.message
