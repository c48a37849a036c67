"""``manage.py judge`` gives the web's verdict without web, queue or database.

None of these tests may touch a database: pytest-django fails one that does.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

PROJECT = Path(__file__).parents[3]
DOUBLE = PROJECT / "tests" / "packages" / "round-3" / "double"
SUBMISSIONS = DOUBLE / "submissions"


def judge(*arguments: object) -> tuple[int, str]:
    """(exit code, standard output) of the command."""
    out = io.StringIO()
    try:
        call_command("judge", *map(str, arguments), stdout=out, no_color=True)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def refusal(*arguments: object) -> str:
    """What the command says when the fault is not the submission's; it exits 2."""
    with pytest.raises(CommandError) as raised:
        judge(*arguments)
    assert raised.value.returncode == 2
    return str(raised.value)


def report_of(*arguments: object) -> dict[str, Any]:
    _, out = judge(*arguments, "--json")
    report: dict[str, Any] = json.loads(out)
    return report


def test_an_accepted_file_exits_0_with_a_line_for_each_case() -> None:
    code, out = judge(DOUBLE, SUBMISSIONS / "accepted" / "shifts.py")
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[:3] for line in lines[:4]] == [
        ["1/4", "AC", "small"],
        ["2/4", "AC", "zero"],
        ["3/4", "AC", "negative"],
        ["4/4", "AC", "drawn"],
    ]
    assert lines[4:] == ["Accepted"]


def test_a_rejected_file_exits_1_and_shows_the_arithmetic() -> None:
    code, out = judge(DOUBLE, SUBMISSIONS / "wrong_answer" / "squares.py", "--seed", 7)
    assert code == 1
    told = out[out.index("Wrong answer") :].splitlines()
    assert told == [
        "Wrong answer: doubled must be 6, got 9 (1.5 times that): you squared it",
        "    n=3",
        "    right: 6",
        "    yours: 9",
        "    twice the number: 6",
        "        = 2 n",
        "        = 2 x 3",
        'Replay: {"case": "small", "seed": 7, "input": {"n": 3}}',
    ]


def test_what_the_program_printed_stands_under_its_case(tmp_path: Path) -> None:
    source = tmp_path / "prints.py"
    source.write_text('def double(n):\n    print("asked for", n)\n    return {"doubled": 2 * n}\n')
    _, out = judge(DOUBLE, source)
    lines = out.splitlines()
    assert lines[1].strip() == "| asked for 3"
    assert lines[3].strip() == "| asked for 0"


