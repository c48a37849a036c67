"""A comparison as JSON and back; numbers that JSON lacks travel as strings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from graders.kernel.comparison import Comparison, ErrorMap, Fault, Mismatch


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison as JSON."""
    return _spelled(asdict(comparison))  # type: ignore[no-any-return]


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spelled(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def mismatch_from_json(given: Mapping[str, Any]) -> Mismatch:
    """The mismatch of what `comparison_to_json` gave."""
    errors = given["map"]
    return Mismatch(
        fault=Fault(given["fault"]),
        index=tuple(given["index"]),
        expected=float(given["expected"]),
        got=float(given["got"]),
        bound=float(given["bound"]),
        n_wrong=int(given["n_wrong"]),
        n_not_written=int(given["n_not_written"]),
        n_elements=int(given["n_elements"]),
        map=ErrorMap(
            errors["tile_rows"],
            errors["tile_columns"],
            tuple(tuple(float(one) for one in band) for band in errors["ratios"]),
        ),
    )
