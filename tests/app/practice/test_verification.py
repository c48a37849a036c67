"""A package that does not behave as it says must not verify, whatever it gets wrong."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from app.practice.verification import Trial, compare, telling_case, trials_of
from problems.package import SHIPPED, read_package
from problems.schema import Expectation
from tests.problems.broken_packages import broken_packages, make

DOUBLE = Path(__file__).parents[2] / "packages" / "round-3" / "double"


@pytest.fixture
def double(tmp_path: Path) -> Path:
    """The package ``double`` without what takes seconds."""
    folder = shutil.copytree(DOUBLE, tmp_path / "round-3" / "double")
    shutil.rmtree(folder / "submissions" / "time_limit")
    yaml = folder / "problem.yaml"
    lines = yaml.read_text().splitlines(keepends=True)
    yaml.write_text("".join(line for line in lines if "time_limit/" not in line))
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def verify(folder: Path, *arguments: str) -> tuple[int, str]:
    """(exit code, standard output) of the command over the package's root."""
    out = io.StringIO()
    root = str(folder.parent.parent)
    try:
        call_command("verify_problems", "--from", root, *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def faults(folder: Path) -> dict[str, list[str]]:
    """Path to faults, of the trials that have some."""
    code, out = verify(folder, "--json")
    outcomes = json.loads(out)
    found = {outcome["path"]: outcome["faults"] for outcome in outcomes if outcome["faults"]}
    assert code == (1 if found else 0)
    return found


def test_a_sound_package_verifies_with_every_submission_it_has(double: Path) -> None:
    code, out = verify(double)
    assert code == 0
    on_disk = {f"{path.relative_to(double)}" for path in double.rglob("submissions/*/*.py")}
    judged = {line.split()[3].rstrip(":") for line in out.splitlines() if line.count("/9 ")}
    assert judged == on_disk | {"reference.py", "starter.py"}
    assert out.splitlines()[-2].split()[:4] == ["double", "9", "9", "0"]


def test_a_wrong_verdict_case_or_message_is_told_with_what_came_instead(double: Path) -> None:
    yaml = double / "problem.yaml"
    edit(yaml, "squares.py: {verdict: WA", "squares.py: {verdict: SLOW")
    edit(
        yaml,
        "drops_the_sign.py: {verdict: WA, case: negative",
        "drops_the_sign.py: {verdict: WA, case: zero",
    )
    edit(yaml, "case: drawn, message: doubled must be", "case: drawn, message: tripled must be")
    found = faults(double)
    assert set(found) == {
        "submissions/wrong_answer/squares.py",
        "submissions/wrong_answer/drops_the_sign.py",
        "submissions/wrong_answer/table.py",
    }
    assert found["submissions/wrong_answer/squares.py"] == [
        'verdict must be SLOW, got WA; it says "doubled must be 6, got 9 (1.5 times that): '
        'you squared it"'
    ]
    (told,) = found["submissions/wrong_answer/drops_the_sign.py"]
    assert told.startswith("case must be zero, got negative;")
    (told,) = found["submissions/wrong_answer/table.py"]
    assert told.startswith('the message must contain "tripled must be", it does not;')


def test_a_wrong_reference_and_a_starter_that_passes_are_told(double: Path) -> None:
    (double / "starter.py").write_text((double / "reference.py").read_text())
    edit(double / "reference.py", "2 * n", "2 * abs(n)")
    found = faults(double)
    assert list(found) == ["reference.py", "starter.py"]
    assert found["reference.py"][0].startswith("verdict must be AC, got WA;")
    assert found["starter.py"][0].startswith("the starter must not be accepted")


def places(folder: Path) -> dict[str, str]:
    """Path to the place of its faults."""
    outcomes = json.loads(verify(folder, "--json")[1])
    return {outcome["path"]: outcome["place"] for outcome in outcomes if outcome["faults"]}


def line_of(path: Path, text: str) -> int:
    return path.read_text().split(text)[0].count("\n") + 1


def test_each_fault_names_the_line_that_says_otherwise(double: Path) -> None:
    yaml = double / "problem.yaml"
    passes = double / "submissions" / "wrong_answer" / "squares.py"
    passes.write_text((double / "reference.py").read_text())
    edit(double / "reference.py", "2 * n", "2 * abs(n)")
    (double / "starter.py").write_text(passes.read_text())
    assert places(double) == {
        "reference.py": f"round-3/double/problem.yaml:{line_of(yaml, '- name: negative')}:5",
        "starter.py": "round-3/double/starter.py:1",
        "submissions/wrong_answer/squares.py": "round-3/double/problem.yaml:"
        f"{line_of(yaml, '  wrong_answer/squares.py')}:3",
    }
    (line,) = [line for line in verify(double)[1].splitlines() if "problem.yaml" in line and (
        "squares" not in line) and "got AC" in line]  # fmt: skip
    assert line.split(": ", 1)[1].startswith("verdict must be WA, got AC")


@pytest.mark.parametrize("broken", broken_packages("verified.txt"), ids=lambda path: path.name)
def test_the_author_of_what_can_be_read_is_told_what_it_does_wrong(
    broken: Path, tmp_path: Path
) -> None:
    code, out = verify(make(broken, tmp_path))
    told = [line.strip() for line in out.splitlines() if line.startswith("        round-")]
    told = [re.sub(r"see [0-9a-f]{12} in", "see # in", line) for line in told]
    assert code == (2 if any("the judge failed" in line for line in told) else 1)
    assert "\n".join(sorted(told)) + "\n" == (broken / "verified.txt").read_text()


def test_a_checker_of_one_file_that_fails_is_told_at_its_line_there(tmp_path: Path) -> None:
    text = (SHIPPED / "examples" / "round-3" / "stage-split.yaml").read_text()
    path = tmp_path / "round-3" / "stage-split.yaml"
    path.parent.mkdir()
    path.write_text(text.replace("def longest(times_us, ends):\n        return max(",
                                 "def longest(times_us, ends):\n        return mex("))  # fmt: skip
    line = line_of(path, "return mex(")
    failed = places(path)
    assert set(failed.values()) == {f"round-3/stage-split.yaml:{line}"}
    assert "reference.py" in failed


def test_a_counterexample_that_does_not_show_the_same_again_is_told(double: Path) -> None:
    # It remembers how often it was asked, and a replay asks less often.
    edit(double / "checker.py", "def check(case_input, answer, seed):\n", "ASKED = []\n\n\n"
         "def check(case_input, answer, seed):\n    ASKED.append(answer)\n")  # fmt: skip
    edit(
        double / "checker.py", '"you squared it" if squared else ""', 'f"asked {len(ASKED)} times"'
    )
    edit(double / "problem.yaml", "message: you squared it", "message: asked 1 times")
    found = faults(double)
    assert "submissions/wrong_answer/squares.py" not in found  # the first question, again the first
    (told,) = found["submissions/wrong_answer/drops_the_sign.py"]
    assert told.startswith('the replay must say "doubled must be -8, got 8')


def test_a_judge_that_fails_is_exit_code_2_and_not_a_difference(double: Path) -> None:
    (double / "checker.py").write_text(
        "def draw(case_input, seed):\n    return []\n\n\n"
        "def check(case_input, answer, seed):\n    return 1 / 0\n"
    )
    code, out = verify(double, "--json")
    assert code == 2
    failed = [outcome for outcome in json.loads(out) if outcome["error_id"]]
    assert {outcome["verdict"] for outcome in failed} == {"JE"}
    assert "submissions/compile_error/no_function.py" not in {one["path"] for one in failed}


def test_an_unknown_slug_names_the_nearest(double: Path) -> None:
    with pytest.raises(CommandError, match="did you mean double") as raised:
        verify(double, "duoble")
    assert raised.value.returncode == 2


def test_a_broken_package_is_not_verified_half(double: Path) -> None:
    (double / "statement.md").unlink()
    with pytest.raises(CommandError, match=r"must have statement\.md") as raised:
        verify(double)
    assert raised.value.returncode == 2


def report(verdict: str, cases: list[tuple[str, str]], **changes: Any) -> dict[str, Any]:
    """A report as a grader gives it; the first case with the worst verdict has the replay."""
    telling = next((name for name, case_verdict in cases if case_verdict == verdict), "")
    counterexample = {"summary": "five", "data": {}, "replay": {"case": telling, "seed": 1}}
    return {
        "verdict": verdict,
        "message": "four is not five",
        "cases": [{"name": name, "verdict": case_verdict} for name, case_verdict in cases],
        "counterexample": None if verdict == "AC" else counterexample,
        **changes,
    }


ALL_RIGHT = [("small", "AC"), ("zero", "AC"), ("negative", "AC"), ("drawn", "AC")]
WRONG = Expectation(verdict="WA", case="zero", message="not five")


@pytest.mark.parametrize(
    ("expectation", "got", "told"),
    [
        (WRONG, report("WA", [("zero", "WA")]), []),
        (WRONG, report("WA", [("zero", "WA")], message=""), ["the message must contain"]),
        (WRONG, report("WA", [("small", "WA"), ("zero", "WA")]), ["case must be zero, got small"]),
        (WRONG, report("AC", ALL_RIGHT), ["verdict must be WA, got AC"]),
        (WRONG, report("RE", [("zero", "RE")]), ["verdict must be WA, got RE"]),
        (
            WRONG,
            report("WA", [("zero", "WA")], counterexample=None),
            ["every rejection must come with a counterexample"],
        ),
        (Expectation(verdict="AC"), report("AC", ALL_RIGHT), []),
        (Expectation(verdict="AC"), report("AC", ALL_RIGHT[:3]), ["every case must be judged"]),
        (Expectation(verdict="AC"), report("WA", [("small", "WA")]), ["verdict must be AC"]),
        (None, report("AC", ALL_RIGHT), ["the starter must not be accepted"]),
        (None, report("RE", [("small", "RE")]), []),
    ],
)
def test_a_report_is_held_against_every_part_of_the_expectation(
    expectation: Expectation | None, got: dict[str, Any], told: list[str]
) -> None:
    found = list(compare(Trial(read_package(DOUBLE), "any.py", expectation), got))
    assert len(found) == len(told)
    assert all(fault.startswith(start) for fault, start in zip(found, told, strict=True))


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (lambda got: None, "zero"),
        (lambda got: got["counterexample"]["replay"].update(case="drawn"), "drawn"),
        (lambda got: got.update(counterexample=None), "zero"),
    ],
    ids=["both", "counterexample-first", "first-that-failed"],
)
def test_the_telling_case_is_that_of_the_counterexample(
    change: Callable[[dict[str, Any]], None], case: str
) -> None:
    got = report("WA", [("small", "AC"), ("zero", "WA"), ("drawn", "WA")])
    change(got)
    assert telling_case(got) == case


def test_reference_and_starter_are_put_on_trial_too() -> None:
    package = read_package(DOUBLE)
    trials = trials_of(package)
    assert [trial.path for trial in trials[:2]] == ["reference.py", "starter.py"]
    assert len(trials) == 2 + len(package.spec.expected)
