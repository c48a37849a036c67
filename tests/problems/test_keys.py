"""The reference of keys says everything that the schema takes, and says it in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from problems.keys import PAGE, page
from problems.schema import SingleFileSpec


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that an annotation is made of, itself included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_of(field.annotation)
    for part in get_args(annotation):
        yield from models_of(part)


MODELS = sorted(set(models_of(SingleFileSpec)), key=lambda model: model.__name__)


def test_the_page_in_the_repository_is_that_of_the_schema() -> None:
    assert PAGE.read_text() == page(), "write it anew with: python -m problems.keys"


def test_there_are_models_to_look_at() -> None:
    names = {model.__name__ for model in MODELS}
    assert {"SingleFileSpec", "Case", "ConcurrencyGrader", "Misconception", "TableField"} <= names


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_has_a_line_that_says_what_it_holds(model: type[BaseModel]) -> None:
    sections = [part.split("\n\n| key |")[1] for part in page().split("\n## ")[1:]]
    keys = list(model.model_fields)
    (own,) = [
        section
        for section in sections
        if [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == keys
        and all((field.description or "?")[:12].split("|")[0].split("<")[0] in section
                for field in model.model_fields.values())
    ]  # fmt: skip
    for line in own.splitlines()[2:]:
        key, what, default, holds = [cell.strip() for cell in line.strip("| ").split(" | ")]
        assert what not in ("", "anything")
        assert default
        assert len(holds) > 5, key


def test_bounds_defaults_and_choices_are_said() -> None:
    text = page()
    assert "| `minutes` | whole number, at least 5, at most 240 | must be given |" in text
    assert "| `output_kib` | whole number, at least 1, at most 4096 | `64` |" in text
    assert "| `difficulty` | `warm-up`, `medium`, `hard`, `brutal` |" in text
    assert "| `cases` | list of: [Case](#case), at least 1 of them |" in text
    assert "| `name` | slug, at most 60 characters |" in text
    assert "| `cpu_time_s` | number, more than 0, at most 600 |" in text
