"""A package that lacks a case is told so by the wrong solutions that it accepts."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from django.core.management import call_command

from app.practice import mutation
from app.practice.mutation import _reasons, mutants_of
from problems.package import SHIPPED, find_packages, read_package, slug_of

DOUBLE = Path(__file__).parents[2] / "packages" / "round-3" / "double"


def mutate(root: Path, *slugs: str) -> str:
    out = io.StringIO()
    call_command(
        "verify_problems", "--mutants", "--from", str(root), *slugs, stdout=out, no_color=True
    )
    return out.getvalue()


@pytest.fixture
def double(tmp_path: Path) -> Path:
    return shutil.copytree(DOUBLE, tmp_path / "round-3" / "double")


def with_cases(folder: Path, cases: str) -> None:
    """The package with other cases, and no submission that would fail on the old ones."""
    yaml = folder / "problem.yaml"
    text = yaml.read_text()
    head = text[: text.index("cases:\n")]
    yaml.write_text(f"{head}cases:\n{cases}expected:\n  accepted/adds.py: {{verdict: AC}}\n")
    for path in folder.glob("submissions/*/*.py"):
        if path.name != "adds.py":
            path.unlink()


def test_a_whole_package_lets_none_survive(double: Path) -> None:
    counts = mutate(double.parent.parent).splitlines()[-1].split()
    assert counts == ["double", "10", "10", "0", "0"]


def test_a_survivor_names_its_line_and_the_case_that_is_missing(double: Path) -> None:
    with_cases(double, "  - {name: two, breaks: nothing, sample: true, input: {n: 2}}\n")
    told = mutate(double.parent.parent).splitlines()
    assert told[1].split() == ["double", "10", "8", "0", "2"]
    assert told[2].strip() == (
        "round-3/double/reference.py: a wrong solution must be refused, this one is accepted: "
        "answer: always that of {'n': 2}; add a case with another right answer, or say in "
        "surviving_mutants.toml why it is as right"
    )
    assert told[3].strip() == (
        "round-3/double/reference.py:3: a wrong solution must be refused, this one is accepted: "
        'return {"doubled": 2 * n}: * -> +; add a case in which that makes a difference, or say in '
        "surviving_mutants.toml why it is as right"
    )


def test_a_survivor_with_a_reason_is_counted_and_not_told(
    double: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_cases(double, "  - {name: two, breaks: nothing, sample: true, input: {n: 2}}\n")
    table = tmp_path / "survivors.toml"
    table.write_text(
        '[[survivor]]\nsource = "double/reference.py"\nreason = "n is 2 here, always"\n'
        "mutants = ['return {\"doubled\": 2 * n}: * -> +']\n"
    )
    monkeypatch.setattr(mutation, "SURVIVORS", table)
    told = mutate(double.parent.parent).splitlines()
    assert told[1].split() == ["double", "10", "8", "1", "1"]
    assert not [line for line in told if "* -> +" in line]


def test_the_examples_answers_and_orders_are_all_needed() -> None:
    told = mutate(SHIPPED / "examples", "pipeline-bubble", "two-gpu-all-reduce")
    assert [line.split()[-1] for line in told.splitlines()[1:]] == ["0", "0"]


def test_a_weakened_order_of_cpp_is_judged_like_any_other() -> None:
    package = read_package(SHIPPED / "examples" / "round-1" / "handover-ring.yaml")
    names = [mutant.name for mutant in mutants_of(package, 1)]
    assert names[0].endswith("load acquire -> relaxed")
    assert len(names) == 4


def test_the_table_gives_a_reason_for_mutants_that_there_are() -> None:
    paths = [*find_packages(SHIPPED), *find_packages(SHIPPED / "examples")]
    packages = {slug_of(path): path for path in paths}
    table = _reasons(SHIPPED / "surviving_mutants.toml")
    for slug in {source.split("/")[0] for source, _ in table}:
        package = read_package(packages[slug])
        made = {mutant.name for mutant in mutants_of(package, 1)}
        for (source, name), reason in table.items():
            if source == f"{slug}/{package.spec.reference_name}":
                assert name in made
                assert reason.strip()
