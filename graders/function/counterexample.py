"""A failing trial as a message and a counterexample that the page can draw."""

from __future__ import annotations

import json
from dataclasses import asdict

from graders.endings import how_it_ended
from graders.function.programs import NoJson, Raised, Returned, Stopped
from graders.function.trials import Trial
from graders.harness.items import Item
from graders.text import say
from graders.verdict import Counterexample, Json, JsonObject

ANSWER_CHARACTERS = 2000


def explain(trial: Trial, replay: JsonObject) -> tuple[str, Counterexample]:
    """Message and counterexample of a trial that failed."""
    match trial.reply:
        case Returned() if trial.wrong:
            return _arithmetic(trial, replay)
        case Returned(answer):
            message = trial.complaint
            extra: JsonObject = {"answer": json.dumps(answer)[:ANSWER_CHARACTERS]}
        case NoJson(message):
            extra = {}
        case Raised(message=raised, traceback=traceback):
            message = say("the function must return an answer, but it raised {error}", error=raised)
            extra = {"traceback": traceback}
        case Stopped(outcome):
            message = say(
                "the function must return an answer, but {fact}", fact=how_it_ended(outcome)
            )
            extra = {}
    data: JsonObject = {"configuration": configuration(trial.input), **extra}
    return message, Counterexample("call", message, data, replay)


def _arithmetic(trial: Trial, replay: JsonObject) -> tuple[str, Counterexample]:
    item = trial.wrong[0]
    expected, got = number_text(item.expected), number_text(item.got)
    advice = item.advice or say("compare each term of yours with the arithmetic of the right one")
    message = say(
        "{item} must be {expected}, got {fact}: {advice}",
        item=item.name,
        expected=say("{number} {unit}", number=expected, unit=item.unit) if item.unit else expected,
        fact=_got(item),
        advice=advice,
    )
    data: JsonObject = {
        "configuration": configuration(trial.input),
        "item": item.name,
        "unit": item.unit,
        "expected": item.expected,
        "got": item.got,
        "tolerance": item.tolerance,
        "expected_text": expected,
        "got_text": got,
        "ratio": item.got / item.expected if item.expected else None,
        "ratio_text": f"{item.got / item.expected:.4g}" if item.expected else "",
        "misconception": item.misconception,
        "advice": item.advice,
        "steps": [
            {**asdict(step), "value_text": number_text(step.value)} for step in item.arithmetic
        ],
        # Not "items": a template's `data.items` would be the method of the dict.
        "items_checked": [{"name": one.name, "ok": one.ok} for one in trial.items],
    }
    return message, Counterexample("arithmetic", message, data, replay)


def _got(item: Item) -> str:
    """``12 (0.667 times that)``; only the number where the right value is zero."""
    number = number_text(item.got)
    if not item.expected:
        return number
    ratio = item.got / item.expected
    return say("{number} ({ratio:.4g} times that)", number=number, ratio=ratio)


def number_text(value: float) -> str:
    """A number as people read it: whole ones in full up to 10**15, others to six digits."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.6g}"


def configuration(arguments: JsonObject) -> list[Json]:
    """The input as groups of rows, one group for each argument."""
    return [
        {"name": name, "rows": _rows(value if isinstance(value, dict) else {name: value})}
        for name, value in arguments.items()
    ]


def _rows(value: JsonObject, prefix: str = "") -> list[Json]:
    rows: list[Json] = []
    for name, one in value.items():
        if isinstance(one, dict):
            rows += _rows(one, f"{prefix}{name}.")
        else:
            rows.append({"name": f"{prefix}{name}", "value": _value_text(one)})
    return rows


def _value_text(value: Json) -> str:
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, int | float):
        return number_text(value)
    return say("none") if value is None else str(value)
