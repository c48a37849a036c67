"""A design is read strictly: what cannot be taken is told at its place, with what to do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.design import json_schema, read
from graders.design.nodes import MAX_CHARACTERS
from tests.graders.design.box import RIGHT, groups

GROUPS = groups()


def told(source: str) -> list[tuple[int, int, str]]:
    reading = read(GROUPS, source)
    assert (reading.design is None) == bool(reading.faults)
    return [(one.span.line, one.span.column, str(one.message)) for one in reading.faults]


def test_what_is_left_out_has_its_default() -> None:
    assert read(GROUPS, RIGHT).design == {
        "room": {
            "racks": 20,
            "power": 40.0,
            "load": 0.5,
            "cooling": "air",
            "spare": False,
            "why": "",
        },
        "network": {"tiers": [{"ports": 64}], "order": []},
    }


@pytest.mark.parametrize(
    ("written", "power"),
    [("40 kW", 40.0), ("40000 W", 40.0), ("0.04 MW", 40.0), ('"40 kW"', 40.0), ("40 kJ/s", 40.0)],
)
def test_a_number_comes_in_the_fields_unit(written: str, power: float) -> None:
    design: Any = read(GROUPS, RIGHT.replace("40 kW", written)).design
    assert design is not None
    assert design["room"]["power"] == pytest.approx(power)


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            "racks: 20",
            "racks: 20.5",
            (1, 15),
            "room.racks must be a whole number from 1 to 100, got 20.5",
        ),
        ("racks: 20", "racks: 0", (1, 15), "from 1 to 100, got 0"),
        ("racks: 20", "racks: twenty", (1, 15), "got twenty"),
        ("racks: 20", "racks: 1_0", (1, 15), "got 1_0"),
        ("racks: 20", "racks: ~", (1, 15), "got nothing"),
        ("racks: 20", "racks: [20]", (1, 15), "got a list"),
        ("40 kW", "40", (1, 26), "a number needs a unit here, 40 has none. Write one of W, kW"),
        ("40 kW", "40 GB", (1, 26), "a power is wanted here, and GB measures a size in bytes"),
        ("40 kW", "40 kw", (1, 26), "Write kW"),
        ("40 kW", "1 MW", (1, 26), "from 1 to 200 kW, got 1 MW"),
        ("40 kW", "nan kW", (1, 26), "must be a number with its unit"),
        (
            "cooling: air",
            "cooling: watr",
            (1, 42),
            "one of air, water, got watr. Did you mean water?",
        ),
        ("cooling: air", "cooling: oil", (1, 42), "must be one of air, water, got oil"),
        ("cooling: air", "colling: air", (1, 33), "room has no key colling. Did you mean cooling?"),
        (
            "cooling: air",
            "cooling: air, tiers: []",
            (1, 47),
            "room has no key tiers, it belongs below network. Move it there",
        ),
        (
            "cooling: air",
            "cooling: air, cooling: air",
            (1, 47),
            "a key may stand once, and cooling stands at line 1 too",
        ),
        (
            "cooling: air",
            "cooling: air, spare: yes",
            (1, 54),
            "room.spare must be true or false, got yes",
        ),
        ("cooling: air", "cooling: air, spare: 'True'", (1, 54), "got True"),
        ("cooling: air", "cooling: air, load: 120 %", (1, 53), "a number from 0 to 1, got 120 %"),
        (
            "cooling: air",
            "cooling: air, why: " + "x" * 41,
            (1, 52),
            "may have 40 characters, this text has 41",
        ),
        ("cooling: air", r'cooling: air, why: "\0"', (1, 52), "without NUL"),
        ("cooling: air", "cooling: &a air", (1, 42), "aliases, anchors and tags are not used here"),
        ("cooling: air", "cooling: !!str air", (1, 42), "aliases, anchors and tags"),
        (
            ", cooling: air",
            "",
            (1, 1),
            "room must have cooling, and it has none. Add it: one of air, water",
        ),
    ],
)
def test_a_fault_is_told_at_its_place(
    old: str, new: str, place: tuple[int, int], message: str
) -> None:
    assert old in RIGHT
    faults = told(RIGHT.replace(old, new))
    assert any(where[:2] == place and message in where[2] for where in faults), faults


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "the design must have room, and it has none"),
        ("- a\n", "the design must be a mapping"),
        ("room: [1]\nnetwork: {}\n", "room must be a mapping"),
        ("room:\n", "room must have racks"),
        (RIGHT + "---\na: b\n", "one document, and a second one begins"),
        ("%YAML 1.1\n---\n" + RIGHT, "directives are not used here"),
        ("room: {racks: 1", "a design must be YAML, and reading stopped here"),
        ("? [a]\n: b\n", "a key must be one word"),
        (RIGHT + "network: {tiers: []}\n", "a list of 1 to 3 items"),
        (
            RIGHT + "network: {tiers: [{ports: 1}]}\n",
            "network.tiers[0].ports must be a whole number",
        ),
        (RIGHT + "network: {tiers: 3}\n", "got no list"),
        (RIGHT + "network: {order: [a, c]}\n", "network.order[1] must be one of a, b, got c"),
        (RIGHT + "netwrk: {}\n", "the design has no key netwrk. Did you mean network?"),
        ("[" * 30, "nested 8 deep"),
        ("a: " + "[0, " * 5000, "and this is one more"),
        ("x" * (MAX_CHARACTERS + 1), "a design may have 65536 characters, this one has 65537"),
    ],
)
def test_what_is_no_design_is_told(source: str, message: str) -> None:
    assert any(message in one for _, _, one in told(source)), told(source)


def test_every_fault_is_told_at_once_in_reading_order() -> None:
    faults = told("room:\n  racks: x\n  power: 1\n  cooling: air\n  spare: maybe\nroof: 1\n")
    assert [line for line, _, _ in faults] == [2, 3, 5, 6]


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(codec="utf-8"), max_size=60)
    | st.from_regex(r"room: \{[a-z0-9:, '\"{}\[\]&*!|>-]*\}")
)
def test_no_text_breaks_the_reader(source: str) -> None:
    lines = source.splitlines() or [""]
    for fault in read(GROUPS, source).faults:
        assert 1 <= fault.span.line <= len(lines) + 1
        assert 1 <= fault.span.column < fault.span.end


def test_the_schema_of_the_editor_offers_what_the_reader_takes() -> None:
    schema: Any = json_schema(GROUPS)
    room = schema["properties"]["room"]
    assert schema["required"] == ["room"]
    assert room["required"] == ["racks", "power", "cooling"]
    assert room["properties"]["cooling"]["enum"] == ["air", "water"]
    assert room["properties"]["racks"]["maximum"] == 100
    assert "units that will do: W, kW" in room["properties"]["power"]["description"]
    tiers = schema["properties"]["network"]["properties"]["tiers"]
    assert tiers["items"]["properties"]["ports"]["minimum"] == 2
