"""A wrong result as a counterexample: the first wrong element, and a heat map of the errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graders.kernel.comparison import ErrorMap, Fault, Mismatch
from graders.kernel.operations.base import Call, Output
from graders.kernel.plan import Result
from graders.text import Text, say, say_n
from graders.verdict import Counterexample, Json, JsonObject

CELL = 14
LEVELS = (1.0, 10.0, 1e3, 1e6)  # times the bound; a tile's level is how many of these it passes


def counterexample(
    output: Output, mismatch: Mismatch, given: Mapping[str, Any], case: str, seed: int
) -> Counterexample:
    """What the page shows; `case` and `seed` replay it."""
    data: JsonObject = {
        "output": output.name,
        "fault": mismatch.fault.value,
        "shape": list(output.shape),
        "dtype": output.dtype.value,
        "index": list(mismatch.index),
        "expected_text": _number(mismatch.expected),
        "got_text": _number(mismatch.got),
        "bound_text": f"{mismatch.bound:.3g}",
        "error_over_bound_text": _times(mismatch),
        "n_wrong": mismatch.n_wrong,
        "n_not_written": mismatch.n_not_written,
        "n_elements": mismatch.n_elements,
        "heat_map": heat_map(mismatch.map),
        "input": {key: value for key, value in given.items() if key != "timed"},
    }
    return Counterexample("tile", sentence(output, mismatch), data, {"case": case, "seed": seed})


def sentence(output: Output, mismatch: Mismatch) -> Text:
    """Rule, fact, and how far it reaches."""
    element = f"{output.name}[{', '.join(map(str, mismatch.index))}]"
    how_many = say_n(
        "{count} of {total} elements is wrong.",
        "{count} of {total} elements are wrong.",
        count=mismatch.n_wrong,
        total=mismatch.n_elements,
    )
    expected = _number(mismatch.expected)
    if mismatch.fault is Fault.NOT_WRITTEN:
        return say(
            "{element} must be {expected}, and no kernel wrote it: {n} of {total} elements still "
            "hold what was there before the call.",
            element=element,
            expected=expected,
            n=mismatch.n_not_written,
            total=mismatch.n_elements,
        )
    if mismatch.fault is Fault.NOT_A_NUMBER:
        return say(
            "{element} must be {expected}, got NaN. {how_many}",
            element=element,
            expected=expected,
            how_many=how_many,
        )
    return say(
        "{element} must be {expected} and correct arithmetic is off by {bound} at most, got {got}. "
        "{how_many}",
        element=element,
        expected=expected,
        bound=f"{mismatch.bound:.3g}",
        got=_number(mismatch.got),
        how_many=how_many,
    )


def results_fault(call: Call, results: tuple[Result, ...]) -> Text | None:
    """Rule and fact where what was returned has another number, shape or type than it must."""
    if len(results) != len(call.outputs):
        return say(
            "the function must return {expected} tensors, it returned {got}.",
            expected=len(call.outputs),
            got=len(results),
        )
    for output, result in zip(call.outputs, results, strict=True):
        if result.shape != output.shape or result.dtype != output.dtype.value:
            return say(
                "{output} must be a {dtype} tensor of shape {shape}, got {got_dtype} of shape "
                "{got_shape}.",
                output=output.name,
                dtype=output.dtype.value,
                shape=str(output.shape),
                got_dtype=result.dtype,
                got_shape=str(result.shape),
            )
    return None


def heat_map(errors: ErrorMap) -> JsonObject:
    """The drawing: a cell for each tile, darker the further it passes its bound."""
    cells: list[Json] = []
    for row, band in enumerate(errors.ratios):
        for column, ratio in enumerate(band):
            cells.append({"x": column * CELL, "y": row * CELL, "level": _level(ratio)})
    n_columns = len(errors.ratios[0]) if errors.ratios else 0
    return {
        "width": max(n_columns * CELL, CELL),
        "height": max(len(errors.ratios) * CELL, CELL),
        "cell": CELL - 1,
        "cells": cells,
        "tile_rows": errors.tile_rows,
        "tile_columns": errors.tile_columns,
    }


def _level(ratio: float) -> int:
    return sum(ratio > limit for limit in LEVELS)


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return f"{value:.9g}"


def _times(mismatch: Mismatch) -> str:
    error = abs(mismatch.got - mismatch.expected)
    if mismatch.fault is not Fault.OUTSIDE_BOUND or not math.isfinite(error):
        return ""
    return f"{error / mismatch.bound:.3g}" if mismatch.bound > 0.0 else ""
