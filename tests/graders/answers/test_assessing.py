"""Answers in talk are judged by the same rules as those on a worksheet."""

from __future__ import annotations

from typing import Any

import pytest

from graders.answers import Unreadable, assess, question_faults

SECTION: dict[str, Any] = {
    "parameters": [],
    "terms": [],
    "fields": [
        {
            "kind": "number",
            "name": "traffic",
            "label": "Bytes sent",
            "unit": "GB",
            "formula": "2 * (8 - 1) / 8 * 4 * GB",
        },
        {
            "kind": "choice",
            "name": "bound",
            "label": "Bound by",
            "options": [
                {"name": "compute", "label": "Arithmetic", "when": False, "advice": "count again"},
                {"name": "network", "label": "The network", "when": True},
            ],
        },
    ],
    "misconceptions": [
        {
            "name": "one-way",
            "advice": "this is the reduce-scatter alone, half of an all-reduce",
            "fields": ["traffic"],
            "instead": {"traffic": "(8 - 1) / 8 * 4 * GB"},
        }
    ],
}


def test_a_right_answer_is_right_in_any_unit() -> None:
    traffic, bound = assess(SECTION, "traffic: 56 Gb\nbound: network\n", seed=1)
    assert (traffic.ok, traffic.message, bound.ok) == (True, None, True)


def test_a_wrong_answer_names_the_mistake_that_gives_it() -> None:
    traffic, bound = assess(SECTION, "traffic: 3.5 GB\nbound: compute\n", seed=1)
    assert not traffic.ok
    assert str(traffic.message) == (
        "Bytes sent must be 7 GB, got 3.5 GB, 0.5 times that: "
        "this is the reduce-scatter alone, half of an all-reduce."
    )
    assert "count again" in str(bound.message)


def test_an_answer_that_is_missing_is_wrong() -> None:
    assert [one.ok for one in assess(SECTION, "", seed=1)] == [False, False]


def test_what_is_no_yaml_is_told_so() -> None:
    with pytest.raises(Unreadable):
        assess(SECTION, "traffic: [", seed=1)


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("2 * nothing", "nothing"),
        ("2 * s", "must give"),
        ("0 * GB", "must be finite and positive"),
    ],
)
def test_a_question_without_a_right_answer_is_found_when_it_is_read(
    formula: str, told: str
) -> None:
    assert question_faults(SECTION) == []
    fields = [{**SECTION["fields"][0], "formula": formula}]
    (fault, *_more) = question_faults({**SECTION, "fields": fields, "misconceptions": []})
    assert fault.place[0] == "fields"
    assert told in fault.message
