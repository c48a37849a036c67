"""Mistakes that checkers of this kind are known to make, each held by a test."""

from __future__ import annotations

import random

import pytest

from tests.graders.concurrency.checker import Checker, Found

OUTCOMES = {
    "views-grow": {""},
    "spin-by-exchange": {"data=2"},
    "bounded-retries": {"r1=0", "r1=1", "r1=2", "r1=3"},
    "counting-spin": {"r1=0", "r1=1", "r1=2", "r1=3", "r1=4"},
    "waits-for-two": {"r1=1"},
    "spin-by-try-lock": {"data=2"},
    "shared-pointer": {"count=1 r1=1 r2=1"},
    "static-guard": {"constructed=1 r1=7 r2=7"},
    "thread-local": {"r1=6 r2=7"},
    "futex": {"r1=3"},
    "atomic-wait": {"r1=1"},
    "condition-variable": {"r1=1"},
    "exceptions": {"x=2 y=3"},
    "last-byte": {""},
    "neighbouring-bytes": {"data=257"},
    "memory-is-restored": {""},
    "kept-by-a-global": {""},
    "initialised-once": {"runs=1"},
}
FAILURES = {
    "mutual-wait": "stuck",
    "deadlock": "stuck",
    "never-released": "stuck",
    "futex-never-woken": "stuck",
    "lost-wake-up": "stuck",
    "uncaught-exception": "uncaught_exception",
    "free-races-with-use": "use_after_free",
    "null-pointer": "crash",
    "ends-the-process": "ended",
    "aborts": "ended",
    "mixed-sizes": "unsupported",
    "starts-a-thread": "unsupported",
    "use-after-free": "use_after_free",
    "double-free": "double_free",
    "out-of-bounds": "out_of_bounds",
    "wrong-delete": "invalid_free",
    "leak": "leak",
    "plain-and-atomic": "race",
    "copy-of-24-bytes": "race",
    "copy-of-64-bytes": "race",
}


@pytest.fixture(scope="module")
def found(checker: Checker) -> Found:
    program = checker.program("pitfalls.cpp")
    return {
        search: checker.outcomes(program, search).outcomes
        for search in ("reduced", "full", "random")
    }


@pytest.mark.parametrize("search", ["reduced", "full", "random"])
@pytest.mark.parametrize("name", OUTCOMES)
def test_a_right_program_shows_its_outcomes_and_no_failure(
    found: Found, name: str, search: str
) -> None:
    result = found[search][name]
    assert result["failures"] == {}
    assert set(result["outcomes"]) == OUTCOMES[name]
    assert search == "random" or result["exhausted"]


@pytest.mark.parametrize("search", ["reduced", "full", "random"])
@pytest.mark.parametrize("name", FAILURES)
def test_a_wrong_program_fails_for_its_own_reason(found: Found, name: str, search: str) -> None:
    assert set(found[search][name]["failures"]) == {FAILURES[name]}


def test_every_pitfall_is_listed(found: Found) -> None:
    assert set(found["full"]) == set(OUTCOMES) | set(FAILURES)


def test_an_endless_loop_without_atomics_is_stopped(checker: Checker) -> None:
    found = checker.outcomes(checker.program("endless_loop.cpp")).outcomes["endless"]
    assert found["failures"] == {"endless_loop": 1}


LOADS = ("relaxed", "acquire", "seq_cst")
STORES = ("relaxed", "release", "seq_cst")
UPDATES = ("relaxed", "acquire", "release", "acq_rel", "seq_cst")
FENCES = ("acquire", "release", "acq_rel", "seq_cst")


def random_program(numbers: random.Random, count: int) -> str:
    """`count` scenarios of two or three threads with four to six atomic operations."""
    lines = ["#include <atomic>", '#include "check.h"', "static std::atomic<int> v[3];"]
    lines.append("static int r[16];")
    scenarios = []
    for program in range(count):
        threads = numbers.choice((2, 2, 3))
        places = numbers.choice((1, 2, 2, 3))
        operations = numbers.choice((4, 5, 6))
        strict = numbers.random() < 0.5
        reads = 0
        for thread in range(threads):
            body = ""
            for step in range(thread, operations, threads):

                def order(orders: tuple[str, ...], prefer_strict: bool = strict) -> str:
                    chosen = numbers.choice(orders)
                    if prefer_strict and numbers.random() < 0.6:
                        chosen = "seq_cst"
                    return f"std::memory_order_{chosen}"

                place = f"v[{numbers.randrange(places)}]"
                kind = numbers.choice("lllssseacwf")
                if kind == "l":
                    body += f"r[{reads}]={place}.load({order(LOADS)});"
                elif kind == "s":
                    body += f"{place}.store({step + 1},{order(STORES)});"
                elif kind == "e":
                    body += f"r[{reads}]={place}.exchange({step + 1},{order(UPDATES)});"
                elif kind == "a":
                    body += f"r[{reads}]={place}.fetch_add(10,{order(UPDATES)});"
                elif kind == "f":
                    body += f"std::atomic_thread_fence({order(FENCES)});"
                else:
                    strength = "strong" if kind == "c" else "weak"
                    expected = numbers.choice((0, 0, step))
                    body += (
                        f"r[{reads}]={expected};{place}.compare_exchange_{strength}"
                        f"(r[{reads}],{step + 1},{order(UPDATES)},{order(LOADS)});"
                    )
                reads += kind in "leacw"
            lines.append(f"static void p{program}t{thread}(){{{body}}}")
        observed = "".join(f'check::observe("r{i}",r[{i}]);' for i in range(reads))
        observed += "".join(f'check::observe("v{i}",v[{i}]);' for i in range(places))
        lines.append(f"static void p{program}end(){{{observed}}}")
        bodies = ",".join(f"p{program}t{thread}" for thread in range(threads))
        scenarios.append(f'{{.name="p{program}",.threads={{{bodies}}},.finish=p{program}end}}')
    lines.append(f"SCENARIOS({','.join(scenarios)})")
    return "\n".join(lines)


def test_the_reduction_loses_and_repeats_no_execution_of_random_programs(checker: Checker) -> None:
    text = random_program(random.Random(20250101), 60)
    program = checker.program_from("random_programs.cpp", text)
    reduced = checker.outcomes(program).outcomes
    full = checker.outcomes(program, "full").outcomes
    compared = 0
    for name, every in full.items():
        if not every["exhausted"]:
            continue
        compared += 1
        assert set(reduced[name]["outcomes"]) == set(every["outcomes"]), name
        assert reduced[name]["executions"] == reduced[name]["graphs"] == every["graphs"], name
    assert compared >= 55
