"""The generator: known answers of Philox, laws, and independence of where drawing starts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from graders.kernel.elements import DType, narrow, widen
from graders.kernel.inputs import _CHUNK, Fill, Law, draw, philox


def test_philox_gives_the_published_answers() -> None:
    # Random123's kat_vectors: philox4x32 10, counters and keys of zeros and of ones.
    zeros = philox(np.zeros(1, np.uint32), stream=0, seed=0)
    assert [int(word[0]) for word in zeros] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_words_do_not_depend_on_where_a_chunk_begins() -> None:
    long = draw(Fill(), DType.FLOAT32, _CHUNK + 11, seed=7, stream=3)
    short = draw(Fill(), DType.FLOAT32, 11, seed=7, stream=3)
    assert np.array_equal(long[:11], short)
    assert len(np.unique(long[_CHUNK - 5 : _CHUNK + 5])) > 1


@pytest.mark.parametrize("other", [{"seed": 8, "stream": 0}, {"seed": 7, "stream": 1}])
def test_another_seed_or_tensor_has_other_numbers(other: dict[str, int]) -> None:
    one = draw(Fill(), DType.FLOAT32, 1000, seed=7, stream=0)
    assert np.count_nonzero(one == draw(Fill(), DType.FLOAT32, 1000, **other)) < 5


def test_the_high_half_of_the_seed_counts() -> None:
    low = draw(Fill(), DType.FLOAT32, 100, seed=5, stream=0)
    high = draw(Fill(), DType.FLOAT32, 100, seed=5 + (1 << 32), stream=0)
    assert not np.array_equal(low, high)


def test_normal_numbers_have_mean_0_and_variance_1() -> None:
    numbers = widen(draw(Fill(), DType.FLOAT32, 200_000, seed=1, stream=0), DType.FLOAT32)
    assert abs(numbers.mean()) < 0.01
    assert abs(numbers.var() - 1.0) < 0.01
    assert np.abs(numbers).max() < math.sqrt(12.01)


def test_integers_take_every_value_of_their_range() -> None:
    words = draw(Fill(Law.INTEGERS, low=-2, high=3), DType.BFLOAT16, 2000, seed=1, stream=0)
    assert sorted(set(widen(words, DType.BFLOAT16))) == [-2, -1, 0, 1, 2, 3]


def test_special_rows_and_elements_are_where_they_must_be() -> None:
    fill = Fill(special=-math.inf, special_one_in=4, special_row_one_in=3, row_elements=50)
    rows = widen(draw(fill, DType.FLOAT16, 600, seed=1, stream=0), DType.FLOAT16).reshape(12, 50)
    whole = np.isneginf(rows).all(axis=1)
    assert list(np.flatnonzero(whole)) == [2, 5, 8, 11]
    share = np.isneginf(rows[~whole]).mean()
    assert 0.15 < share < 0.35


def test_a_power_of_two_scales_exactly() -> None:
    one = widen(draw(Fill(), DType.FLOAT32, 100, seed=1, stream=0), DType.FLOAT32)
    large = widen(draw(Fill(scale_log2=60), DType.FLOAT32, 100, seed=1, stream=0), DType.FLOAT32)
    assert np.array_equal(large, one * 2.0**60)


def test_an_odd_number_of_elements_is_filled_to_the_end() -> None:
    assert len(draw(Fill(), DType.FLOAT16, 7, seed=1, stream=0)) == 7
    assert len(draw(Fill(), DType.FLOAT16, 0, seed=1, stream=0)) == 0


@pytest.mark.parametrize("dtype", [DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32])
def test_every_word_survives_widening_and_narrowing(dtype: DType) -> None:
    words = np.arange(1 << 16, dtype=np.uint32).astype(dtype.word)
    if dtype is DType.FLOAT32:
        words = np.random.default_rng(1).integers(0, 1 << 32, 1 << 16, dtype=np.uint32)
    numbers = widen(words, dtype)
    real = ~np.isnan(numbers)
    assert np.array_equal(narrow(numbers, dtype)[real], words[real])


def test_bfloat16_rounds_to_nearest_even_once() -> None:
    # 1 + 2^-8 lies half way between 1 and the next bf16; a hair above it must go up even though
    # float32 alone would drop the hair.
    half = 1.0 + 2.0**-8
    values = np.array([half, half + 2.0**-40, 1.0 + 3 * 2.0**-8, -half])
    assert list(widen(narrow(values, DType.BFLOAT16), DType.BFLOAT16)) == [
        1.0,
        1.0 + 2.0**-7,
        1.0 + 2.0**-6,
        -1.0,
    ]


def test_what_is_too_large_becomes_infinite_at_the_threshold() -> None:
    for dtype in (DType.FLOAT16, DType.BFLOAT16):
        limit = dtype.overflow_threshold
        below, at = widen(narrow(np.array([limit * (1 - 1e-9), limit]), dtype), dtype)
        assert math.isfinite(below)
        assert math.isinf(at)
