"""What is wrong with a worksheet's section of problem.yaml beyond its shape."""

from __future__ import annotations

from collections.abc import Mapping

from graders.answers.worksheet.template import Fault, Template, TemplateInvalid
from graders.answers.worksheet.variant import NoVariant, draw

MIN_COMBINATIONS = 10_000  # so that nobody learns the answers by heart


def faults(settings: Mapping[str, object]) -> list[Fault]:
    """Formulas that do not parse, names that nothing has, units that do not fit, too few draws."""
    try:
        template = Template.of(settings)
    except TemplateInvalid as invalid:
        return invalid.faults
    if template.combinations >= MIN_COMBINATIONS:
        return []
    return [
        Fault(
            ("parameters",),
            f"there must be {MIN_COMBINATIONS} ways to draw the parameters at least, "
            f"got {template.combinations}; give more values to choose from",
        )
    ]


def question_faults(settings: Mapping[str, object]) -> list[Fault]:
    """What is wrong with a single question's worksheet, which may be without parameters."""
    try:
        draw(Template.of(settings), 0)
    except TemplateInvalid as invalid:
        return invalid.faults
    except NoVariant as error:
        return [Fault(("fields",), f"{error}; correct the formulas")]
    return []
