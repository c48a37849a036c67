"""A worksheet's section is checked whole, and everything wrong with it is told at once."""

from __future__ import annotations

from typing import Any

import pytest

from graders.answers.worksheet.checking import TemplateInvalid, template_of
from tests.graders.answers.sheet import section, with_formula


def told(broken: dict[str, Any]) -> dict[tuple[str | int, ...], str]:
    with pytest.raises(TemplateInvalid) as raised:
        template_of(broken)
    return {fault.place: fault.message for fault in raised.value.faults}


def test_a_sound_section_is_compiled() -> None:
    template = template_of(section())
    assert template.combinations == 5 * 3 * 2 * 2
    assert [one.name for one in template.fields] == [
        "held", "moved", "share", "deep", "even", "stages",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "unit", "message"),
    [
        ("params * B", "s", "the formula of asked must give time (s), it gives information"),
        ("params", "GB", "the formula of asked must give information (GB), it gives a plain"),
        ("params * B", "KB", "a unit must be known, KB is not; write kB (1000 B) or KiB (1024 B)"),
        ("size", None, "this must be a number, got a text"),
        ("params >", None, "at character"),
    ],
)
def test_a_field_must_give_what_its_unit_measures(
    formula: str, unit: str | None, message: str
) -> None:
    assert any(message in one for one in told(with_formula(formula, unit)).values())


@pytest.mark.parametrize(
    ("changes", "place", "message"),
    [
        ({"require": ["params"]}, ("require", 0), "this must be a condition"),
        (
            {"parameters": [{"name": "h", "label": "x", "choose": [1]}]},
            ("parameters", 0, "name"),
            "a name must not be that of a unit, h is one",
        ),
        (
            {"parameters": [{"name": "x", "label": "x"}]},
            ("parameters", 0),
            "a parameter must have choose, or follows with values",
        ),
        (
            {"parameters": [{"name": "x", "label": "x", "follows": "y", "values": [1]}]},
            ("parameters", 0, "values"),
            "y is none that is drawn above",
        ),
        (
            {"parameters": [{"name": "x", "label": "x", "choose": [1, "two"]}]},
            ("parameters", 0, "choose"),
            "all numbers or all texts",
        ),
        (
            {"terms": [{"name": "dp", "label": "x", "formula": "1"}]},
            ("terms", 0, "name"),
            "a name may be defined once, dp is defined above too",
        ),
        (
            {"terms": [{"name": "x", "label": "x", "formula": "held / B"}]},
            ("terms", 0, "formula"),
            "a name must be a value defined above or a unit, got held",
        ),
    ],
)
def test_each_fault_has_its_place(
    changes: dict[str, Any], place: tuple[str | int, ...], message: str
) -> None:
    assert message in told(section(**changes))[place]


def test_nothing_outside_a_table_sees_its_columns() -> None:
    fields = [*section()["fields"], {"name": "sum_of", "kind": "number", "label": "Sum",
              "unit": "GB", "formula": "state"}]  # fmt: skip
    assert "got state" in told(section(fields=fields))[("fields", 6, "formula")]


@pytest.mark.parametrize(
    ("misconception", "where", "message"),
    [
        ({"fields": ["deep"]}, ("fields", 0), "of a number or of a table's column, deep is none"),
        ({"instead": {"stage": "2"}}, ("instead", "stage"), "must name a parameter, term, field"),
        ({"instead": {"weight": "4"}}, ("instead", "weight"), "must give information"),
        ({"when": "dp"}, ("when",), "this must be a condition"),
    ],
)
def test_a_misconception_is_checked_like_the_rest(
    misconception: dict[str, Any], where: tuple[str | int, ...], message: str
) -> None:
    sound = section()["misconceptions"][0]
    faults = told(section(misconceptions=[sound | misconception]))
    assert message in faults[("misconceptions", 0, *where)]


def test_everything_wrong_is_told_at_once() -> None:
    broken = section(require=["params", "nope > 1"], terms=[])
    assert len(told(broken)) > 3
