"""Answers are judged group by group, with the mistake by its name and the arithmetic beside it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from graders.answers import Answers, fill, judge, read, written
from graders.answers.worksheet.checking import template_of
from graders.answers.worksheet.formulas import FormulaError
from graders.answers.worksheet.variant import draw
from graders.ports import Case, JudgeError, Launcher, ProgramLimits, Task
from tests.graders.answers.sheet import section

SEED = 3
NO_LAUNCHER = cast(Launcher, None)  # nothing is ever started
CASES = (
    Case("form", "units", sample=True),
    Case("numbers", "arithmetic", sample=False, input={"fields": ["held", "moved", "share"]}),
    Case("words", "ideas", sample=False, input={"fields": ["deep", "even"]}),
    Case("table", "stages", sample=False, input={"fields": ["stages"]}),
)
REFERENCE = """
held: "= 2 * B * params / dp"
moved: "= 2 * B * params / link"
share: "= 1 / dp"
deep: "= 'yes-deep' if layers > 20 else 'not-deep'"
even: ["= 'many' if dp > 8 else ''", "= 'small' if size == 'small' else ''"]
stages:
  zero: {state: "= 12 * B * params", twice: "= 24 * B * params"}
  one: {state: "= 12 * B * params / dp", twice: "= 24 * B * params / dp"}
