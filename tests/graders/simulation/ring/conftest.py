"""Judging small submissions in plain processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import dedent, indent
from typing import Any

import pytest

from graders.ports import Case, ProgramLimits, Task
from graders.simulation import judge
from graders.verdict import Event
from tests.graders.plain_launcher import PlainLauncher, plain_launcher

SETTINGS = {
    "kind": "simulation",
    "simulator": "ring-collective",
    "entry_point": "all_reduce",
    "signature": "all_reduce(comm, buf)",
    "step_time_limit_s": 10.0,  # a busy machine must not fail a test
    "parameters": {"alpha_s": 1e-6, "beta_s_per_byte": 1e-9},
}
Judge = Callable[..., dict[str, Any]]


def case(n_ranks: int, length: int, dtype: str = "float64", sample: bool = False) -> Case:
    fields = {"n_ranks": n_ranks, "length": length, "dtype": dtype}
    return Case(f"ranks-{n_ranks}-length-{length}-{dtype}", "a test", sample, fields)


def task(*cases: Case, output_kib: int = 64, **settings: Any) -> Task:
    limits = ProgramLimits(cpu_time_s=20, wall_time_s=60, memory_mib=512, output_kib=output_kib)
    return Task({**SETTINGS, **settings}, cases, limits, {})


def body(text: str) -> bytes:
    """A submission whose all_reduce has this body, in which n, rank, left and right are known."""
    head = """
        import os, sys
        import numpy as np
        def all_reduce(comm, buf):
            n, rank = comm.size, comm.rank
            left, right = (rank - 1) % n, (rank + 1) % n
    """
    return (dedent(head) + indent(dedent(text), "    ")).encode()


@pytest.fixture
def launcher() -> Iterator[PlainLauncher]:
    with plain_launcher() as launcher:
        yield launcher


@pytest.fixture
def events(launcher: PlainLauncher) -> Callable[..., list[Event]]:
    def judge_all(source: bytes, *cases: Case, seed: int = 1, **more: Any) -> list[Event]:
        return list(judge(task(*cases, **more), source, launcher, seed))

    return judge_all


@pytest.fixture
def report(events: Callable[..., list[Event]]) -> Judge:
    def last(source: bytes, *cases: Case, **more: Any) -> dict[str, Any]:
        return dict(events(source, *cases, **more)[-1].data)

    return last
