"""What the page draws of a rejected worksheet: the right arithmetic beside the candidate's."""

from __future__ import annotations

from graders.answers.marking import Mark
from graders.answers.worksheet import units
from graders.answers.worksheet.template import Choice, Parameter
from graders.answers.worksheet.variant import Variant
from graders.text import Text
from graders.verdict import Counterexample, Json, JsonObject

GIVEN_CHARACTERS = 60


def form_counterexample(message: Text, marks: list[Mark], replay: JsonObject) -> Counterexample:
    """How each answer was read. Says nothing about what is right."""
    rows: list[Json] = [
        {
            "label": one.label,
            "given": _cut(one.given),
            "read_as": one.understood or _cut(one.given),
            "misread": one.misread or "",
        }
        for one in marks
    ]
    return Counterexample("worksheet_form", message, {"answers": rows}, replay)


def value_counterexample(
    message: Text, wrong: Mark, marks: list[Mark], variant: Variant, replay: JsonObject
) -> Counterexample:
    """The first wrong answer term by term, then every answer beside the right one."""
    data: JsonObject = {
        "item": wrong.label,
        "got_text": _cut(wrong.given),
        "expected_text": wrong.right,
        "ratio_text": f"{wrong.ratio:.4g}" if wrong.ratio is not None else "",
        "misconception": wrong.misconception,
        "advice": wrong.advice,
        "steps": _steps(wrong, variant),
        "options": _options(wrong.choice, variant) if wrong.choice else [],
        "answers": [
            {
                "label": one.label,
                "given": _cut(one.given),
                "right": one.right,
                "ok": one.ok,
                "note": one.misread or one.advice,
            }
            for one in marks
        ],
        "parameters": parameter_rows(variant),
    }
    return Counterexample("worksheet", message, data, replay)


def _cut(given: str) -> str:
    """What was typed, cut where it is long; the chosen options, which are the package's own."""
    return given if isinstance(given, Text) else given[:GIVEN_CHARACTERS]


def parameter_rows(variant: Variant) -> list[Json]:
    """The parameters of a variant, as their labels and values for people."""
    return [
        {"name": one.name, "label": one.label, "value": parameter_text(one, variant)}
        for one in variant.template.parameters
    ]


def parameter_text(parameter: Parameter, variant: Variant) -> str:
    """A parameter's value with its unit: ``3.35 TB/s``."""
    value = variant.given[parameter.name]
    return value if isinstance(value, str) else units.text_in(float(value), parameter.unit)


def _steps(wrong: Mark, variant: Variant) -> list[Json]:
    if wrong.cell is None:
        return []
    steps: list[Json] = []
    for step in variant.steps(wrong.cell, wrong.slipped):
        line = step.line
        steps.append(
            {
                "label": line.label,
                "formula": f"{line.name} = {line.formula.text}",
                "numbers": step.numbers,
                "value_text": units.text_in(step.value, line.unit),
                "yours_text": ""
                if step.slipped is None
                else units.text_in(step.slipped, line.unit),
            }
        )
    return steps


def _options(choice: Choice, variant: Variant) -> list[Json]:
    right = variant.right_options(choice)
    return [
        {
            "label": option.label,
            "formula": option.when.text,
            "numbers": option.when.with_numbers(variant.written(option.when, variant.scope)),
            "right": option.name in right,
        }
        for option in choice.options
    ]
