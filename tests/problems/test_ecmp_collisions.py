"""The reference of ecmp-collisions agrees with the closed forms, and with counting everything."""

from __future__ import annotations

import itertools
import random
import runpy
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "problems/round-4/ecmp-collisions"
reference = runpy.run_path(str(PACKAGE / "reference.py"))


@pytest.mark.parametrize(
    ("n_flows", "n_paths", "expected"), [(8, 8, 2.597), (16, 16, 3.078), (64, 16, 7.880)]
)
def test_the_expected_maximum_is_the_published_one(
    n_flows: int, n_paths: int, expected: float
) -> None:
    assert reference["expected_max"](n_flows, n_paths) == pytest.approx(expected, abs=5e-4)


def test_eight_flows_on_eight_paths_rarely_stay_apart() -> None:
    assert reference["no_collision"](8, 8) == pytest.approx(0.0024, abs=5e-5)


@pytest.mark.parametrize(("n_flows", "n_paths"), [(1, 1), (1, 5), (4, 1), (4, 3), (5, 4), (6, 2)])
def test_it_is_what_counting_every_outcome_gives(n_flows: int, n_paths: int) -> None:
    outcomes = list(itertools.product(range(n_paths), repeat=n_flows))
    total = sum(max(map(one.count, one)) for one in outcomes)
    assert reference["expected_max"](n_flows, n_paths) == pytest.approx(total / len(outcomes))


@pytest.mark.parametrize("seed", range(20))
def test_the_placement_is_the_best_of_all(seed: int) -> None:
    generator = random.Random(seed)
    n_paths, n_qps = generator.randint(1, 4), generator.randint(1, 2)
    path_of = [[generator.randrange(n_paths) for _ in range(3)] for _ in range(4)]
    choices = itertools.product(itertools.combinations(range(3), n_qps), repeat=4)
    best = min(
        max(
            [path_of[flow][port] for flow, ports in enumerate(one) for port in ports].count(path)
            for path in range(n_paths)
        )
        for one in choices
    )
    assert reference["place"](n_paths, n_qps, path_of)[1] == best
