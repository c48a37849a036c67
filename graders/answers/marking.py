"""Every answer beside the right one: what was given, whether it holds, why it may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graders.answers.quantities import Misread, Slip, read_quantity, unit_slip
from graders.answers.reading import Answer, Answers
from graders.answers.worksheet import units
from graders.answers.worksheet.template import Choice, Field, Number, Option
from graders.answers.worksheet.units import Quantity
from graders.answers.worksheet.variant import Cell, Variant
from graders.text import Text, say

NO_ADVICE = say("compare your arithmetic with the right one, line by line")


@dataclass(frozen=True, slots=True)
class Mark:
    """One answer, marked.

    Attributes
    ----------
    field : str
        The field that it belongs to; a table has a mark for each of its numbers.
    label : str
        The field as the form names it.
    given, understood, right : str
        What was written, how it was read (in another unit where that tells more), what is right.
    misread : Text or None
        Why it could not be taken. Then it is not `ok`.
    ratio : float or None
        Answer over right value.
    misconception, advice : str
        The mistake that gives this very answer, and what to say about it.
    slipped : Variant or None
        The worksheet under that misconception.
    """

    field: str
    label: str
    given: str
    right: str
    ok: bool
    understood: str = ""
    misread: Text | None = None
    ratio: float | None = None
    misconception: str = ""
    advice: str = ""
    cell: Cell | None = None
    choice: Choice | None = None
    slipped: Variant | None = None


def mark(variant: Variant, answers: Answers) -> list[Mark]:
    """A mark for every number, choice and set, in the order of the form."""
    cells = list(variant.cells())
    marks: list[Mark] = []
    for one in variant.template.fields:
        answer = answers.get(one.name, "")
        if isinstance(one, Choice):
            marks.append(_mark_choice(variant, one, answer))
        else:
            marks += [
                _mark_number(variant, cell, _cell_text(cell, answer))
                for cell in cells
                if cell.path[0] == one.name
            ]
    return marks


def strangers(fields: tuple[Field, ...], answers: Answers) -> Iterator[str]:
    """Names in the answers that the worksheet does not have."""
    known = {one.name: one for one in fields}
    for name, answer in answers.items():
        if name not in known:
            yield name
            continue
        one = known[name]
        if isinstance(answer, dict) and not isinstance(one, Number | Choice):
            rows = {row.name for row in one.rows}
            columns = {column.name for column in one.columns}
            for row, cells in answer.items():
                yield from [f"{name}.{row}"] if row not in rows else []
                yield from (f"{name}.{row}.{column}" for column in cells if column not in columns)


def label_of(cell: Cell) -> str:
    """A number's name on the form; in a table with its row and column."""
    if cell.table is None or cell.row is None:
        return cell.number.label
    return say(
        "{table}: {row}, {column}",
        table=cell.table.label,
        row=cell.row.label,
        column=cell.number.label,
    )


def _cell_text(cell: Cell, answer: Answer) -> str | None:
    """The text of a cell; None if the answer has another shape than the field."""
    if cell.table is None:
        return answer if isinstance(answer, str) else None
    if answer == "":
        return ""
    if not isinstance(answer, dict):
        return None
    _, row, column = cell.path
    return answer.get(row, {}).get(column, "")


def _mark_number(variant: Variant, cell: Cell, given: str | None) -> Mark:
    value, allowed = variant.value(cell), variant.allowance(cell)
    label = label_of(cell)
    right = units.text_in(value, cell.number.line.unit)
    if given is None:
        misread = say("one number with its unit is wanted here")
        return Mark(cell.path[0], label, "", right, False, misread=misread, cell=cell)
    read = read_quantity(given, cell.number.wanted)
    if isinstance(read, Misread):
        return Mark(cell.path[0], label, given, right, False, misread=read.message, cell=cell)
    understood = units.understood(read, cell.number.wanted)
    ratio = read.value / value
    if abs(read.value - value) <= allowed:
        return Mark(cell.path[0], label, given, right, True, understood, ratio=ratio, cell=cell)
    name, advice, slipped = _diagnosis(variant, cell, read)
    return Mark(
        cell.path[0],
        label,
        given,
        right,
        False,
        understood,
        ratio=ratio,
        misconception=name,
        advice=advice,
        cell=cell,
        slipped=slipped,
    )


def _diagnosis(variant: Variant, cell: Cell, given: Quantity) -> tuple[str, str, Variant | None]:
    """The misconception that gives this very number; else a slip of the unit; else nothing."""
    matches = []
    for misconception, slipped in variant.misconceptions_of(cell):
        distance = abs(given.value - slipped.value(cell))
        if distance <= slipped.allowance(cell):
            matches.append((distance / slipped.allowance(cell), misconception, slipped))
    if matches:
        _, misconception, slipped = min(matches, key=lambda one: one[0])
        return misconception.name, misconception.advice, slipped
    slip: Slip | None = unit_slip(given, variant.value(cell), variant.allowance(cell))
    return (slip.name, slip.advice, None) if slip else ("", "", None)


def _mark_choice(variant: Variant, choice: Choice, answer: Answer) -> Mark:
    right = variant.right_options(choice)
    labels = {option.name: option.label for option in choice.options}
    chosen = [answer] if isinstance(answer, str) and answer else answer if answer else []
    right_text = _joined([labels[name] for name in right]) or say("none of them")
    misread: Text | None = None
    if not isinstance(chosen, list):
        chosen, misread = [], say("names of options are wanted here")
    given = _joined([labels.get(name, name[:40]) for name in chosen[:20]])
    unknown = [name for name in chosen if name not in labels]
    if misread is None and unknown:
        misread = say(
            "an option must be one of {options}, {given} is none",
            options=", ".join(labels),
            given=unknown[0][:40],
        )
    elif misread is None and not choice.many and len(chosen) != 1:
        misread = say("one option must be chosen, here are {count}", count=len(chosen))
    if misread is not None:
        return Mark(
            choice.name, choice.label, given, right_text, False, misread=misread, choice=choice
        )
    ok = set(chosen) == set(right)
    telling = next((one for one in choice.options if _catches(one, chosen, right)), None)
    return Mark(
        choice.name,
        choice.label,
        given or say("none of them"),
        right_text,
        ok,
        misconception="" if ok or telling is None else telling.name,
        advice="" if ok or telling is None else telling.advice,
        choice=choice,
    )


def _joined(labels: list[str]) -> str:
    """``a, b, c``, each of them still a sentence; empty if there is none."""
    joined = labels[0] if labels else ""
    for label in labels[1:]:
        joined = say("{first}, {second}", first=joined, second=label)
    return joined


def _catches(option: Option, chosen: list[str], right: list[str]) -> bool:
    """Whether the option was chosen wrongly, or wrongly left out."""
    return (option.name in chosen) != (option.name in right)
