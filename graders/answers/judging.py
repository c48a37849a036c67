"""Judges a worksheet: case by case a group of fields, the first case only whether all was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from graders.answers.explaining import form_counterexample, value_counterexample
from graders.answers.marking import NO_ADVICE, Mark, mark, strangers
from graders.answers.reading import Answers, Unreadable, read
from graders.answers.worksheet.checking import template_of
from graders.answers.worksheet.variant import NoVariant, Variant, draw
from graders.ports import Case, JudgeError, Launcher, Task
from graders.text import Text, say
from graders.verdict import (
    CaseResult,
    Event,
    JsonObject,
    Verdict,
    case_finished,
    case_started,
    compile_error,
    judged,
)

QUEUE = "cpu"


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """Judge answers for the parameters that `seed` draws; no program is started.

    Raises
    ------
    JudgeError
        If the package's formulas give no variant.
    """
    try:
        variant = draw(template_of(task.settings), seed)
    except NoVariant as error:
        raise JudgeError(str(error)) from error
    try:
        answers = read(source.decode(errors="replace"))
    except Unreadable as error:
        yield compile_error(error.message)
        return
    marks = mark(variant, answers)
    results: list[CaseResult] = []
    for index, case in enumerate(task.cases, start=1):
        yield case_started(index, len(task.cases), case.name)
        fields = cast("list[str]", case.input.get("fields", []))
        replay: JsonObject = {"case": case.name, "seed": seed}
        if fields:
            result = _judge_values(case, variant, marks, fields, replay)
        else:
            result = _judge_form(case, variant, marks, answers, replay)
        results.append(result)
        yield case_finished(index, len(task.cases), result)
    yield judged(results)


def unreadable(section: Mapping[str, object], source: str, seed: int) -> Text | None:
    """Why these answers cannot be judged yet; None if each of them can be read."""
    try:
        answers = read(source)
    except Unreadable as error:
        return error.message
    variant = draw(template_of(section), seed)
    return _about_reading(variant, mark(variant, answers), answers)


def _about_reading(variant: Variant, marks: list[Mark], answers: Answers) -> Text | None:
    odd = next(strangers(variant.template.fields, answers), None)
    if odd is not None:
        return say(
            "An answer must be to a field of the form, {name} is none. Remove it.", name=odd[:80]
        )
    unread = next((one for one in marks if one.misread is not None), None)
    if unread is None:
        return None
    return say("{label}: {misread}.", label=unread.label, misread=unread.misread or "")


def _judge_form(
    case: Case, variant: Variant, marks: list[Mark], answers: Answers, replay: JsonObject
) -> CaseResult:
    """Whether every answer can be read; nothing about whether it is right."""
    message = _about_reading(variant, marks, answers)
    if message is not None:
        shown = form_counterexample(message, marks, replay)
        return CaseResult(
            case.name,
            Verdict.WRONG_ANSWER,
            message=message,
            score=sum(one.misread is None for one in marks) / len(marks),
            counterexample=shown,
        )
    read_as: JsonObject = {
        "read_as": [
            {"field": one.label, "given": one.given, "read_as": one.understood or one.given}
            for one in marks
        ]
    }
    return CaseResult(case.name, Verdict.ACCEPTED, score=1.0, metrics=read_as)


def _judge_values(
    case: Case, variant: Variant, marks: list[Mark], fields: list[str], replay: JsonObject
) -> CaseResult:
    own = [one for one in marks if one.field in fields]
    wrong = [one for one in own if not one.ok]
    score = (len(own) - len(wrong)) / len(own)
    if not wrong:
        return CaseResult(case.name, Verdict.ACCEPTED, score=score)
    # One that was read and is wrong tells more than one that is empty.
    telling = next((one for one in wrong if one.misread is None), wrong[0])
    message = sentence(telling)
    shown = value_counterexample(message, telling, marks, variant, replay)
    return CaseResult(
        case.name, Verdict.WRONG_ANSWER, message=message, score=score, counterexample=shown
    )


def sentence(wrong: Mark) -> Text:
    """What is wrong with one answer: the right one, the fact, the mistake that gives it."""
    if wrong.misread is not None:
        return say(
            "{label} must be {right}: {misread}.",
            label=wrong.label,
            right=wrong.right,
            misread=wrong.misread,
        )
    advice = wrong.advice or NO_ADVICE
    if wrong.ratio is None:
        return say(
            "{label} must be {right}, got {given}: {advice}.",
            label=wrong.label,
            right=wrong.right,
            given=wrong.given,
            advice=advice,
        )
    return say(
        "{label} must be {right}, got {given}, {ratio} times that: {advice}.",
        label=wrong.label,
        right=wrong.right,
        given=wrong.given,
        ratio=f"{wrong.ratio:.4g}",
        advice=advice,
    )
