"""What is said of a wrong number: which ranks' parts are in it."""

from __future__ import annotations

import numpy as np
import pytest

from graders.simulation.ring.contributions import count_parts, describe_parts, rounding_bound
from graders.simulation.ring.inputs import Input

PARTS = np.array([vector[0] for vector in Input(5, 1, "float64").vectors(seed=1)])


@pytest.mark.parametrize("counts", [[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 2, 1, 1, 1], [0] * 5])
def test_the_parts_in_a_sum_are_found(counts: list[int]) -> None:
    assert count_parts(float(PARTS @ counts), PARTS) == counts


def test_a_number_that_is_no_sum_of_parts_is_told() -> None:
    assert count_parts(float(PARTS.sum() + 1e-6), PARTS) is None
    assert count_parts(float("nan"), PARTS) is None
    assert describe_parts(None) == "it is no sum of the ranks' parts"


def test_on_many_ranks_a_stretch_of_the_ring_is_found() -> None:
    parts = np.array([vector[0] for vector in Input(16, 1, "float32").vectors(seed=2)])
    counts = [0, 0, 1, 1, 1] + [0] * 11
    assert count_parts(float(np.float32(parts @ np.array(counts))), parts) == counts
    twice = [1] * 15 + [2]
    assert count_parts(float(np.float32(parts @ np.array(twice))), parts) == twice


def test_the_description_names_what_lacks_and_what_is_there_twice() -> None:
    both = "it lacks the part of rank 1 and has the part of rank 2 twice"
    assert describe_parts([1, 0, 2, 1]) == both
    assert describe_parts([0, 1, 0, 0]) == "it lacks the part of ranks 0, 2 and 3"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_order_of_additions_leaves_the_rounding_bound(dtype: str) -> None:
    generator = np.random.default_rng(5)
    parts = generator.uniform(-2, 2, (16, 200)).astype(dtype)
    exact = np.sum(parts.astype(np.longdouble), axis=0)
    bound = rounding_bound(parts)
    for _ in range(20):
        total = np.zeros(200, dtype)
        for rank in generator.permutation(16):
            total += parts[rank]
        assert np.all(np.abs(total - exact) <= bound)
    assert bound.max() < 1e-4, "the bound must stay far below the smallest part, which is 1"


def test_integers_and_single_ranks_have_nothing_to_round() -> None:
    assert not rounding_bound(np.array([[1, 2], [3, 4]])).any()
    assert not rounding_bound(np.array([[1.5, 2.5]])).any()


def test_every_part_stands_out_from_rounding() -> None:
    for dtype in ("float64", "float32", "int64"):
        vectors = Input(16, 50, dtype).vectors(seed=9)
        assert np.abs(np.array(vectors)).min() >= 1


def test_inputs_follow_from_seed_and_shape_alone() -> None:
    chosen = Input(3, 4, "float64")
    assert np.array_equal(chosen.vectors(7), chosen.vectors(7))
    assert not np.array_equal(chosen.vectors(7), chosen.vectors(8))
    assert not np.array_equal(chosen.vectors(7)[0], Input(4, 4, "float64").vectors(7)[0])


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"n_ranks": 17, "length": 1, "dtype": "float64"}, "n_ranks must be 1 to 16, got 17"),
        ({"n_ranks": True, "length": 1, "dtype": "float64"}, "n_ranks must be 1 to 16, got True"),
        ({"n_ranks": 2, "length": -1, "dtype": "float64"}, "length must be 0 to"),
        ({"n_ranks": 2, "length": 1, "dtype": "float16"}, "dtype must be"),
        ({"n_ranks": 2, "length": 1}, "input must have n_ranks, length and dtype"),
    ],
)
def test_a_package_with_a_bad_input_is_told_so(fields: dict[str, object], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Input.parse(fields)
