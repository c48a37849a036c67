"""Each value of a design is moved by one step, one at a time, and the rest stays as it was."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML

from graders.design.mutants import of_designs

SECTION = {
    "fields": [
        {
            "name": "plan",
            "fields": [
                {"kind": "whole", "name": "tp", "min": 1, "max": 8},
                {"kind": "number", "name": "link", "unit": "GB/s", "min": 1, "max": 1000},
                {"kind": "number", "name": "share", "min": 0, "max": 1},
                {"kind": "choice", "name": "mode", "options": [{"name": "on"}, {"name": "full"}]},
                {"kind": "flag", "name": "zero"},
                {"kind": "list", "name": "order", "min_items": 1},
                {"kind": "text", "name": "why"},
                {"kind": "whole", "name": "left_out", "min": 1, "max": 8},
            ],
        }
    ]
}
RIGHT = """\
plan: {tp: 8, link: 50 GB/s, share: 0.4, mode: "on", zero: true, order: [tp, dp], why: because}
"""


def read(source: str) -> dict[str, Any]:
    plan = YAML(typ="safe", pure=True).load(source)["plan"]
    assert isinstance(plan, dict)
    return plan


def test_each_kind_of_field_is_moved_by_its_own_step() -> None:
    right = read(RIGHT)
    changed: list[tuple[str, Any]] = []
    for mutant in of_designs(SECTION, RIGHT):
        now = read(mutant.source)
        (moved,) = [name for name in right if now[name] != right[name]]
        assert moved in mutant.missing
        assert mutant.name.startswith(f"plan.{moved}: ")
        changed.append((moved, now[moved]))
    assert changed == [
        ("tp", 7),  # 9 is out of bounds
        ("link", "47.5 GB/s"),
        ("link", "52.5 GB/s"),
        ("share", 0.38),
        ("share", 0.42),
        ("mode", "full"),
        ("zero", False),
        ("order", ["dp", "tp"]),
        ("order", ["tp"]),
    ]
