"""A small worksheet with every kind of field, as a package's section would have it."""

from __future__ import annotations

import copy
from typing import Any

SECTION: dict[str, Any] = {
    "kind": "answers",
    "parameters": [
        {"name": "params", "label": "Parameters", "unit": "billion", "choose": [1, 2, 3, 5, 7]},
        {"name": "dp", "label": "Replicas", "choose": [4, 8, 16]},
        {"name": "size", "label": "Size of the model", "choose": ["small", "large"]},
        {"name": "layers", "label": "Layers", "follows": "size", "values": [12, 48]},
        {"name": "link", "label": "Link", "unit": "GB/s", "choose": [25, 50]},
    ],
    "require": ["params < 7 * billion"],
    "terms": [
        {"name": "weight", "label": "A weight", "unit": "B", "formula": "2 * B"},
        {"name": "whole", "label": "All weights", "unit": "GB", "formula": "weight * params"},
    ],
    "fields": [
        {"name": "held", "kind": "number", "label": "Held", "unit": "GB", "formula": "whole / dp"},
        {"name": "moved", "kind": "number", "label": "Moved in", "unit": "s", "tolerance": 0.02,
         "formula": "whole / link"},
        {"name": "share", "kind": "number", "label": "Share", "unit": "%", "formula": "1 / dp"},
        {"name": "deep", "kind": "choice", "label": "Deep?", "options": [
            {"name": "yes-deep", "label": "Yes", "when": "layers > 20", "advice": "count them"},
            {"name": "not-deep", "label": "No", "when": "layers <= 20"},
        ]},
        {"name": "even", "kind": "set", "label": "Which hold?", "options": [
            {"name": "many", "label": "Many replicas", "when": "dp > 8"},
            {"name": "small", "label": "A small model", "when": "size == 'small'"},
        ]},
        {"name": "stages", "kind": "table", "label": "Stages",
         "rows": [{"name": "zero", "label": "None", "values": {"stage": 0}},
                  {"name": "one", "label": "One", "values": {"stage": 1}}],
         "columns": [
            {"name": "state", "label": "State", "unit": "GB",
             "formula": "12 * B * params / (dp if stage >= 1 else 1)"},
            {"name": "twice", "label": "Twice that", "unit": "GB", "formula": "2 * state"},
         ]},
    ],
    "misconceptions": [
        {"name": "fp32", "advice": "bf16 takes two bytes", "fields": ["held", "moved"],
         "instead": {"weight": "4 * B"}},
        {"name": "no-master", "advice": "the master copy is missing", "fields": ["state", "twice"],
         "instead": {"state": "8 * B * params / (dp if stage >= 1 else 1)"}},
        {"name": "never-here", "advice": "this cannot happen", "fields": ["held"],
         "instead": {"dp": "2 * dp"}, "when": "dp > 16"},
    ],
}  # fmt: skip


def section(**changes: Any) -> dict[str, Any]:
    """The section with other keys where `changes` say so, to be broken at will."""
    return copy.deepcopy(SECTION) | changes


def with_formula(formula: str, unit: str | None = None) -> dict[str, Any]:
    """The section with one number to give."""
    field = {"name": "asked", "kind": "number", "label": "Asked", "formula": formula, "unit": unit}
    return section(fields=[field], misconceptions=[])
