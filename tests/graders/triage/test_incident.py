"""Every seed has one cause that can be found, and decoys that cost nothing; nothing else tells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from graders.triage import Incident, chrome_trace, draw
from graders.triage.deviations import Cause
from graders.triage.incident import MAX_DECOY_LOSS_US, MIN_LOSS
from tests.graders.triage.detective import Detective

SEEDS = range(200)


@pytest.fixture(scope="module")
def incidents() -> dict[int, Incident]:
    return {seed: draw(seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def downloads(incidents: dict[int, Incident]) -> dict[int, str]:
    return {seed: json.dumps(chrome_trace(incident)) for seed, incident in incidents.items()}


def test_the_step_is_fast_again_without_the_cause_and_only_then(
    incidents: dict[int, Incident],
) -> None:
    for seed, incident in incidents.items():
        everything = range(len(incident.deviations))
        slow_us = incident.step_us_without([])
        mended_us = incident.step_us_without([0])
        ordinary_us = incident.step_us_without(everything)
        assert slow_us - mended_us >= MIN_LOSS * slow_us
        assert abs(mended_us - ordinary_us) <= MAX_DECOY_LOSS_US
        for place in range(1, len(incident.deviations)):
            assert abs(slow_us - incident.step_us_without([place])) <= MAX_DECOY_LOSS_US
        if seed % 20 == 0:  # what is remembered is what the simulation says again
            again = [incident.without(taken).step_us for taken in ([], [0], everything)]
            assert again == [slow_us, mended_us, ordinary_us]


def test_who_reads_the_download_alone_finds_the_cause_and_a_span_that_proves_it(
    incidents: dict[int, Incident], downloads: dict[int, str]
) -> None:
    for seed, incident in incidents.items():
        cause, span = Detective(downloads[seed]).solve()
        assert cause == incident.cause.value, f"seed {seed}"
        assert span in incident.proofs, f"seed {seed}"


def test_every_cause_is_planted_and_is_a_decoy_elsewhere(incidents: dict[int, Incident]) -> None:
    planted = Counter(incident.cause for incident in incidents.values())
    decoys = Counter(one.cause for each in incidents.values() for one in each.deviations[1:])
    for cause in Cause:
        assert planted[cause] >= len(SEEDS) / 20
        assert decoys[cause] >= len(SEEDS) / 6
    for seed, incident in incidents.items():
        assert len({one.cause for one in incident.deviations[1:]}) == 4, f"seed {seed}"


def test_a_span_that_only_waits_proves_nothing(incidents: dict[int, Incident]) -> None:
    for incident in incidents.values():
        untouched = [
            number for number, one in enumerate(incident.spans, start=1) if not one.touched
        ]
        assert not set(untouched) & set(incident.proofs)
        step_us = incident.recording.step_us
        assert incident.without_span(untouched[-1]).step_us == step_us


def test_a_trace_says_nothing_but_what_a_profiler_sees(downloads: dict[int, str]) -> None:
    known = {"span", "module", "bytes", "GFLOP", "generation", "step"}
    for download in downloads.values():
        trace = json.loads(download)
        assert set(trace) == {"displayTimeUnit", "traceEvents"}
        spans = [one for one in trace["traceEvents"] if one["ph"] == "X"]
        assert {key for one in spans for key in one["args"]} <= known
        assert [one["args"]["span"] for one in spans] == [*range(1, len(spans) + 1)]
        starts = [one["ts"] for one in spans]
        assert starts == sorted(starts)
        for word in ("cause", "decoy", "plant", "touched", "seed", "deviation"):
            assert word not in download.lower()


def _longest(incident: Incident) -> int:
    numbers = range(1, len(incident.spans) + 1)
    kinds = ("annotation", "cuda_runtime")  # nobody would take these
    return max(
        (number for number in numbers if incident.span(number).category not in kinds),
        key=lambda number: incident.span(number).duration_us,
    )


def _longest_of_its_name(incident: Incident) -> int:
    """The span that exceeds the median of its name by most."""
    by_name: dict[str, list[float]] = {}
    for span in incident.spans:
        by_name.setdefault(span.name, []).append(span.duration_us)
    usual = {name: sorted(all_us)[len(all_us) // 2] for name, all_us in by_name.items()}
    numbers = range(1, len(incident.spans) + 1)
    return max(
        numbers,
        key=lambda number: (
            incident.span(number).duration_us / max(1.0, usual[incident.span(number).name])
        ),
    )


def _rarest_name(incident: Incident) -> int:
    names = Counter(span.name for span in incident.spans)
    numbers = range(1, len(incident.spans) + 1)
    return min(numbers, key=lambda number: names[incident.span(number).name])


def _first(incident: Incident) -> int:
    return 1


def _last(incident: Incident) -> int:
    return len(incident.spans)


def _middle(incident: Incident) -> int:
    return len(incident.spans) // 2


@pytest.mark.parametrize(
    ("guess", "at_most"),
    [(_longest, 0.25), (_longest_of_its_name, 0.45), (_rarest_name, 0.3), (_first, 0.1),
     (_last, 0.1), (_middle, 0.35)],
)  # fmt: skip
def test_no_simple_rule_finds_the_proving_span(
    incidents: dict[int, Incident], guess: Callable[[Incident], int], at_most: float
) -> None:
    hits = sum(guess(incident) in incident.proofs for incident in incidents.values())
    assert hits <= at_most * len(SEEDS)


def _n_spans(incident: Incident) -> float:
    return len(incident.spans)


def _step_us(incident: Incident) -> float:
    return incident.recording.step_us


def _step_number(incident: Incident) -> float:
    return incident.workload.step


def _n_collections(incident: Incident) -> float:
    return sum(span.name == "gc.collect" for span in incident.spans)


@pytest.mark.parametrize("feature", [_n_spans, _step_us, _step_number, _n_collections])
def test_no_size_or_number_tells_the_cause(
    incidents: dict[int, Incident], feature: Callable[[Incident], float]
) -> None:
    """By chance it would be one in eight."""
    assert _share_told([(feature(one), one.cause) for one in incidents.values()]) <= 0.3


def test_the_size_of_the_download_does_not_tell_the_cause(
    incidents: dict[int, Incident], downloads: dict[int, str]
) -> None:
    known = [(float(len(downloads[seed])), one.cause) for seed, one in incidents.items()]
    assert _share_told(known) <= 0.3


def _share_told(known: list[tuple[float, Cause]]) -> float:
    """How often the five nearest by a number vote for the right cause."""
    hits = 0
    for index, (value, cause) in enumerate(known):
        others = known[:index] + known[index + 1 :]
        votes = Counter(
            one for _, one in sorted(others, key=lambda other: abs(other[0] - value))[:5]
        )
        hits += votes.most_common(1)[0][0] is cause
    return hits / len(known)
