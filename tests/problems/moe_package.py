"""The plan package as its model imports it."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from problems import strict_yaml
from problems.schema import ProblemSpec

ROOT = Path(__file__).parents[2] / "problems" / "round-3" / "moe-1024"
OWN = [path.stem for path in ROOT.glob("*.py")]
SPEC = ProblemSpec.model_validate(strict_yaml.read((ROOT / "problem.yaml").read_text()).value)
GIVEN: dict[str, Any] = SPEC.cases[0].input["parameters"]


def _modules() -> dict[str, ModuleType]:
    """The package's modules by name, forgotten afterwards by whoever else has such names."""
    sys.path.insert(0, str(ROOT))
    try:
        return {name: import_module(name) for name in OWN}
    finally:
        sys.path.remove(str(ROOT))
        for name in OWN:
            sys.modules.pop(name, None)


MODULES = _modules()


def module(name: str) -> Any:
    """A module of the package."""
    return MODULES[name]


def design(path: str) -> dict[str, Any]:
    """A file of the package as the model gets it; its values are written as their own types."""
    value: dict[str, Any] = strict_yaml.read((ROOT / path).read_text()).value
    reasons = {"binding": "", "rejected": "", **value.get("reasons", {})}
    return {**value, "reasons": reasons}


@cache
def assess(path: str) -> dict[str, Any]:
    """What the model says of a file of the package."""
    said: dict[str, Any] = module("model").assess(design(path), GIVEN)
    return said
