"""Right structures pass, wrong ones are refused for the reason that is wrong with them."""

from __future__ import annotations

import pytest

from graders.concurrency.messages import sentence
from graders.text import Text
from tests.graders.concurrency.checker import Checker

RELAXED = "std::memory_order_relaxed"


def _readable(value: object) -> str:
    """The same in every process: pytest's workers compare what they have collected."""
    return " or ".join(sorted(value)) if isinstance(value, set) else str(value)


RIGHT = [
    ("vyukov.cpp", ()),
    ("spsc.cpp", ()),
    ("spsc.cpp", ("FENCES",)),
    ("locked_queue.cpp", ()),
    ("locked_queue.cpp", ("LOCK=SpinLock",)),
    ("locked_queue.cpp", ("LOCK=TicketLock",)),
    ("treiber.cpp", ()),
    ("seqlock.cpp", ()),
    ("pool.cpp", ()),
]

WRONG = [
    ("vyukov.cpp", (f"PUBLISH={RELAXED}",), {"race"}),
    ("vyukov.cpp", (f"CONSUME={RELAXED}",), {"race"}),
    ("vyukov.cpp", (f"RELEASE_SLOT={RELAXED}",), {"race"}),
    ("vyukov.cpp", (f"ACQUIRE_SLOT={RELAXED}",), {"race"}),
    ("vyukov.cpp", ("DUPLICATES",), {"race", "loss", "duplicate"}),
    ("spsc.cpp", (f"PUBLISH={RELAXED}",), {"race"}),
    ("spsc.cpp", (f"CONSUME={RELAXED}",), {"race"}),
    ("spsc.cpp", (f"RELEASE_SLOT={RELAXED}",), {"race"}),
    ("spsc.cpp", (f"ACQUIRE_SLOT={RELAXED}",), {"race"}),
    ("spsc.cpp", ("HOLDS=N-1",), {"false_full"}),
    ("spsc.cpp", ("HOLDS=N+1",), {"race", "loss", "capacity", "invented", "duplicate"}),
    ("spsc.cpp", ("LOSES_WHEN_FULL",), {"loss", "capacity", "false_empty"}),
    ("spsc.cpp", ("LAST_IN_FIRST_OUT",), {"order", "duplicate", "race"}),
    ("treiber.cpp", ("TAG_BITS=0",), {"race", "duplicate", "loss", "false_empty", "false_full"}),
    ("node_stack.cpp", (), {"use_after_free"}),
    ("node_stack.cpp", ("LEAKS",), {"leak"}),
    ("seqlock.cpp", ("NO_RELEASE_FENCE",), {"torn"}),
    ("seqlock.cpp", ("NO_ACQUIRE_FENCE",), {"torn"}),
    ("seqlock.cpp", ("RELAXED_END",), {"torn"}),
    ("pool.cpp", ("OVERLAPS",), {"race", "capacity"}),
]


@pytest.mark.parametrize(("name", "defines"), RIGHT, ids=_readable)
def test_a_right_structure_is_proved_for_its_scope(
    checker: Checker, name: str, defines: tuple[str, ...]
) -> None:
    result = checker.check(checker.program(name, *defines))
    assert result.failure is None
    assert [item.why_not for item in result.coverage] == [""] * len(result.coverage)
    assert result.proved


@pytest.mark.parametrize(("name", "defines", "kinds"), WRONG, ids=_readable)
def test_a_wrong_structure_is_refused_at_every_seed(
    checker: Checker, name: str, defines: tuple[str, ...], kinds: set[str]
) -> None:
    program = checker.program(name, *defines)
    for seed in (1, 2, 3):
        failure = checker.check(program, seed=seed).failure
        assert failure is not None
        assert failure.kind in kinds, failure.message
        assert failure.context_switches <= 4
        assert len(failure.steps) <= 45
        assert isinstance(sentence(failure.message), Text), "a sentence that no one can translate"


@pytest.mark.parametrize(("name", "defines", "kinds"), WRONG, ids=_readable)
def test_a_wrong_structure_is_refused_by_the_exhaustive_search_alone(
    checker: Checker, name: str, defines: tuple[str, ...], kinds: set[str]
) -> None:
    failure = checker.check(checker.program(name, *defines), random_executions=0).failure
    assert failure is not None
    assert failure.kind in kinds, failure.message


@pytest.mark.parametrize(
    ("name", "defines", "progress_class"),
    [
        ("locked_queue.cpp", (), "blocking"),
        ("locked_queue.cpp", ("LOCK=SpinLock",), "blocking"),
        ("locked_queue.cpp", ("LOCK=TicketLock",), "blocking"),
        ("vyukov.cpp", (), "stalls"),
        ("treiber.cpp", ("DISTURBED",), "lock_free"),
        ("spsc.cpp", (), "wait_free"),
    ],
)
def test_suspending_threads_tells_the_progress_class(
    checker: Checker, name: str, defines: tuple[str, ...], progress_class: str
) -> None:
    worst = checker.progress(checker.program(name, *defines)).worst_progress()
    assert worst is not None
    assert worst.progress_class == progress_class, worst.message
