"""A failing execution, as the runner told it once, for tests that need no compiler."""

from __future__ import annotations

from typing import Any

from graders.concurrency.counterexample import interleaving
from graders.concurrency.results import Failure
from graders.verdict import Counterexample

SOURCE = """\
#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    bool try_push(const T& item) {
        const std::size_t at = tail.load(std::memory_order_relaxed);
        cells[at % Capacity].store(item, std::memory_order_relaxed);
        tail.store(at + 1, std::memory_order_relaxed);  // announces, and orders nothing
        return true;
    }

    bool try_pop(T& item) {
        const std::size_t at = head.load(std::memory_order_relaxed);
        if (tail.load(std::memory_order_acquire) == at) return false;
        item = cells[at % Capacity].load(std::memory_order_relaxed);
        head.store(at + 1, std::memory_order_release);
        return true;
    }

    std::atomic<std::size_t> head{0}, tail{0};
    std::atomic<T> cells[Capacity]{};
};
"""
LINES = {"0x10": 7, "0x20": 8, "0x30": 9, "0x40": 14, "0x50": 15, "0x60": 16, "0x70": 17}
FIELDS = {"queue_0": "head", "queue_0+8": "tail", "queue_0+16": "cells[0]"}


def step(thread: int, what: str, **more: Any) -> dict[str, Any]:
    """One step as the runner sends it."""
    return {"thread": thread, "what": what, **more}


def operation(thread: int, action: str, argument: int, result: int) -> dict[str, Any]:
    """A call that returned and succeeded."""
    return {
        "thread": thread, "action": action, "argument": argument,
        "finished": True, "succeeded": True, "result": result,
    }  # fmt: skip


def stale_pop() -> Failure:
    """Thread 2 sees the new index and the old item."""
    tail = {"place": "queue_0+8", "size_bytes": 8}
    cell = {"place": "queue_0+16", "size_bytes": 8}
    head = {"place": "queue_0", "size_bytes": 8}
    return Failure(
        scenario="one-item",
        kind="invented",
        message="Only what was pushed may be popped: 0 never was.",
        schedule=";1r-,1p-,1p-,2r-,2r1.2,2r-,2p-",
        context_switches=1,
        random_executions=3,
        exhaustive_executions=7,
        operations=[operation(1, "push", 1, 1), operation(2, "pop", 0, 0)],
        steps=[
            step(1, "call", operation=0),
            step(1, "load", operation=0, order="relaxed", read="0", stale=False, pc="0x10", **tail),
            step(1, "store", operation=0, order="relaxed", written="1", pc="0x20", **cell),
            step(1, "store", operation=0, order="relaxed", written="1", pc="0x30", **tail),
            step(1, "return", operation=0),
            step(2, "call", operation=1),
            step(2, "load", operation=1, order="relaxed", read="0", stale=False, pc="0x40", **head),
            step(2, "load", operation=1, order="acquire", read="1", stale=False, pc="0x50", **tail),
            step(
                2, "load", operation=1, order="relaxed", read="0", stale=True, missed="1",
                missed_thread=1, pc="0x60", **cell,
            ),
            step(2, "store", operation=1, order="release", written="1", pc="0x70", **head),
            step(2, "return", operation=1),
        ],
        thread=0,
        pc=None,
    )  # fmt: skip


def drawn(failure: Failure) -> Counterexample:
    """Its counterexample."""
    return interleaving(
        failure,
        failure.message,
        SOURCE,
        LINES,
        lambda place: FIELDS.get(place, place),
        {"push": "try_push", "pop": "try_pop"},
        {"case": failure.scenario, "seed": 7},
    )
