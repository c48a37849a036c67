"""YAML is read by the rules of 1.2, and what could be read in two ways is not read at all."""

from __future__ import annotations

from typing import Any

import pytest

from problems.strict_yaml import Position, read


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-5", 1e-5),
        ("1.0e-6", 1e-6),
        ("-3", -3),
        ("+.5", 0.5),
        ("0x1F", 31),
        ("0o17", 15),
        ("0", 0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("1.2.3", "1.2.3"),
        ("2024-01-01", "2024-01-01"),
        ("'on'", "on"),
        ('"1e-5"', "1e-5"),
        ("nowhere", "nowhere"),
    ],
)
def test_a_word_means_what_yaml_1_2_says(word: str, value: Any) -> None:
    document = read(f"key: {word}\n")
    assert document.faults == []
    assert document.value == {"key": value}
    assert type(document.value["key"]) is type(value)


@pytest.mark.parametrize(
    "word",
    ["on", "No", "y", "OFF", "010", "-07", "1_000", "1:30", ".inf", "-.Inf", ".nan", "1e400",
     "9" * 400, "*alias", "&anchor 1", "!!int 5", "!tag text", '"\\0"', '"\\ud800"'],
)  # fmt: skip
def test_a_word_on_which_readers_differ_is_refused_at_its_place(word: str) -> None:
    (fault,) = read(f"first: 1\nkey: {word}\n").faults
    assert fault.position == Position(2, 6)


@pytest.mark.parametrize(
    "text", ["a: [1,\n", "a: b: c\n", 'a: "x\n', "\ta: 1\n", "a: \x01\n", "@\n"]
)
def test_a_text_that_is_no_yaml_gives_one_fault_and_no_value(text: str) -> None:
    document = read(text)
    assert document.value is None
    assert ["must be YAML 1.2" in fault.message for fault in document.faults] == [True]


def test_nesting_is_bounded_before_python_is_at_its_limit() -> None:
    document = read("[" * 5000 + "]" * 5000)
    assert document.value is None
    assert ["20 deep" in fault.message for fault in document.faults] == [True]


def test_places_are_those_of_keys_and_of_what_they_hold() -> None:
    document = read("cases:\n  - name: small\n    input: {n: 3}\n")
    where = ("cases", 0, "input", "n")
    assert document.position(where, of_key=True) == Position(3, 13)
    assert document.position(where) == Position(3, 16)
    assert document.position((*where, "absent")) == Position(3, 13)
    assert document.position(("absent",)) == Position(1, 1)


def test_the_second_of_two_equal_keys_does_not_win() -> None:
    document = read("a: 1\na: 2\n")
    assert document.value == {"a": 1}
    assert [fault.position for fault in document.faults] == [Position(2, 1)]