"""


def right(seed: int = SEED) -> Answers:
    return read(fill(section(), REFERENCE, seed))


def report_of(
    answers: Answers | str, cases: tuple[Case, ...] = CASES, seed: int = SEED
) -> dict[str, Any]:
    limits = ProgramLimits(cpu_time_s=1, wall_time_s=1, memory_mib=16, output_kib=1)
    task = Task(settings=section(), cases=cases, limits=limits, files={})
    source = answers if isinstance(answers, str) else written(answers)
    *_, last = judge(task, source.encode(), NO_LAUNCHER, seed)
    return dict(last.data)


def summary(answers: Answers | str) -> str:
    return str(report_of(answers)["counterexample"]["summary"])


@pytest.mark.parametrize("seed", range(12))
def test_right_answers_are_accepted_for_every_seed(seed: int) -> None:
    report = report_of(right(seed), seed=seed)
    assert (report["verdict"], report["score"]) == ("AC", 1.0)


@pytest.mark.parametrize("factor", [1.0099, 0.9901])
def test_an_answer_within_the_tolerance_is_right(factor: float) -> None:
    held = float(str(right()["held"]).removesuffix(" B"))
    assert report_of(right() | {"held": f"{held * factor} B"})["verdict"] == "AC"


@pytest.mark.parametrize("factor", [1.0101, 0.9899, -1.0, 0.0])
def test_an_answer_outside_the_tolerance_is_wrong(factor: float) -> None:
    held = float(str(right()["held"]).removesuffix(" B"))
    report = report_of(right() | {"held": f"{held * factor} B"})
    assert report["verdict"] == "WA"
    assert report["counterexample"]["replay"] == {"case": "numbers", "seed": SEED}


def test_a_misconception_is_named_with_both_sums() -> None:
    held = float(str(right()["held"]).removesuffix(" B"))
    report = report_of(right() | {"held": f"{2 * held} B"})
    data = report["counterexample"]["data"]
    assert "2 times that: bf16 takes two bytes." in report["message"]
    assert data["misconception"] == "fp32"
    assert data["steps"][0]["yours_text"] == "4 B"
    assert data["steps"][-1]["value_text"] == data["expected_text"]
    wrong = [answer["label"] for answer in data["answers"] if not answer["ok"]]
    assert wrong == ["Held"]


@pytest.mark.parametrize(
    ("factor", "unit", "told"),
    [
        (1 / 2**30, "GB", "the number is right in binary units (KiB, MiB, GiB) and labelled GB"),
        (1 / 1e9, "GiB", "the number is right in decimal units (kB, MB, GB) and labelled GiB"),
        (1 / 1e9, "Gb", "a byte has 8 bits"),
        (8 / 1e9, "GB", "this is eight times too much"),
        (1 / 1e9, "MB", "the prefix of the unit is off by 1000"),
        (1 / 1e9, "TB", "the prefix of the unit is off by 0.001"),
        (3.3 / 1e9, "GB", "compare your arithmetic with the right one"),
    ],
)
def test_a_right_number_with_a_wrong_unit_is_told(factor: float, unit: str, told: str) -> None:
    held = float(str(right()["held"]).removesuffix(" B"))
    assert told in summary(right() | {"held": f"{held * factor:.9g} {unit}"})


def test_a_percentage_without_its_sign_is_told() -> None:
    share = 100 * float(str(right()["share"]))
    assert report_of(right() | {"share": f"{share} %"})["verdict"] == "AC"
    assert "a number with % after it" in summary(right() | {"share": f"{share}"})


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"held": "15"}, "Held: a number needs a unit here, 15 has none. Write one of kB, MB"),
        ({"held": ""}, "Held: an answer is needed, it is empty. Write 1.5 GB."),
        ({"held": "much"}, "an answer must be a number with its unit, “much” is none"),
        ({"held": "15 s"}, "a size in bytes is wanted here, and s measures a time"),
        ({"moved": "15 GB"}, "a time is wanted here, and GB measures a size in bytes"),
        ({"share": "1 GB"}, "a plain number is wanted here, and GB measures a size"),
        ({"held": "15 KB"}, "Write kB (1000 B) or KiB (1024 B)"),
        ({"held": "15 florins"}, "the unit must be one that is known here, florins is not"),
        ({"held": ["1 GB"]}, "one number with its unit is wanted here"),
        ({"deep": ""}, "Deep?: one option must be chosen, here are 0"),
        ({"deep": ["yes-deep", "not-deep"]}, "one option must be chosen, here are 2"),
        ({"deep": "perhaps"}, "an option must be one of yes-deep, not-deep, perhaps is none"),
        ({"stages": ""}, "Stages: None, State: an answer is needed"),
        ({"stages": {"zero": {"state": "1 GB"}}}, "Stages: None, Twice that: an answer is needed"),
        ({"extra": "1"}, "An answer must be to a field of the form, extra is none"),
        ({"stages": {"two": {}}}, "An answer must be to a field of the form, stages.two is none"),
        ({"stages": {"one": {"x": "1"}}}, "to a field of the form, stages.one.x is none"),
    ],
)
def test_what_cannot_be_read_is_told_before_anything_is_judged(
    answers: dict[str, Any], told: str
) -> None:
    report = report_of(right() | answers)
    assert report["verdict"] == "WA"
    assert told in report["message"]
    assert report["counterexample"]["replay"]["case"] == "form"


def test_a_run_says_how_answers_are_read_and_nothing_about_what_is_right() -> None:
    wrong = right() | {"held": "1 TB", "deep": "yes-deep"}
    report = report_of(wrong, CASES[:1])
    assert report["verdict"] == "AC"
    assert {row["read_as"] for row in report["cases"][0]["metrics"]["read_as"]} >= {"931.3 GiB"}
    unread = report_of(wrong | {"moved": "5"}, CASES[:1])
    for said in (str(report), str(unread)):
        assert "right" not in said
        assert f"{float(str(right()['held']).removesuffix(' B')) / 1e9:g} GB" not in said


def test_a_choice_and_a_set_say_whom_they_caught() -> None:
    deep = right()["deep"]
    other = "yes-deep" if deep == "not-deep" else "not-deep"
    report = report_of(right() | {"deep": other})
    data = report["counterexample"]["data"]
    assert "count them" in report["message"]
    assert [option["right"] for option in data["options"]].count(True) == 1
    even = cast("list[str]", right()["even"])
    flipped = [name for name in ("many", "small") if name not in even]
    assert report_of(right() | {"even": flipped})["counterexample"]["replay"]["case"] == "words"


def test_each_case_counts_its_own_numbers() -> None:
    answers = right()
    stages = cast("dict[str, dict[str, str]]", answers["stages"])
    answers["stages"] = stages | {"zero": {"state": "1 B", "twice": "1 B"}}
    report = report_of(answers)
    assert {case["name"]: case["score"] for case in report["cases"]} == {
        "form": 1.0, "numbers": 1.0, "words": 1.0, "table": 0.5,
    }  # fmt: skip


def test_a_replay_gives_the_same_summary() -> None:
    wrong = right() | {"held": "1 GB"}
    first = report_of(wrong)
    case = next(one for one in CASES if one.name == first["counterexample"]["replay"]["case"])
    assert report_of(wrong, (case,))["counterexample"] == first["counterexample"]


def test_what_is_no_yaml_does_not_compile() -> None:
    report = report_of("held = 15 GB")
    assert (report["verdict"], report["counterexample"]["kind"]) == ("CE", "compile_error")


def test_candidates_cannot_write_formulas() -> None:
    assert "is none" in summary(right() | {"held": "= 2 * B * params / dp"})


def test_an_authors_formula_sees_the_parameters_and_nothing_else() -> None:
    with pytest.raises(FormulaError, match="whole"):
        fill(section(), 'held: "= whole / dp"', SEED)


def test_a_package_that_gives_no_variant_is_our_fault() -> None:
    limits = ProgramLimits(cpu_time_s=1, wall_time_s=1, memory_mib=16, output_kib=1)
    task = Task(section(require=["dp > 100"]), CASES, limits, {})
    with pytest.raises(JudgeError, match="a condition under require does not hold"):
        list(judge(task, b"", NO_LAUNCHER, SEED))


def test_other_seeds_ask_for_other_answers() -> None:
    template = template_of(section())
    assert len({tuple(draw(template, seed).given.values()) for seed in range(50)}) > 20
