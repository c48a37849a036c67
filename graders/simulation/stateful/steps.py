"""A sequence of calls as the counterexample ``operations``: what each answered, and the state.

The page's template is ``templates/practice/counterexamples/operations.html``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from graders.simulation.stateful.program import Call
from graders.verdict import Json, JsonObject

ANSWER_CHARACTERS = 600
NO_ANSWER = "\N{EM DASH}"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing asked after a step: what had to come and what came; `got` None: nothing came."""

    name: str
    expected: str
    got: str | None
    ok: bool

    def to_json(self) -> JsonObject:
        got = NO_ANSWER if self.got is None else self.got
        return {"name": self.name, "expected": self.expected, "answer": got, "ok": self.ok}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the drawn state.

    `tone` colours it (``plain``, ``busy``, ``shared``, ``kept``, ``faint``, ``wrong``); what it
    means also stands in `lines`, so that colour alone never says it.
    """

    name: str
    lines: list[str]
    tone: str = "plain"

    def to_json(self) -> JsonObject:
        lines: list[Json] = list(self.lines)
        return {"name": self.name, "lines": lines, "tone": self.tone}


@dataclass(frozen=True, slots=True)
class View:
    """A titled group of cells."""

    title: str
    cells: list[Cell]

    def to_json(self) -> JsonObject:
        return {"title": self.title, "cells": [cell.to_json() for cell in self.cells]}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: the call as text, what was asked after it, and the state that it leaves.

    `mark` is a word beside the call in the list, such as ``lost``, `note` a sentence with it.
    """

    call: str
    rows: list[Row]
    views: list[View] = field(default_factory=list)
    note: str = ""
    mark: str = ""

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows)

    def to_json(self, number: int, shown: bool) -> JsonObject:
        return {
            "number": number,
            "call": self.call,
            "ok": self.ok,
            "shown": shown,
            "note": self.note,
            "mark": self.mark,
            "rows": [row.to_json() for row in self.rows],
            "views": [view.to_json() for view in self.views],
        }


def operations(make: str, steps: list[Step], shown: int | None = None) -> JsonObject:
    """The data of the counterexample: how the object was made, and the steps in order.

    Parameters
    ----------
    shown : int, optional
        Index of the step that is open at first; by default the first that is not ok, or the last.
    """
    if shown is None:
        shown = next((at for at, step in enumerate(steps) if not step.ok), len(steps) - 1)
    return {
        "make": make,
        "operations": [step.to_json(at + 1, at == shown) for at, step in enumerate(steps)],
    }


def call_text(call: Call) -> str:
    """``append('A', 7)``, as the candidate would write it."""
    method, arguments = call
    return f"{method}({', '.join(python_text(one) for one in arguments)})"


def python_text(value: Json) -> str:
    """A value as Python writes it, cut where it is long."""
    text = repr(value)
    if len(text) <= ANSWER_CHARACTERS:
        return text
    return f"{text[:ANSWER_CHARACTERS]}… ({len(json.dumps(value))} characters)"
