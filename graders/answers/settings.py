"""What is wrong with a worksheet's section of problem.yaml beyond its shape."""

from __future__ import annotations

from collections.abc import Mapping

from graders.answers.worksheet.checking import Fault, TemplateInvalid, template_of
from graders.answers.worksheet.variant import NoVariant, draw, variants_about

MIN_VARIANTS = 10_000  # so that nobody learns the answers by heart


def faults(settings: Mapping[str, object]) -> list[Fault]:
    """Formulas that do not parse, names that nothing has, units that do not fit, few variants."""
    try:
        template = template_of(settings)
    except TemplateInvalid as invalid:
        return invalid.faults
    variants = variants_about(template)
    if variants >= MIN_VARIANTS:
        return []
    return [
        Fault(
            ("parameters",),
            f"there must be {MIN_VARIANTS} variants to draw at least, of {template.combinations} "
            f"ways to draw the parameters about {variants} keep to require and tell every "
            "misconception from the truth; give more values to choose from, or forbid fewer",
        )
    ]


def question_faults(settings: Mapping[str, object]) -> list[Fault]:
    """What is wrong with a single question's worksheet, which may be without parameters."""
    try:
        draw(template_of(settings), 0)
    except TemplateInvalid as invalid:
        return invalid.faults
    except NoVariant as error:
        return [Fault(("fields",), f"{error}; correct the formulas")]
    return []
