"""Mutants weaken the order that they say, of the operation that they say, and nothing else."""

from __future__ import annotations

from graders.concurrency.mutants import mutants_of

SOURCE = """\
// std::memory_order_release in a comment is none
a.load(std::memory_order_acquire);
a.store(f(b.load(std::memory_order_relaxed)), std::memory_order_seq_cst);
a.compare_exchange_weak(old, Link{n.load(std::memory_order_acquire), old.count + 1},
                        std::memory_order_acq_rel, std::memory_order_acquire);
std::atomic_thread_fence(std::memory_order_release);
a.exchange(1, std::memory_order_seq_cst);
"""


def test_each_written_order_becomes_all_weaker_ones_that_its_operation_may_have() -> None:
    assert [mutant.name for mutant in mutants_of(SOURCE)] == [
        "2.1 load acquire -> relaxed",
        "3.2 store seq_cst -> release",
        "3.2 store seq_cst -> relaxed",
        "4.1 load acquire -> relaxed",
        "5.1 compare_exchange_weak acq_rel -> acquire",
        "5.1 compare_exchange_weak acq_rel -> release",
        "5.1 compare_exchange_weak acq_rel -> relaxed",
        "5.2 compare_exchange_weak acquire -> relaxed",
        "6.1 atomic_thread_fence release -> relaxed",
        "7.1 exchange seq_cst -> acq_rel",
        "7.1 exchange seq_cst -> acquire",
        "7.1 exchange seq_cst -> release",
        "7.1 exchange seq_cst -> relaxed",
    ]


def test_a_mutant_differs_from_its_source_in_one_word_of_one_line() -> None:
    for mutant in mutants_of(SOURCE):
        before, after = SOURCE.splitlines(), mutant.source.splitlines()
        changed = [
            at
            for at, pair in enumerate(zip(before, after, strict=True), start=1)
            if pair[0] != pair[1]
        ]
        assert changed == [mutant.line]
        at = mutant.line - 1
        assert before[at].count(mutant.before) == after[at].count(mutant.before) + 1
        assert after[at].count(mutant.after) == before[at].count(mutant.after) + 1


def test_a_failed_compare_exchange_is_a_load_wherever_its_order_stands() -> None:
    text = "x.compare_exchange_strong(a, b, std::memory_order_release,\n std::memory_order_seq_cst)"
    assert [mutant.after for mutant in mutants_of(text)] == ["relaxed", "acquire", "relaxed"]
