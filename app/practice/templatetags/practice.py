"""How verdicts, times and data are written for people."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from app.practice.markdown import render
from app.practice.metrics import NAMES
from app.practice.models import Submission
from app.practice.texts import TEXTS
from graders.verdict import Verdict

register = template.Library()

SHORT_CHARACTERS = 60  # a value longer than this gets a line of its own


@register.filter
def outcome(code: str) -> str:
    """A verdict's code in words: "WA" -> "Wrong answer"."""
    return str(Submission.Outcome(code).label) if code else ""


@register.filter
def tone(code: str) -> str:
    """The colour of a verdict: ok, warn, bad, ours; "none" while there is no verdict."""
    if not code:
        return "none"
    special = {Verdict.ACCEPTED: "ok", Verdict.TOO_SLOW: "warn", Verdict.JUDGE_ERROR: "ours"}
    return special.get(Verdict(code), "bad")


@register.filter
def duration(seconds: float) -> str:
    """Seconds as people read them: "0.4 ms", "120 ms", "1.35 s"."""
    milliseconds = 1000 * float(seconds)
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2f} s"


@register.filter
def minutes(span: timedelta) -> int:
    """A span in whole minutes, rounded up."""
    return math.ceil(span.total_seconds() / 60)


@register.filter
def percent(share: float) -> str:
    """0.5 -> "50 %". Rounded down, so that only a full score reads 100 %."""
    return f"{int(100 * float(share) + 1e-9)} %"


@register.filter
def title_of_key(key: str) -> str:
    """A data key as a label: "sent_bytes" -> "Sent bytes"; in words where they are known."""
    return str(NAMES.get(key) or capfirst(str(key).replace("_", " ")))


@register.filter
def pairs(data: Any) -> list[tuple[str, Any]]:
    """The keys and values of an object. In a template ``data.items`` would be its key "items"."""
    return list(data.items()) if isinstance(data, dict) else list(data or [])


@register.filter
def sentence(message: str) -> str:
    """A message with a capital, unless it begins with a name such as ``optimizer_bytes``."""
    return capfirst(message) if message.split(" ", 1)[0].rstrip(":").isalpha() else message


@register.filter
def written(value: Any) -> str:
    """A value of JSON for a person: text as it is, values in a row, anything else as JSON."""
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        return ", ".join(written(each) for each in value)
    return json.dumps(value, ensure_ascii=False, indent=None)


@register.filter
def pretty(value: Any) -> str:
    """JSON over several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


@register.filter
def written_long(value: Any) -> str:
    """As `written`, with room for several lines."""
    is_nested = isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(each, list | dict) for each in value)
    )
    return pretty(value) if is_nested else written(value)


@register.filter
def as_rows(value: Any) -> dict[str, list[Any]] | None:
    """A list of objects as a table, with a column for each key that any has; None if it is none."""
    if not isinstance(value, list) or not all(isinstance(row, dict) and row for row in value):
        return None
    headings = list(dict.fromkeys(key for row in value for key in row))
    if not headings or any(isinstance(cell, dict) for row in value for cell in row.values()):
        return None
    return {
        "headings": headings,
        "cells": [[row.get(key, "") for key in headings] for row in value],
    }


@register.filter
def is_long(value: Any) -> bool:
    """Whether a value needs lines of its own."""
    text = written(value)
    return len(text) > SHORT_CHARACTERS or "\n" in text


@register.filter
def markdown(text: str) -> SafeString:
    """A short Markdown text of a package, such as a hint."""
    return render(text)


@register.simple_tag
def script_texts() -> dict[str, str]:
    """What the scripts say, for ``json_script``."""
    return {key: str(text) for key, text in TEXTS.items()}
