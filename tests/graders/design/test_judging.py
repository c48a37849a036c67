"""A design gets the verdict of its first failing constraint; a model that errs is our own fault."""

from __future__ import annotations

import pytest

from graders.ports import Case, JudgeError
from tests.graders.design.box import CASES, MODEL, RIGHT, report_of

WIDE = RIGHT.replace("racks: 20", "racks: 60")
HUNGRY = RIGHT.replace("40 kW", "60 kW")
DEAR = RIGHT.replace("racks: 20", "racks: 12")


def test_a_design_that_holds_is_accepted_with_its_assessment() -> None:
    report = report_of(RIGHT)
    assert report["verdict"] == "AC"
    assert report["counterexample"] is None
    found = report["metrics"]["assessment"]
    assert [one["state"] for one in found["constraints"]] == ["holds", "holds"]
    assert found["cost"]["best_text"] == "100"
    assert found["metrics"] == [{"label": "Power", "value_text": "800", "unit": "kW"}]
    assert found["rubric"] == [{"criterion": "Size", "level": 1, "why": "it is computed"}]
    assert [one["kind"] for one in found["pictures"]] == ["bars"]


def test_the_first_constraint_that_fails_speaks_with_its_arithmetic() -> None:
    report = report_of(WIDE)
    assert report["verdict"] == "WA"
    shown = report["counterexample"]
    assert shown["summary"] == "racks must fit into 30 m, 36.0 m are needed"
    assert (shown["kind"], shown["replay"]) == ("constraint", {"case": "room", "seed": 1})
    assert shown["data"]["terms"] == [
        {"label": "length", "formula": "racks * 0.6", "value_text": "36", "unit": "m"}
    ]
    states = {one["name"]: one["state"] for one in shown["data"]["constraints"]}
    assert states == {"space": "fails", "power": "waits"}


def test_a_case_whose_constraint_could_not_be_computed_names_what_stands_in_the_way() -> None:
    report = report_of(WIDE, cases=CASES[1:])
    assert [one["verdict"] for one in report["cases"]] == ["WA", "WA"]
    assert "must fit into 30 m" in report["message"]
    assert report["counterexample"]["replay"]["case"] == "power"


def test_a_case_judges_its_own_constraints_alone() -> None:
    report = report_of(HUNGRY)
    assert [one["verdict"] for one in report["cases"]] == ["AC", "WA", "WA"]
    assert report["message"] == "power must be 1000 kW at most, 1200 are needed"


def test_a_dear_design_is_slow_with_the_ratio_and_the_changes_that_show_it() -> None:
    report = report_of(DEAR)
    assert (report["verdict"], report["counterexample"]["kind"]) == ("SLOW", "cost")
    assert "1.080 times that: room.racks from 12 to 20 already gives 100 USD" in report["message"]
    data = report["counterexample"]["data"]
    assert data["better"]["changes"] == [{"field": "room.racks", "before": "12", "after": "20"}]
    assert report["cases"][-1]["score"] == pytest.approx(100 / 108)


def test_a_cost_at_the_very_limit_is_allowed() -> None:
    assert report_of(RIGHT.replace("racks: 20", "racks: 15"))["verdict"] == "AC"
    assert report_of(RIGHT.replace("racks: 20", "racks: 14"))["verdict"] == "SLOW"


def test_run_does_not_tell_the_best_cost() -> None:
    report = report_of(DEAR, cases=CASES[:1])
    assert report["verdict"] == "AC"
    assert "best_text" not in report["metrics"]["assessment"]["cost"]


def test_cases_with_equal_parameters_share_one_call_and_others_do_not() -> None:
    limited = Case("small", "power", False, {"parameters": {"limit_kw": 500}})
    report = report_of(RIGHT, cases=(*CASES, limited))
    assert [one["verdict"] for one in report["cases"]] == ["AC", "AC", "AC", "WA"]
    assert "power must be 500 kW at most" in report["message"]
    once = MODEL + "\ncalls = []\nwhole = assess\ndef assess(*given):\n"
    once += "    assert not calls\n    calls.append(given)\n    return whole(*given)\n"
    assert report_of(RIGHT, model=once)["verdict"] == "AC"


def test_what_cannot_be_read_starts_no_program() -> None:
    report = report_of("room: {racks: 1}\nroof: 1\n", model="raise SystemExit")
    assert report["verdict"] == "CE"
    assert report["message"].startswith("line 1, column 1: room must have power")
    faults = report["counterexample"]["data"]["faults"]
    assert [(one["line"], one["text"]) for one in faults][-1] == (2, "roof: 1")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("def assess(design, parameters):\n    raise OSError('gone')", "gone"),
        ("import nothing_there", "nothing_there"),
        ("import os\ndef assess(design, parameters):\n    os._exit(0)", "it ended"),
        ("def assess(design, parameters):\n    while True: pass", "wall_time"),
        ("def assess(design, parameters):\n    return []", "must give a dict"),
        ("def assess(design, parameters):\n    return {}", "the keys must be"),
        (MODEL.replace('"holds": total <= limit', '"holds": 1'), "holds must be a bool"),
        (MODEL.replace('"best": 100', '"best": None'), "and the model gives none"),
    ],
)
def test_a_model_that_errs_is_never_the_candidates_fault(model: str, message: str) -> None:
    with pytest.raises(JudgeError, match=message):
        report_of(RIGHT, model=model, answer_time_limit_s=0.7)


def test_the_model_never_gets_the_submission_itself() -> None:
    lists_files = MODEL + (
        "\nimport os\nwhole = assess\ndef assess(*given):\n"
        "    assert not [one for one in os.listdir('.') if 'submission' in one or '.yaml' in one]\n"
        "    return whole(*given)\n"
    )
    assert report_of(RIGHT, model=lists_files)["verdict"] == "AC"


def test_a_package_without_its_model_is_our_fault() -> None:
    with pytest.raises(JudgeError, match=r"must hold its model other\.py"):
        report_of(RIGHT, model_file="other.py")
