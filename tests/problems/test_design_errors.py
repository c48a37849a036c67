"""An author of a design is told what is wrong with fields and cases, at its line and column."""

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
    """A copy of a sound design, to be broken."""
    source = SHIPPED / "round-3" / "moe-1024"
    return Path(shutil.copytree(source, tmp_path / "round-3" / "moe-1024"))


def told(folder: Path, old: str, new: str) -> list[tuple[int, int, str]]:
    path = folder / "problem.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(PackageInvalid) as raised:
        read_package(folder, about_grader=about_grader)
    return [(c.line or 0, c.column or 0, c.message) for c in raised.value.complaints]


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            "name: cp, label",
            "name: tp, label",
            "name: tp, label: Context",
            "the fields of a group must be named once, 'tp'",
        ),
        (
            "name: memory\n",
            "name: schedule\n",
            "",
            "groups must be named once, 'schedule' stands twice",
        ),
        (
            "node, memory]\n  fields",
            "node, node]\n  fields",
            "node]\n  fields",
            "constraints must be named once, 'node'",
        ),
        (
            "min: 1, max: 48",
            "min: 50, max: 48",
            "48, default",
            "max must be at least min, got 48 below 50",
        ),
        (
            "max: 48, default: 1",
            "max: 48, default: 49",
            "49,",
            "a default must be what a candidate could write: virtual_pp",
        ),
        (
            "kind: whole, name: tp",
            "kind: number, unit: foo, name: tp",
            "foo",
            "a unit must be known, foo is no unit here",
        ),
        (
            "constraints: [node, memory]",
            "constraints: [node, memry]",
            "memry",
            "a case must name declared constraints, memry is none",
        ),
        (
            "max_cost_ratio: 1.05",
            "max_cost_ratio: 0.5",
            "ratio: 0.5",
            "must be a number from 1 to 100, got 0.5",
        ),
        (
            "max_cost_ratio: 1.05",
            "max_ratio: 1.05",
            "1.05",
            "constraints and max_cost_ratio, got max_ratio",
        ),
        (
            "{name: none, label",
            "{name: full, label",
            "",
            "options must be named once, 'full' stands twice",
        ),
        (
            "model: model.py",
            "model: modle.py",
            "modle.py",
            "modle.py does not exist; did you mean model.py?",
        ),
        (
            "kind: whole, name: tp",
            "kind: hole, name: tp",
            "hole,",
            "kind must be one of whole, number, choice, flag, text, list; got the text",
        ),
        (
            "kind: whole, name: tp",
            "name: tp",
            "name: tp,",
            "kind must be one of whole, number, choice, flag, text, list; it has none",
        ),
        (
            "of: {kind: choice,",
            "of: {kind: list,",
            "of: {kind: list,",
            "of.kind must be one of whole, number, choice, flag, text, record; got the text",
        ),
        (
            "name: cp, label",
            "name: Cp, label",
            "name: Cp",
            "must be small letters, digits and underscores, a letter first, got the text",
        ),
        ("max_items: 5", "max_items: 500", "500", "max_items must be at most 100, got 500"),
    ],
)
def test_a_fault_is_told_at_its_place(
    folder: Path, old: str, new: str, place: str, message: str
) -> None:
    complaints = told(folder, old, new)
    found = [one for one in complaints if message in one[2]]
    assert found, complaints
    if place:
        before = (folder / "problem.yaml").read_text().partition(place)[0]
        line = before.count("\n") + 1
        assert found[0][0] == line, (found, line)


def test_a_constraint_that_no_case_judges_is_told(folder: Path) -> None:
    path = folder / "problem.yaml"
    text = path.read_text()
    only = "      constraints: [ranks]\n"
    text = re.sub(r"      constraints: \[.*\]\n", only, text)
    path.write_text(text.replace("      max_cost_ratio: 1.05\n", only, 1))
    with pytest.raises(PackageInvalid) as raised:
        read_package(folder, about_grader=about_grader)
    messages = [one.message for one in raised.value.complaints]
    assert any(
        "every constraint must be judged in a case, experts, order" in one for one in messages
    )
