"""What a model says is held against its contract: whole, bounded, in agreement with itself."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from graders.design.assessment import MAX_TERMS, assessment
from graders.ports import JudgeError
from graders.text import say, to_json

DECLARED = ["space", "power", "heat"]


def constraint(name: str, holds: bool = True) -> dict[str, Any]:
    return {
        "name": name,
        "rule": "It must hold.",
        "holds": holds,
        "terms": [{"label": "it", "formula": "a * b", "value": 3, "unit": "m"}],
        "message": "" if holds else "it must be 2, it is 3",
    }


def said(*constraints: dict[str, Any], **changes: Any) -> dict[str, Any]:
    fails = not all(one["holds"] for one in constraints)
    return {
        "constraints": list(constraints),
        "metrics": [],
        "cost": None if fails else {"label": "Cost", "value": 2.0, "unit": "s"},
        "best": None if fails else 1,
        "better": None,
        "rubric": [],
        "pictures": {},
    } | changes


WHOLE = said(constraint("space"), constraint("power"), constraint("heat"))


@pytest.mark.parametrize(
    "names",
    [
        [("space", False)],
        [("space", True), ("power", False)],
        [("space", False), ("heat", False)],
        [("space", True), ("power", False), ("heat", True)],
        [("space", True), ("power", True), ("heat", True)],
    ],
)
def test_behind_a_failing_constraint_others_may_be_left_out(names: list[tuple[str, bool]]) -> None:
    found = assessment(said(*(constraint(*one) for one in names)), DECLARED)
    failing = next((name for name, holds in names if not holds), None)
    assert (found.failing.name if found.failing else None) == failing


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([("space", True)], "not \\['power', 'heat'\\]"),
        ([("space", True), ("heat", True)], "not \\['power'\\]"),
        ([("power", False)], "not \\['space'\\]"),
        ([], "not \\['space', 'power', 'heat'\\]"),
        ([("power", True), ("space", True), ("heat", True)], "in that order"),
        ([("space", True), ("space", True)], "in that order"),
        ([("space", True), ("power", True), ("heat", True), ("noise", True)], "in that order"),
    ],
)
def test_a_model_cannot_forget_a_constraint_in_silence(
    names: list[tuple[str, bool]], message: str
) -> None:
    with pytest.raises(JudgeError, match=message):
        assessment(said(*(constraint(*one) for one in names)), DECLARED)


def test_sentences_stay_translatable() -> None:
    one = constraint("space", holds=False) | {"message": say("it is {n}", n=3)}
    found = assessment(to_json(said(one)), DECLARED)  # type: ignore[arg-type]
    assert found.failing is not None
    assert found.failing.message == "it is 3"
    assert getattr(found.failing.message, "template", None) == "it is {n}"


BETTER = {"changes": [{"field": "room.racks", "from": 3, "to": 2}], "cost": 1.5}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"best": 0}, "best must be positive"),
        ({"best": float("nan")}, "finite"),
        ({"best": 10**400}, "finite"),
        ({"best": True}, "finite"),
        ({"cost": {"label": "", "value": 1, "unit": ""}}, "label must not be empty"),
        ({"cost": {"label": "Cost", "value": 1}}, "the keys must be"),
        ({"extra": 1}, "the keys must be"),
        ({"better": BETTER | {"cost": 2.0}}, "must cost less"),
        ({"better": {"changes": [], "cost": 1}}, "must differ in something"),
        ({"better": BETTER, "cost": None}, "must cost less"),
        ({"metrics": [{"name": "m", "label": "M", "value": None, "unit": ""}]}, "finite number"),
        ({"metrics": "none"}, "metrics must be a list"),
        ({"metrics": [{"name": "m", "label": "M", "value": 1, "unit": ""}] * 101}, "list of 100"),
        ({"rubric": [{"name": "R", "level": -1, "why": "w"}]}, "a level must be"),
        ({"rubric": [{"name": "R", "level": True, "why": "w"}]}, "a level must be"),
        ({"pictures": {"photo": {}}}, "a picture must be one of"),
        ({"pictures": {"bars": []}}, "data must be a dict"),
        ({"pictures": {"bars": {"charts": ["x" * 70_000]}}}, "of 65536 characters"),
        ({"pictures": {"bars": {"charts": [float("inf")]}}}, "JSON"),
        ({"pictures": {"bars": {"charts": [{}]}}}, "cannot be drawn"),
        ({"pictures": []}, "pictures must be a dict"),
        ({"constraints": "none"}, "constraints must be a list"),
    ],
)
def test_what_breaks_the_contract_is_a_judge_error(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(JudgeError, match=message):
        assessment(WHOLE | changes, DECLARED)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"holds": False}, "a message says why it fails"),
        ({"message": "but it holds"}, "a message says why it fails"),
        ({"terms": []}, "must show its arithmetic"),
        ({"terms": [{"label": "x", "formula": "", "value": 1, "unit": ""}] * (MAX_TERMS + 1)},
         "terms must be a list"),
        ({"rule": {"$say": {"template": "{a.b}", "values": {}}}}, "plain name"),
        ({"name": ["space"]}, "a name must be"),
    ],
)  # fmt: skip
def test_a_constraint_agrees_with_itself(changes: dict[str, Any], message: str) -> None:
    broken = copy.deepcopy(WHOLE)
    broken["constraints"][0] |= changes
    with pytest.raises(JudgeError, match=message):
        assessment(broken, DECLARED)


def test_a_failing_design_has_no_cost() -> None:
    with pytest.raises(JudgeError, match="must be None where a constraint fails"):
        assessment(said(constraint("space", False)) | {"best": 1.0}, DECLARED)
