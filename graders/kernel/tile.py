"""The heat map of a wrong result: a cell for each tile, darker the further it passes its bound."""

from __future__ import annotations

from graders.kernel.comparison import ErrorMap
from graders.verdict import Json, JsonObject

CELL = 14  # side of a tile in the drawing
LEVELS = (1.0, 10.0, 1e3, 1e6)  # times the bound; a tile's level is how many of these it passes


def heat_map(errors: ErrorMap) -> JsonObject:
    """The drawing of an error map; lengths in units of the drawing, `tile_*` in elements."""
    cells: list[Json] = [
        {"x": column * CELL, "y": row * CELL, "level": _level(ratio)}
        for row, band in enumerate(errors.ratios)
        for column, ratio in enumerate(band)
    ]
    n_columns = len(errors.ratios[0]) if errors.ratios else 1
    return {
        "width": n_columns * CELL,
        "height": max(len(errors.ratios), 1) * CELL,
        "cell": CELL - 1,
        "cells": cells,
        "tile_rows": errors.tile_rows,
        "tile_columns": errors.tile_columns,
    }


def _level(ratio: float) -> int:
    return sum(ratio > limit for limit in LEVELS)
