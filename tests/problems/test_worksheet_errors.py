"""An author of a worksheet is told what is wrong with a formula, at its line and column."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from app.practice.judging import about_grader
from problems.complaints import PackageInvalid
from problems.package import SHIPPED, read_package


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a sound worksheet, to be broken."""
    source = SHIPPED / "round-3" / "model-state-memory"
    return Path(shutil.copytree(source, tmp_path / "round-3" / "model-state-memory"))


def told(folder: Path, old: str, new: str) -> list[tuple[int, int, str]]:
    path = folder / "problem.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(PackageInvalid) as raised:
        read_package(folder, about_grader=about_grader)
    return [(c.line or 0, c.column or 0, c.message) for c in raised.value.complaints]


def place_of(folder: Path, fragment: str) -> tuple[int, int]:
    before = (folder / "problem.yaml").read_text().partition(fragment)[0]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "formula: params / (tp * pp)}",
            "formula: params / (tp * ppp)}",
            r"got ppp; it is neither here; at character 16 of the formula",
        ),
        (
            "formula: 4 * B + 4 * B + 4 * B}",
            "formula: 4 * B + 4 + 4 * B}",
            r"both sides must be of one kind, got information and a plain number",
        ),
        (
            "formula: routed / ep}",
            "formula: routed * GB}",
            r"the formula of routed_here must give a plain number \(no unit\), it gives info",
        ),
        (
            "formula: dp / ep}",
            "formula: __import__('os')}",
            r"a function must be one of min, max",
        ),
    ],
)
def test_a_wrong_formula_is_told_at_its_place(
    folder: Path, old: str, new: str, message: str
) -> None:
    line, column = place_of(folder, old)
    found = told(folder, old, new)
    assert any(
        re.search(message, said) and (at_line, at_column) == (line, column + len("formula: "))
        for at_line, at_column, said in found
    ), found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{fields: [moe]}", "{fields: []}", "every field must be judged in a case, moe"),
        ("{fields: [moe]}", "{fields: [moe, zero]}", "zero is judged in zero too"),
        ("{fields: [moe]}", "{field: moe}", "takes a list of fields and nothing else"),
        ("{fields: [moe]}", "{fields: [mow, moe]}", "mow is none; there are zero"),
        ("sample: true", "sample: true, input: {fields: [moe]}", "a sample judges no field"),
    ],
)
def test_each_field_is_judged_in_one_case_and_none_by_run(
    folder: Path, old: str, new: str, message: str
) -> None:
    assert any(message in said for _, _, said in told(folder, old, new))


def test_too_few_ways_to_draw_are_told(folder: Path) -> None:
    path = folder / "problem.yaml"
    text = re.sub(r"choose: \[[^\]]*\]", "choose: [8]", path.read_text())
    path.write_text(text)
    with pytest.raises(PackageInvalid, match="10000 variants to draw at least, of 1 ways to draw"):
        read_package(folder, about_grader=about_grader)


def test_conditions_that_leave_too_few_variants_are_told(folder: Path) -> None:
    found = told(
        folder, "- tp * pp > 1", "- params == 13 * billion and budget == 24 * GB and dp == 8"
    )
    assert [message for _, _, message in found if "10000 variants to draw at least" in message]


def test_conditions_that_leave_nothing_are_told(folder: Path) -> None:
    found = told(folder, "- tp * pp > 1", "- tp > 8")
    assert [message for _, _, message in found if "about 0 keep to require" in message]
