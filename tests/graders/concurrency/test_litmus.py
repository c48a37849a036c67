"""Litmus programs: with reduction, without it, and as listed here, the outcomes are the same."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from tests.graders.concurrency.checker import Checker, Found


@dataclass(frozen=True)
class Litmus:
    """What a program may show.

    `forbidden` are those of all combinations of the `values` that it must not show; `graphs` is
    the number of executions (equal up to interleaving), where somebody else has counted it or it
    is easy to count: "GenMC" are those of ground truth, the others counted by hand.
    """

    name: str
    names: tuple[str, ...]
    values: tuple[tuple[int, ...], ...]
    forbidden: frozenset[tuple[int, ...]] = frozenset()
    graphs: int | None = None
    failures: frozenset[str] = frozenset()
    allowed: frozenset[tuple[int, ...]] | None = field(default=None)

    def outcomes(self) -> set[str]:
        listed = self.allowed
        if listed is None:
            listed = frozenset(itertools.product(*self.values)) - self.forbidden
        return {
            " ".join(f"{name}={value}" for name, value in zip(self.names, values, strict=True))
            for values in listed
        }


R2 = ("r1", "r2")
R3 = ("r1", "r2", "r3")
R4 = ("r1", "r2", "r3", "r4")
BIT = (0, 1)


def two(name: str, *forbidden: tuple[int, ...], graphs: int | None = None) -> Litmus:
    return Litmus(name, R2, (BIT, BIT), frozenset(forbidden), graphs)


def three(name: str, *forbidden: tuple[int, ...], graphs: int | None = None) -> Litmus:
    return Litmus(name, R3, (BIT, BIT, BIT), frozenset(forbidden), graphs)


def listed(
    name: str,
    names: tuple[str, ...],
    *allowed: tuple[int, ...],
    graphs: int | None = None,
    failures: tuple[str, ...] = (),
) -> Litmus:
    return Litmus(name, names, (), frozenset(), graphs, frozenset(failures), frozenset(allowed))


def agreeing_reads() -> list[tuple[int, ...]]:
    """Two reads by each of two threads of a location that two others store 1 and 2 to."""
    pairs = {
        order: {
            (a, b)
            for a in (0, *order)
            for b in (0, *order)
            if (0, *order).index(a) <= (0, *order).index(b)
        }
        for order in ((1, 2), (2, 1))
    }
    return [
        (*one, *other)
        for order in ((1, 2), (2, 1))
        for one in pairs[order]
        for other in pairs[order]
    ]


LITMUS = [
    # Store buffering. GenMC: 4 with release/acquire, 3 with four seq_cst, 3 with seq_cst fences.
    two("sb_relaxed", graphs=4),
    two("sb_release_acquire", graphs=4),
    two("sb_seq_cst", (0, 0), graphs=3),
    two("sb_relaxed_stores", graphs=4),
    two("sb_acquire_loads", graphs=4),
    two("sb_seq_cst_fences", (0, 0), graphs=3),
    two("sb_one_seq_cst_fence", graphs=4),
    two("sb_acq_rel_fences", graphs=4),
    # Message passing. GenMC: 2 with release/acquire; the others race.
    listed("mp_plain_release_acquire", R2, (0, 0), (1, 1), graphs=2),
    listed("mp_plain_relaxed", R2, (0, 0), failures=("race",)),
    listed("mp_plain_relaxed_load", R2, (0, 0), failures=("race",)),
    listed("mp_plain_relaxed_store", R2, (0, 0), failures=("race",)),
    two("mp_relaxed", graphs=4),
    two("mp_release_acquire", (1, 0), graphs=3),
    # Release and acquire come with the flag, not with the data, whatever order the data has.
    two("mp_seq_cst_data_only", graphs=4),
    two("mp_fences", (1, 0), graphs=3),
    two("mp_release_fence_only", graphs=4),
    listed("mp_plain_fences", R2, (0, 0), (1, 1), graphs=2),
    # Load buffering: forbidden in RC11, although ISO C++ allows it when relaxed. GenMC: 3.
    two("lb_relaxed", (1, 1), graphs=3),
    two("lb_acquire_release", (1, 1), graphs=3),
    # Independent reads of independent writes.
    Litmus("iriw_release_acquire", R4, (BIT,) * 4, graphs=16),
    Litmus("iriw_seq_cst", R4, (BIT,) * 4, frozenset({(1, 0, 1, 0)}), graphs=15),
    Litmus("iriw_seq_cst_fences", R4, (BIT,) * 4, frozenset({(1, 0, 1, 0)}), graphs=15),
    # 2+2W. GenMC: 4, and 3 when sequentially consistent.
    Litmus("2+2w_relaxed", ("x", "y"), ((1, 2), (1, 2)), graphs=4),
    Litmus("2+2w_release", ("x", "y"), ((1, 2), (1, 2)), graphs=4),
    Litmus("2+2w_seq_cst", ("x", "y"), ((1, 2), (1, 2)), frozenset({(1, 1)}), graphs=3),
    # Coherence. GenMC: CoRR 6.
    listed("corr", R2, (0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2), graphs=6),
    listed("corr_two_writers", R4, *agreeing_reads(), graphs=72),
    listed("cowr", ("r1", "x"), (1, 1), (1, 2), (2, 2), graphs=3),
    listed("corw", ("r1", "x"), (0, 1), (0, 2), (2, 1), graphs=3),
    # Write-to-read causality. GenMC's WRC+dep: 8, and 7 when sequentially consistent; RC11 knows
    # no dependencies, so it is wrc_relaxed here.
    three("wrc_release_acquire", (1, 1, 0), graphs=7),
    three("wrc_relaxed_first", (1, 1, 0), graphs=7),
    listed(
        "wrc_relaxed_dependent", R3, (0, 0, 0), (0, 2, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1), graphs=5
    ),
    three("wrc_relaxed", graphs=8),
    three("wrc_seq_cst_last", (1, 1, 0), graphs=7),
    three("isa2", (1, 1, 0), graphs=7),
    # Release sequences: an update carries on (11 is 1, updated), by hand 2 reads of x for each of
    # 0, 10 and one for each of 1, 11, 1 after 10 was overwritten; see the test for the count.
    listed("release_sequence_by_update", R2, (0, 0), (0, 1), (10, 0), (10, 1), (1, 1), (11, 1)),
    listed(
        "release_sequence_ends_at_own_store", R2, (0, 0), (0, 1), (1, 1), (2, 0), (2, 1), graphs=5
    ),
    # Updates and compare_exchange.
    listed("two_updates", R2, (0, 1), (1, 0), graphs=2),
    listed("three_updates", R3, *itertools.permutations((0, 1, 2)), graphs=6),
    listed("two_compare_exchanges", R2, (0, 1), (2, 0), graphs=2),
    listed("weak_compare_exchange", ("r1", "x"), (0, 0), (1, 1), graphs=2),
    # S, R and RWC.
    listed("shape_s", ("r1", "x"), (0, 1), (0, 2), (1, 1), graphs=3),
    Litmus("r_relaxed", ("r1", "y"), (BIT, (1, 2)), graphs=4),
    Litmus("r_seq_cst", ("r1", "y"), (BIT, (1, 2)), frozenset({(0, 2)}), graphs=3),
    three("rwc_release_acquire", graphs=8),
    three("rwc_seq_cst", (1, 0, 0), graphs=7),
    three("rwc_seq_cst_fences", (1, 0, 0), graphs=7),
    # Dekker: unsafe unless seq_cst.
    listed("dekker_relaxed", ("data",), (0,), (1,), failures=("race",)),
    listed("dekker_seq_cst", ("data",), (0,), (1,), graphs=3),
    # Waiting.
    listed("mutex_counter", ("data",), (2,), graphs=2),
    listed("await_flag", ("r1",), (1,), graphs=1),
]


@pytest.fixture(scope="module")
def found(checker: Checker) -> Found:
    program = checker.program("litmus.cpp")
    return {search: checker.outcomes(program, search).outcomes for search in ("reduced", "full")}


@pytest.mark.parametrize("litmus", LITMUS, ids=lambda litmus: litmus.name)
def test_a_litmus_program_shows_what_rc11_allows_and_nothing_else(
    found: Found, litmus: Litmus
) -> None:
    reduced, full = found["reduced"][litmus.name], found["full"][litmus.name]
    assert reduced["exhausted"]
    assert full["exhausted"]
    assert set(full["outcomes"]) == litmus.outcomes()
    assert set(reduced["outcomes"]) == litmus.outcomes()
    assert set(reduced["failures"]) == set(full["failures"]) == litmus.failures


@pytest.mark.parametrize("litmus", LITMUS, ids=lambda litmus: litmus.name)
def test_the_reduced_search_meets_each_execution_graph_once(found: Found, litmus: Litmus) -> None:
    reduced, full = found["reduced"][litmus.name], found["full"][litmus.name]
    assert reduced["executions"] == reduced["graphs"] == full["graphs"]
    if litmus.graphs is not None:
        assert reduced["graphs"] == litmus.graphs


def test_z6u_shows_the_outcome_that_cpp20_allows_and_cpp11_forbade(found: Found) -> None:
    for search in ("reduced", "full"):
        assert "r1=1 r2=3 r3=0" in found[search]["z6u"]["outcomes"]
    assert found["reduced"]["z6u"]["graphs"] == found["full"]["z6u"]["graphs"]


def test_every_litmus_program_is_listed(found: Found) -> None:
    assert set(found["full"]) == {litmus.name for litmus in LITMUS} | {"z6u"}
