"""Comparing: the first wrong element, what was never written, and where the errors lie."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from graders.kernel.comparison import MAP_CELLS, Fault, Mismatch, compare, error_map
from graders.kernel.comparison_json import comparison_to_json, mismatch_from_json
from graders.kernel.elements import DType
from graders.kernel.operations.base import Expected
from graders.kernel.tile import heat_map


def mismatch(value: Any, got: Any, bound: float = 0.0, written: Any = None) -> Mismatch | None:
    value, got = np.array(value, float), np.array(got, float)
    not_written = np.zeros(got.shape, bool) if written is None else ~np.array(written)
    expected = Expected(value, np.full(value.shape, bound))
    return compare(np, expected, DType.FLOAT16, got, not_written).mismatch


def test_the_last_rounding_is_allowed_and_no_more() -> None:
    ulp = 2.0**-10
    assert mismatch([[1.0 + ulp / 2]], [[1.0]]) is None
    assert mismatch([[1.0 + ulp]], [[1.0]]) is not None


def test_the_first_wrong_element_is_named() -> None:
    found = mismatch([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [5.0, 9.0]])
    assert found is not None
    assert (found.index, found.expected, found.got) == ((1, 0), 3.0, 5.0)
    assert (found.n_wrong, found.n_elements) == (2, 4)


def test_poison_is_called_not_written_and_nan_is_called_nan() -> None:
    poison = mismatch([[1.0, 2.0]], [[math.nan, 2.0]], written=[[False, True]])
    assert poison is not None
    assert (poison.fault, poison.n_not_written) == (Fault.NOT_WRITTEN, 1)
    made = mismatch([[1.0, 2.0]], [[math.nan, 2.0]])
    assert made is not None
    assert made.fault is Fault.NOT_A_NUMBER


@pytest.mark.parametrize(
    ("value", "got", "right"),
    [
        (-math.inf, -math.inf, True),
        (-math.inf, -65504.0, False),
        (-math.inf, math.inf, False),
        (70000.0, math.inf, True),  # it rounds to infinity in fp16
        (70000.0, -math.inf, False),
        (60000.0, math.inf, False),
        (1.0, math.inf, False),
    ],
)
def test_infinities(value: float, got: float, right: bool) -> None:
    assert (mismatch([[value]], [[got]]) is None) is right


def test_a_map_covers_the_output_with_few_tiles_and_shows_the_worst_of_each() -> None:
    ratios = np.zeros((3, 70, 1000))
    ratios[1, 5, 999] = 7.0
    made = error_map(np, ratios)
    assert len(made.ratios) <= MAP_CELLS
    assert len(made.ratios[0]) <= MAP_CELLS
    wrong = [
        (row, column)
        for row, band in enumerate(made.ratios)
        for column, ratio in enumerate(band)
        if ratio
    ]
    assert wrong == [((70 + 5) // made.tile_rows, 999 // made.tile_columns)]


def test_a_mismatch_survives_json() -> None:
    expected = Expected(np.array([[1.0, -math.inf]]), np.zeros((1, 2)))
    found = compare(
        np, expected, DType.FLOAT32, np.array([[math.nan, 1.0]]), np.zeros((1, 2), bool)
    )
    assert found.mismatch is not None
    told = json.loads(json.dumps(comparison_to_json(found), allow_nan=False))
    back = mismatch_from_json(told["mismatch"])
    assert math.isnan(back.got)
    assert back.map == found.mismatch.map


def test_a_heat_map_has_a_cell_for_each_tile_and_darker_ones_for_larger_errors() -> None:
    ratios = np.array([[0.5, 5.0], [500.0, math.inf]])
    drawn = heat_map(error_map(np, ratios))
    assert [cell["level"] for cell in drawn["cells"]] == [0, 1, 2, 4]  # type: ignore[index,union-attr,call-overload]
    assert drawn["width"] == drawn["height"]
