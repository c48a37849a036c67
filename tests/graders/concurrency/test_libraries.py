"""Structures that other people wrote and tested pass unmodified.

They are Debian's ``libxenium-dev`` and ``libboost-dev``, which ``script/bootstrap`` installs for
the tests. A missing package is a failure, not a skip: this is the guard against false alarms.
"""

from __future__ import annotations

import pytest

from tests.graders.concurrency.checker import Checker


@pytest.mark.parametrize(
    ("name", "defines"),
    [
        ("boost_spsc_queue.cpp", ()),
        ("xenium_queues.cpp", ()),
        ("xenium_queues.cpp", ("MICHAEL_SCOTT",)),
    ],
    ids=["boost-spsc-queue", "xenium-vyukov", "xenium-michael-scott"],
)
def test_a_library_structure_is_not_refused(
    checker: Checker, name: str, defines: tuple[str, ...]
) -> None:
    program = checker.program(name, *defines)
    result = checker.check(program, exhaustive_executions=3000)
    assert result.failure is None, result.failure
    assert all(item.random_executions >= 3000 for item in result.coverage)
    assert sum(item.executions for item in result.coverage) >= 20
