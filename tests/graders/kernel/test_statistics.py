"""Ratios of alternating times: right medians, honest intervals, an end."""

from __future__ import annotations

import math
import random

import pytest

from graders.kernel.statistics import (
    LIMIT_S,
    MIN_PAIRS,
    enough,
    median,
    median_interval,
    ratio,
)


def test_the_interval_of_thirty_is_the_tables_one() -> None:
    # Conover's table of the binomial: ranks 10 and 21 of 30 give 95.7 %.
    assert median_interval(30) == (9, 20)


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    rng = random.Random(1)
    trials, covered = 2000, 0
    for _ in range(trials):
        sample = sorted(rng.expovariate(1.0) for _ in range(41))
        low, high = median_interval(41)
        covered += sample[low] <= math.log(2.0) <= sample[high]
    assert covered / trials >= 0.94


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_tiny_sample_gives_its_whole_range(n: int) -> None:
    assert median_interval(n) == (0, n - 1)


def test_the_interval_of_thousands_is_that_of_the_normal_distribution() -> None:
    low, high = median_interval(4000)
    assert high - low == pytest.approx(1.96 * math.sqrt(4000), rel=0.02)


def test_an_outlier_does_not_move_the_ratio() -> None:
    a, b = [1.02] * 59 + [50.0], [1.0] * 60
    found = ratio(a, b)
    assert found.value == pytest.approx(1.02)
    assert not found.noisy


def test_a_drift_that_hits_both_cancels() -> None:
    drift = [1.0 + 0.01 * i for i in range(60)]
    found = ratio([0.9 * one for one in drift], drift)
    assert found.value == pytest.approx(0.9)
    assert found.half_width < 1e-12


def test_noise_is_called_noise() -> None:
    rng = random.Random(2)
    a = [math.exp(rng.gauss(0, 0.2)) for _ in range(MIN_PAIRS)]
    assert ratio(a, [1.0] * MIN_PAIRS).noisy
    assert not enough(a, [1.0] * MIN_PAIRS, elapsed_s=1.0)
    assert enough(a, [1.0] * MIN_PAIRS, elapsed_s=LIMIT_S)


def test_few_pairs_are_never_enough_however_well_they_agree() -> None:
    same = [1.0] * (MIN_PAIRS - 1)
    assert not enough(same, same, elapsed_s=1.0)
    assert enough([*same, 1.0], [*same, 1.0], elapsed_s=1.0)
    assert not enough([], [], elapsed_s=LIMIT_S + 1)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], []), ([1.0], [0.0]), ([-1.0], [1.0])])
def test_times_that_are_none_are_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match="times must"):
        ratio(a, b)


def test_a_median_of_an_even_number_lies_between() -> None:
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5
    with pytest.raises(ValueError, match="needs a value"):
        median([])
