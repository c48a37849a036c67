"""What graders and packages say, in the language of whoever reads it.

A report is kept as templates with values (`graders.text`). It is said once, where a page loads it,
so that templates see plain strings; commands and logs say it in English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.utils.translation import get_language, gettext, ngettext

from app.practice.models import ProblemVersion, Submission
from graders.text import Json, Translate, from_json
from problems.translations import read_texts, texts_name


def said_report(submission: Submission) -> dict[str, Any]:
    """The submission's report in the active language; empty while there is none."""
    return cast(
        "dict[str, Any]",
        in_words(submission.report or {}, lambda: texts_of(submission.judging_version)),
    )


def texts_of(version: ProblemVersion) -> Mapping[str, str]:
    """What the problem's package says in the active language: English text -> translation."""
    return read_texts(version.files.get(texts_name(get_language() or ""), ""))


def in_words(value: Json, own_texts: Callable[[], Mapping[str, str]] = dict) -> Json:
    """`value` with each sentence inside as a string in the active language.

    Parameters
    ----------
    own_texts : callable
        Gives the translations that a package brings, which go before the site's. Called only if
        there is a sentence at all.
    """
    return from_json(value, _translate_with(own_texts))


def _translate_with(own_texts: Callable[[], Mapping[str, str]]) -> Translate:
    own: Mapping[str, str] | None = None

    def translate(template: str, plural: str | None, count: int) -> str:
        nonlocal own
        if own is None:
            own = own_texts()
        chosen = template if plural is None or count == 1 else plural
        if chosen in own:
            return own[chosen]
        if plural is not None:
            return ngettext(template, plural, count)
        return gettext(template) if template else ""  # gettext("") is the catalogue's header

    return translate
