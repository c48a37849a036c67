"""Submissions of a package: answers that may be formulas, so that they hold for every variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graders.answers.reading import Answer, Unreadable, read, written
from graders.answers.worksheet import units
from graders.answers.worksheet.checking import template_of
from graders.answers.worksheet.formulas import Formula, Kind, Plain, parse
from graders.answers.worksheet.variant import Variant, draw


def fill(section: Mapping[str, Any], source: str, seed: int) -> str:
    """An author's file, with each answer that begins with ``=`` computed for the seed's variant.

    The formulas see the parameters and nothing else: no term and no field, so that a reference is
    a second derivation and not a copy of the first. A text that a formula gives stands in a list
    only if it is not empty. What is no YAML of answers stays as it is, for the judge to refuse.

    Raises
    ------
    FormulaError, ArithmeticError, NoVariant
        If a formula or the package is wrong.
    """
    try:
        answers = read(source)
    except Unreadable:
        return source
    template = template_of(section)
    variant = draw(template, seed)
    kinds: dict[str, Kind] = {one.name: one.kind for one in template.parameters}
    return written({name: _filled(answer, variant, kinds) for name, answer in answers.items()})


def _filled(answer: Answer, variant: Variant, kinds: Mapping[str, Kind]) -> Answer:
    if isinstance(answer, list):
        texts = [_text(one, variant, kinds) for one in answer]
        return [text for text in texts if text]
    if isinstance(answer, dict):
        return {
            row: {column: _text(cell, variant, kinds) for column, cell in cells.items()}
            for row, cells in answer.items()
        }
    return _text(answer, variant, kinds)


def _text(answer: str, variant: Variant, kinds: Mapping[str, Kind]) -> str:
    if not answer.startswith("="):
        return answer
    formula = parse(answer[1:].strip(), kinds)
    value = formula(variant.given)
    return value if isinstance(value, str) else _quantity(formula, float(value))


def _quantity(formula: Formula, value: float) -> str:
    assert not isinstance(formula.kind, Plain)  # noqa: S101  a text is dealt with, a truth no answer
    return f"{value:.15g} {units.base_text(formula.kind)}".strip()
