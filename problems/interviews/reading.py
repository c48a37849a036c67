"""Reads the YAML of questions and templates: all errors at once, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from problems import strict_yaml
from problems.complaints import Complaint, PackageInvalid, nearest
from problems.interviews.schema import QuestionSpec, TemplateSpec
from problems.spec_errors import complaints_about
from problems.strict import Strict

SHIPPED = Path(__file__).resolve().parent

Spec = TypeVar("Spec", bound=Strict)


@dataclass(frozen=True, slots=True)
class Library:
    """Every question and template of a folder, by the name of its file."""

    questions: Mapping[str, QuestionSpec]
    templates: Mapping[str, TemplateSpec]


@cache
def shipped() -> Library:
    """What comes with the project, read once a process."""
    return read_library(SHIPPED)


def read_library(root: Path) -> Library:
    """``root/questions/*.yaml`` and ``root/templates/*.yaml``.

    Raises
    ------
    PackageInvalid
        With everything that is wrong in any of them.
    """
    complaints: list[Complaint] = []
    questions = _read_all(root / "questions", QuestionSpec, complaints)
    templates = _read_all(root / "templates", TemplateSpec, complaints)
    for name, template in templates.items():
        for index, stage in enumerate(template.stages):
            if stage.question is None or stage.question in questions:
                continue
            meant = nearest(stage.question, questions)
            advice = f"did you mean {meant}?" if meant else "add its file"
            document = strict_yaml.read((root / "templates" / f"{name}.yaml").read_text())
            place = document.position(("stages", index, "question"))
            complaints.append(
                Complaint(
                    f"templates/{name}.yaml",
                    place.line,
                    place.column,
                    f"a stage must name a question that there is, {stage.question} is none; "
                    f"{advice}",
                )
            )
    if complaints:
        raise PackageInvalid(complaints)
    return Library(questions, templates)


def _read_all(folder: Path, model: type[Spec], complaints: list[Complaint]) -> dict[str, Spec]:
    specs: dict[str, Spec] = {}
    for path in sorted(folder.glob("*.yaml")):
        label = f"{folder.name}/{path.name}"
        document = strict_yaml.read(path.read_text(encoding="utf-8"))
        complaints += [
            Complaint(label, fault.position.line, fault.position.column, fault.message)
            for fault in document.faults
        ]
        if not isinstance(document.value, dict):
            complaints.append(
                Complaint(label, 1, 1, f"{path.name} must be a mapping of keys to values, got none")
            )
            continue
        try:
            specs[path.stem] = model.model_validate(document.value)
        except ValidationError as error:
            complaints += complaints_about(error, document, label, model)
    return specs
