"""The simulated step: what waits for what, and what each deviation does to the rest."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from graders.triage.deviations import (
    LargeCopy,
    MoreWork,
    Pause,
    Serial,
    SharedUplink,
    SlowFetch,
    SlowWrite,
    Throttled,
)
from graders.triage.machine import Span, Track
from graders.triage.network import CHANNELS, NCCL
from graders.triage.step import COMPUTE, COPY, LOADERS, MAIN, STEP, Recording, simulate
from graders.triage.workload import (
    CHANNEL_BYTES_PER_US,
    COMPUTE_FLOP_PER_US,
    N_CHANNELS,
    N_RANKS,
    Workload,
    draw_workload,
)

RANK = 1


@pytest.fixture(scope="module")
def workload() -> Workload:
    return draw_workload(Random(11))


@pytest.fixture(scope="module")
def ordinary(workload: Workload) -> Recording:
    return simulate(workload)


def row(recording: Recording, name: str, rank: int = RANK) -> list[Span]:
    return [span for span in recording.spans if span.track == Track(rank, name)]


def named(spans: list[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


def test_a_row_never_does_two_things_at_once(ordinary: Recording) -> None:
    for track in {span.track for span in ordinary.spans}:
        spans = [span for span in ordinary.spans if span.track == track]
        for before, after in pairwise(spans):
            assert after.start_us >= before.end_us


def test_a_collective_ends_for_all_at_once_and_after_its_last_send(ordinary: Recording) -> None:
    together = zip(*(row(ordinary, NCCL, rank) for rank in range(N_RANKS)), strict=True)
    for number, spans in enumerate(together):
        assert len({span.end_us for span in spans}) == 1
        sends = [row(ordinary, name, rank)[number] for name in CHANNELS for rank in range(N_RANKS)]
        assert min(send.start_us for send in sends) == max(span.start_us for span in spans)
        assert max(send.end_us for send in sends) < spans[0].end_us


def test_an_ordinary_step_computes_without_a_gap_on_a_rank_that_nobody_waits_for(
    workload: Workload, ordinary: Recording
) -> None:
    busy = next(rank for rank in range(N_RANKS) if rank != workload.light_rank)
    kernels = [span for span in row(ordinary, COMPUTE, busy) if "module" in span.args]
    for before, after in pairwise(kernels):
        assert after.start_us - before.end_us < 1000


def test_speeds_are_those_that_the_statement_gives(ordinary: Recording) -> None:
    for span in ordinary.spans:
        if "GFLOP" in span.args:
            speed = float(span.args["GFLOP"]) * 1e9 / span.duration_us
            assert speed == pytest.approx(COMPUTE_FLOP_PER_US, rel=0.04)
        elif span.category == "network":
            speed = float(span.args["bytes"]) / span.duration_us
            assert speed == pytest.approx(CHANNEL_BYTES_PER_US, rel=0.06)
    gathered = row(ordinary, NCCL)[0]
    sent = sum(float(row(ordinary, name)[0].args["bytes"]) for name in CHANNELS)
    share = (N_RANKS - 1) / N_RANKS
    assert sent == pytest.approx(float(gathered.args["bytes"]) * share, abs=N_CHANNELS)


def test_a_late_batch_stops_its_rank_and_the_others_wait_in_their_collective(
    workload: Workload, ordinary: Recording
) -> None:
    until_us = workload.lead_us[RANK] + 80e3
    slow = simulate(workload, [SlowFetch(RANK, 0, until_us)])
    assert slow.step_us > ordinary.step_us + 70e3
    wait = named(row(slow, MAIN), "next(data_loader)")[0]
    assert wait.end_us == pytest.approx(until_us, abs=500)
    assert row(slow, NCCL, 0)[0].duration_us > 70e3 > 20e3 > row(slow, NCCL)[0].duration_us


def test_the_next_batch_may_be_late(workload: Workload, ordinary: Recording) -> None:
    slow = simulate(workload, [SlowFetch(RANK, 1, 200e3)])
    assert slow.step_us == ordinary.step_us
    worker = LOADERS[(workload.step + 1) % 2]
    assert row(slow, worker)[0].duration_us == 200e3


def test_more_work_grows_every_kernel_and_a_low_clock_only_what_computes(
    workload: Workload,
) -> None:
    usual = row(simulate(workload), COMPUTE)
    more = row(simulate(workload, [MoreWork(RANK, 1.3)]), COMPUTE)
    hot = row(simulate(workload, [Throttled(RANK, 0, 0.5)]), COMPUTE)
    for plain, longer, slower in zip(usual, more, hot, strict=True):
        if "module" not in plain.args:
            continue
        assert longer.duration_us == pytest.approx(1.3 * plain.duration_us, rel=1e-3)
        is_computing = "GFLOP" in plain.args
        assert slower.duration_us == pytest.approx(plain.duration_us * (2 if is_computing else 1))
        assert slower.args == plain.args
        assert longer.args != plain.args


def test_lost_overlap_puts_the_collective_behind_the_computing_on_every_rank(
    workload: Workload,
) -> None:
    recording = simulate(workload, [Serial(2, both=True)])
    for rank in range(N_RANKS):
        gathered = next(s for s in row(recording, NCCL, rank) if s.args["module"] == "block 2")
        before = [s for s in row(recording, COMPUTE, rank) if s.args.get("module") == "block 1"]
        after = [s for s in row(recording, COMPUTE, rank) if s.args.get("module") == "block 2"]
        assert gathered.start_us >= before[2].end_us  # the forward pass has three kernels
        assert after[0].start_us >= gathered.end_us


def test_a_pause_costs_time_early_and_none_late(workload: Workload, ordinary: Recording) -> None:
    early = simulate(workload, [Pause(RANK, 1, 60e3)])
    late = simulate(workload, [Pause(RANK, 2 * len(workload.modules) - 1, 60e3)])
    assert early.step_us > ordinary.step_us + 30e3
    assert late.step_us == ordinary.step_us
    assert named(row(late, MAIN), "gc.collect")[0].duration_us == 60e3


def test_a_pageable_copy_makes_the_host_wait_and_a_pinned_one_does_not(
    workload: Workload, ordinary: Recording
) -> None:
    pageable = simulate(workload, [LargeCopy(RANK, 2, 300e6, pinned=False)])
    pinned = simulate(workload, [LargeCopy(RANK, 2, 3e9, pinned=True)])
    assert pageable.step_us > ordinary.step_us + 40e3
    assert pinned.step_us == ordinary.step_us
    assert [s.name for s in row(pinned, COPY)][-1] == "Memcpy DtoH (Device -> Pinned)"
    calls = [s for s in named(row(pageable, MAIN), "cudaMemcpyAsync") if s.touched]
    assert calls[0].duration_us > 50e3


def test_a_shared_uplink_slows_one_channel_and_the_collective_of_all(workload: Workload) -> None:
    recording = simulate(workload, [SharedUplink(RANK, 3, 5, 6, others=4)])
    changed = [span for span in recording.spans if span.touched]
    assert {span.track for span in changed if span.category == "network"} == {
        Track(RANK, CHANNELS[3])
    }
    collectives = [span for span in changed if span.category == "nccl"]
    assert len(collectives) == 2 * N_RANKS
    ratio = row(recording, CHANNELS[3])[5].duration_us / row(recording, CHANNELS[0])[5].duration_us
    assert ratio == pytest.approx(5, rel=0.1)


def test_a_hidden_slow_write_costs_nothing_and_a_blocking_one_its_length(
    workload: Workload, ordinary: Recording
) -> None:
    lengths_us = (90e3, 80e3, 100e3, 85e3)
    beside = simulate(workload, [SlowWrite(lengths_us, blocking=False)])
    blocking = simulate(workload, [SlowWrite(lengths_us, blocking=True)])
    assert beside.step_us == ordinary.step_us
    # What it displaces overlaps by a little.
    assert blocking.step_us == pytest.approx(ordinary.step_us + 100e3, rel=0.02)


def test_the_step_is_from_the_first_that_begins_to_the_last_that_ends(
    ordinary: Recording,
) -> None:
    steps = [row(ordinary, STEP, rank)[0] for rank in range(N_RANKS)]
    first, last = min(s.start_us for s in steps), max(s.end_us for s in steps)
    assert ordinary.step_us == pytest.approx(last - first)