def test_json_stands_alone_on_standard_output_and_needs_no_database(tmp_path: Path) -> None:
    source = SUBMISSIONS / "wrong_answer" / "drops_the_sign.py"
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "judge", str(DOUBLE), str(source), "--json"],
        cwd=PROJECT,
        env={**environment, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    report = json.loads(ended.stdout)
    assert set(report) == {"verdict", "message", "score", "cases", "counterexample", "metrics"}
    assert report["verdict"] == "WA"
    assert [case["verdict"] for case in report["cases"]] == ["AC", "AC", "WA", "AC"]
    assert report["counterexample"]["replay"]["case"] == "negative"
    assert list(tmp_path.glob("*.sqlite3")) == []


def test_samples_leave_out_what_run_leaves_out() -> None:
    code, out = judge(DOUBLE, SUBMISSIONS / "wrong_answer" / "drops_the_sign.py", "--samples")
    assert code == 0
    assert "2/2 AC   zero" in out


def test_one_case_with_one_seed_is_drawn_the_same_again() -> None:
    arguments = (DOUBLE, SUBMISSIONS / "wrong_answer" / "table.py", "--case", "drawn", "--seed")
    first, again, other = (report_of(*arguments, seed) for seed in (5, 5, 6))
    assert [case["name"] for case in first["cases"]] == ["drawn"]
    assert first["counterexample"] == again["counterexample"]
    assert first["counterexample"] != other["counterexample"]


@pytest.mark.parametrize("part", ["report", "counterexample", "replay"])
def test_a_counterexample_is_replayed_from_what_json_printed(tmp_path: Path, part: str) -> None:
    source = SUBMISSIONS / "wrong_answer" / "table.py"
    report = report_of(DOUBLE, source, "--seed", 11)
    saved = tmp_path / "saved.json"
    counterexample = report["counterexample"]
    parts = {
        "report": report, "counterexample": counterexample, "replay": counterexample["replay"],
    }  # fmt: skip
    saved.write_text(json.dumps(parts[part]))
    again = report_of(DOUBLE, source, "--replay", saved)
    assert again["counterexample"] == counterexample
    assert [case["name"] for case in again["cases"]] == ["drawn"]
    assert judge(DOUBLE, DOUBLE / "reference.py", "--replay", saved)[0] == 0


def test_an_unknown_problem_is_not_the_files_fault() -> None:
    told = refusal("ring-all-reduced", DOUBLE / "reference.py")
    assert "ring-all-reduced is neither; did you mean ring-all-reduce?" in told


def test_a_broken_package_is_told_whole(tmp_path: Path) -> None:
    folder = shutil.copytree(DOUBLE, tmp_path / "round-3" / "double")
    (folder / "statement.md").unlink()
    (folder / "editorial.md").unlink()
    told = refusal(folder, DOUBLE / "reference.py")
    assert "must have statement.md" in told
    assert "must have editorial.md" in told


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "FILE must be readable"),
        (b"", "must be text and not empty"),
        (b" \n\t", "must be text and not empty"),
        (b"x = 1\0", "must be text and not empty"),
        (b"x = '\xff'", "must be UTF-8, {path} has the byte 0xff at offset 5"),
        (b"#" * (64 * 1024 + 1), "may have 64 KiB"),
    ],
    ids=["absent", "empty", "blank", "nul", "not-utf-8", "too-large"],
)
def test_a_file_that_the_web_would_not_take_is_refused(
    tmp_path: Path, content: bytes | None, rule: str
) -> None:
    path = tmp_path / "source.py"
    if content is not None:
        path.write_bytes(content)
    assert rule.format(path=path) in refusal(DOUBLE, path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"case": "small"}', '{"case": 1, "seed": 1}'])
def test_a_replay_without_case_and_seed_is_refused(tmp_path: Path, text: str) -> None:
    saved = tmp_path / "saved.json"
    saved.write_text(text)
    assert "replay" in refusal(DOUBLE, DOUBLE / "reference.py", "--replay", saved)


def test_an_unknown_case_names_those_that_there_are() -> None:
    told = refusal(DOUBLE, DOUBLE / "reference.py", "--case", "smal")
    assert "it has small, zero, negative, drawn" in told


def test_two_choices_of_cases_exclude_each_other() -> None:
    told = refusal(DOUBLE, DOUBLE / "reference.py", "--case", "small", "--samples")
    assert "exclude each other" in told


def test_a_checker_that_fails_is_our_fault_with_an_id_that_the_log_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(DOUBLE, tmp_path / "round-3" / "double")
    (folder / "checker.py").write_text(
        "def draw(case_input, seed):\n    return []\n\n\n"
        "def check(case_input, answer, seed):\n    return 1 / 0\n"
    )
    told = refusal(folder, DOUBLE / "reference.py")
    error_id = told.removeprefix("judge error ").partition(":")[0]
    assert len(error_id) == 12
    assert f"judge error {error_id} on double" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_worksheet_tells_its_values_and_takes_typed_answers(tmp_path: Path) -> None:
    code, out = judge("model-state-memory", write(tmp_path, "megatron: 15 GB\n"), "--seed", 7)
    assert code == 1
    assert "Values of seed 7:" in out
    assert "    dp = " in out
    assert "an answer is needed, it is empty" in out
    reference = PROJECT / "problems" / "round-3" / "model-state-memory" / "reference.yaml"
    assert judge("model-state-memory", reference, "--seed", 7)[0] == 0
    assert report_of("model-state-memory", reference, "--seed", 7)["verdict"] == "AC"


def write(folder: Path, answers: str) -> Path:
    path = folder / "answers.yaml"
    path.write_text(answers)
    return path
