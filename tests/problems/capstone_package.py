"""The capstone's package as its model imports it, with a design that its tests begin from."""

from __future__ import annotations

import copy
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from graders.design.fields import groups_of
from graders.design.reading import read
from problems.package import read_package

ROOT = Path(__file__).parents[2] / "problems" / "round-7" / "cluster-capstone"
OWN = [path.stem for path in ROOT.glob("*.py")]
SPEC = read_package(ROOT).spec
SETTINGS = SPEC.grader.model_dump()
GROUPS = groups_of(SETTINGS)


class _Package:
    """The package's modules, imported as its sandbox imports them and forgotten afterwards."""

    def __init__(self) -> None:
        sys.path.insert(0, str(ROOT))
        try:
            for name in OWN:
                setattr(self, name, import_module(name))
        finally:
            sys.path.remove(str(ROOT))
            for name in OWN:
                sys.modules.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


PACKAGE = _Package()
VALUES: dict[str, float] = PACKAGE.givens.VALUES


def design_of(path: str) -> dict[str, Any]:
    """A design of the package's own files, as the grader reads it."""
    reading = read(GROUPS, (ROOT / path).read_text())
    assert reading.design is not None, reading.faults
    return reading.design


REFERENCE = design_of("reference.yaml")


def changed(**groups: dict[str, Any]) -> dict[str, Any]:
    """The reference with some fields of some groups changed."""
    design = copy.deepcopy(REFERENCE)
    for group, fields in groups.items():
        unknown = fields.keys() - design[group].keys()
        assert not unknown, unknown
        design[group].update(fields)
    return design


def sheet_of(design: dict[str, Any], **parameters: float) -> Any:
    """The sheet of a design, with constants of the exercise replaced."""
    return PACKAGE.assembly.sheet_of(design, PACKAGE.assembly.given(parameters))


def lines(**inputs: float) -> Any:
    """The lines of power, money and serving over inputs of a test's own."""
    return PACKAGE.sheet.Sheet(inputs, PACKAGE.economics.LINES)


def failing(design: dict[str, Any], **parameters: float) -> list[str]:
    """The constraints that do not hold."""
    return [
        one["name"]
        for one in PACKAGE.model.assess(design, parameters)["constraints"]
        if not one["holds"]
    ]
