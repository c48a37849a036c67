"""Operations of a pipeline in words, as its timeline's titles and its table have them."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def passes_of(cell: dict[str, Any]) -> str:
    """``F of micro-batch 3 in stage 0``, and the other half of an overlapped pair."""
    pattern = _("{kind} of micro-batch {micro_batch} in stage {stage}")
    return " + ".join(
        pattern.format(kind=part["kind"], micro_batch=part["micro_batch"], stage=part["stage"])
        for part in cell["parts"]
    )


@register.filter
def told(cell: dict[str, Any]) -> str:
    """An operation with its rank, its time and the stashes that the rank holds meanwhile."""
    passes = passes_of(cell)
    if cell["begin"] is None:
        return _("rank {rank}: {passes}, never begins").format(rank=cell["rank"], passes=passes)
    return _("rank {rank}: {passes}, {begin} to {end}, stashes held: {held}").format(
        rank=cell["rank"],
        passes=passes,
        begin=cell["begin"],
        end=cell["end"],
        held=cell["in_flight"],
    )
