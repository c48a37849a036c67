"""Submissions of a package: answers in words such as ``= proof``, which hold for every seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graders.answers.reading import Unreadable, read, written
from graders.triage.deviations import Cause
from graders.triage.incident import Incident, draw
from graders.triage.settings import Settings


class UnknownWord(Exception):
    """An author's file asks for something that no trace has; the message lists what there is."""


def fill(section: Mapping[str, Any], source: str, seed: int) -> str:
    """An author's file, each answer that begins with ``=`` replaced by what the seed's trace has.

    What is no YAML of answers stays as it is, for the judge to refuse.

    Raises
    ------
    UnknownWord
        If no answer goes by those words.
    NoIncident
        If the seed gives no trace.
    """
    try:
        answers = read(source)
    except Unreadable:
        return source
    incident, settings = draw(seed), Settings.of(section)
    filled = {
        name: _word(name, answer[1:].strip(), incident, settings)
        if isinstance(answer, str) and answer.startswith("=")
        else answer
        for name, answer in answers.items()
    }
    return written(filled)


def _word(field: str, word: str, incident: Incident, settings: Settings) -> str:
    words = WORDS.get(field, {})
    if word not in words:
        known = ", ".join(words) or "none"
        raise UnknownWord(f"a word for {field} must be one of {known}, got {word!r}")
    return words[word](incident, settings)


def decoy_cause(incident: Incident) -> Cause:
    """The kind of the first decoy of another kind than the cause."""
    return next(one.cause for one in incident.deviations[1:] if one.cause is not incident.cause)


def _longest(incident: Incident, numbers: list[int]) -> str:
    return str(max(numbers, key=lambda number: incident.span(number).duration_us))


def _decoy(incident: Incident, settings: Settings) -> str:
    """The longest span that a decoy changed."""
    numbers = range(1, len(incident.spans) + 1)
    changed = [one for one in numbers if incident.span(one).touched - {0}]
    return _longest(incident, [one for one in changed if 0 not in incident.span(one).touched])


def _victim(incident: Incident, settings: Settings) -> str:
    """The longest collective that only waits."""
    spans = enumerate(incident.spans, start=1)
    return _longest(incident, [n for n, one in spans if one.category == "nccl" and not one.touched])


def _look_alike(incident: Incident, settings: Settings) -> Cause:
    return settings.option(incident.cause).look_alike


Word = Callable[[Incident, Settings], str]
WORDS: dict[str, dict[str, Word]] = {
    "cause": {
        "planted": lambda incident, settings: incident.cause.value,
        "look-alike": lambda incident, settings: _look_alike(incident, settings).value,
        "decoy": lambda incident, settings: decoy_cause(incident).value,
    },
    "span": {
        "longest proof": lambda incident, settings: str(incident.proofs[0]),
        "shortest proof": lambda incident, settings: str(incident.proofs[-1]),
        "first proof": lambda incident, settings: str(min(incident.proofs)),
        "decoy": _decoy,
        "victim": _victim,
        "past the last": lambda incident, settings: str(len(incident.spans) + 1),
    },
    "measurement": {
        "of the cause": lambda incident, settings: settings.that_singles_out(incident.cause).name,
        "of the look-alike": lambda incident, settings: (
            settings.that_singles_out(_look_alike(incident, settings)).name
        ),
        "of the decoy": lambda incident, settings: (
            settings.that_singles_out(decoy_cause(incident)).name
        ),
    },
}
