"""What a package's model said about a design, read strictly: nothing of it is taken on trust."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from graders.design.pictures import LAYOUTS
from graders.ports import JudgeError
from graders.text import MAX_INT_BITS, from_sandbox
from graders.verdict import JsonObject

MAX_CONSTRAINTS = 100
MAX_TERMS = 60
MAX_METRICS = 100
MAX_RUBRIC = 40
MAX_PICTURES = 8
MAX_CHANGES = 60
MAX_PICTURE_CHARACTERS = 64 * 1024  # of its data as JSON
MAX_LEVEL = 20

_KEYS = {"constraints", "metrics", "cost", "best", "rubric", "pictures"}
_T = TypeVar("_T")


class State(StrEnum):
    """What is known about a constraint."""

    HOLDS = "holds"
    FAILS = "fails"
    WAITS = "waits"  # an earlier one fails, so it could not be computed


@dataclass(frozen=True, slots=True)
class Term:
    """A line of arithmetic: what, by which rule, how much."""

    label: str
    formula: str
    value: float | int | str
    unit: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """One thing that must hold, with the arithmetic that decides it."""

    name: str
    rule: str
    holds: bool
    terms: tuple[Term, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure worth knowing."""

    name: str
    label: str
    value: float | int | str
    unit: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What the design costs; smaller is better."""

    label: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the design, as it is and as it could be."""

    field: str
    before: float | int | str
    after: float | int | str


@dataclass(frozen=True, slots=True)
class Better:
    """A cheaper design that holds, as changes to the one that was judged."""

    changes: tuple[Change, ...]
    cost: float


@dataclass(frozen=True, slots=True)
class Level:
    """A computed level of the rubric, counted from 0."""

    name: str
    level: int
    why: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything a model said; `pictures` are laid out for their templates."""

    constraints: tuple[Constraint, ...]
    metrics: tuple[Metric, ...]
    cost: Cost | None
    best: float | None
    better: Better | None
    rubric: tuple[Level, ...]
    pictures: tuple[tuple[str, JsonObject], ...]

    @property
    def failing(self) -> Constraint | None:
        """The first constraint that does not hold, in order of dependence."""
        return next((one for one in self.constraints if not one.holds), None)

    def named(self, name: str) -> Constraint | None:
        """A constraint by its name; None if it could not be computed."""
        return next((one for one in self.constraints if one.name == name), None)


def assessment(said: dict[str, Any], declared: Sequence[str]) -> Assessment:
    """What a model said, seen to be whole, bounded and in agreement with itself.

    Parameters
    ----------
    said : dict
        As it came out of the sandbox.
    declared : sequence of str
        The constraints of the grader's section, in order of dependence.

    Raises
    ------
    JudgeError
        If it breaks the contract of ``graders/design/README.md``.
    """
    try:
        _exactly(said, _KEYS, optional={"better"})
        constraints = _all(_constraint, said["constraints"], MAX_CONSTRAINTS, "constraints")
        _in_order([one.name for one in constraints], declared, constraints)
        held = all(one.holds for one in constraints)
        cost = None if said["cost"] is None else _cost(said["cost"])
        best = None if said["best"] is None else _positive(said["best"], "best")
        better = None if said.get("better") is None else _better(said["better"])
        if not held and (cost is not None or best is not None or better is not None):
            raise ValueError("cost, best and better must be None where a constraint fails")
        if better is not None and (cost is None or not better.cost < cost.value):
            raise ValueError("a better design must cost less than the one that was judged")
        return Assessment(
            constraints=constraints,
            metrics=_all(_metric, said["metrics"], MAX_METRICS, "metrics"),
            cost=cost,
            best=best,
            better=better,
            rubric=_all(_level, said["rubric"], MAX_RUBRIC, "rubric"),
            pictures=_pictures(said["pictures"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise JudgeError(f"a model's assessment is broken: {error}") from None


def _in_order(
    names: list[str], declared: Sequence[str], constraints: tuple[Constraint, ...]
) -> None:
    """Every declared constraint once and in its order; after the first failing one some may lack.

    So a model cannot forget a check in silence.
    """
    order = iter(declared)
    if not all(name in order for name in names):
        raise ValueError(f"constraints must be of {list(declared)} and in that order, got {names}")
    failing = next((i for i, one in enumerate(constraints) if not one.holds), len(constraints))
    must = list(declared)
    if failing < len(names):
        must = must[: must.index(names[failing]) + 1]
    missing = [name for name in must if name not in names]
    if missing:
        raise ValueError(f"a constraint may be left out behind a failing one only, not {missing}")


def _constraint(said: Any) -> Constraint:
    _exactly(said, {"name", "rule", "holds", "terms", "message"})
    holds, message = _bool(said["holds"], "holds"), from_sandbox(said["message"])
    if holds is bool(message):
        raise ValueError(f"{said['name']}: a message says why it fails, and is empty if it holds")
    terms = _all(_term, said["terms"], MAX_TERMS, "terms")
    if not terms:
        raise ValueError(f"{said['name']}: a constraint must show its arithmetic")
    return Constraint(_name(said["name"]), _text(said["rule"], "rule"), holds, terms, message)


def _term(said: Any) -> Term:
    _exactly(said, {"label", "formula", "value", "unit"})
    return Term(
        _text(said["label"], "label"),
        from_sandbox(said["formula"]),
        _value(said["value"]),
        from_sandbox(said["unit"]),
    )


def _metric(said: Any) -> Metric:
    _exactly(said, {"name", "label", "value", "unit"})
    return Metric(
        _name(said["name"]),
        _text(said["label"], "label"),
        _value(said["value"]),
        from_sandbox(said["unit"]),
    )


def _cost(said: Any) -> Cost:
    _exactly(said, {"label", "value", "unit"})
    return Cost(
        _text(said["label"], "label"), _positive(said["value"], "cost"), from_sandbox(said["unit"])
    )


def _better(said: Any) -> Better:
    _exactly(said, {"changes", "cost"})
    changes = _all(_change, said["changes"], MAX_CHANGES, "changes")
    if not changes:
        raise ValueError("a better design must differ in something")
    return Better(changes, _positive(said["cost"], "cost"))


def _change(said: Any) -> Change:
    _exactly(said, {"field", "from", "to"})
    return Change(_name(said["field"]), _value(said["from"]), _value(said["to"]))


def _level(said: Any) -> Level:
    _exactly(said, {"name", "level", "why"})
    level = said["level"]
    if type(level) is not int or not 0 <= level <= MAX_LEVEL:
        raise ValueError(f"a level must be an int from 0 to {MAX_LEVEL}, got {level!r:.40}")
    return Level(_text(said["name"], "name"), level, _text(said["why"], "why"))


def _pictures(said: Any) -> tuple[tuple[str, JsonObject], ...]:
    if not isinstance(said, dict) or len(said) > MAX_PICTURES:
        raise ValueError(f"pictures must be a dict of {MAX_PICTURES} at most, got {said!r:.80}")
    drawn: list[tuple[str, JsonObject]] = []
    for kind, data in said.items():
        if kind not in LAYOUTS:
            raise ValueError(f"a picture must be one of {', '.join(LAYOUTS)}, got {kind!r:.40}")
        size = len(json.dumps(data, allow_nan=False))
        if not isinstance(data, dict) or size > MAX_PICTURE_CHARACTERS:
            raise ValueError(
                f"a picture's data must be a dict of {MAX_PICTURE_CHARACTERS} characters, "
                f"{kind} has {size}"
            )
        try:
            drawn.append((kind, LAYOUTS[kind](data)))
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise ValueError(f"the data of the picture {kind} cannot be drawn: {error}") from error
    return tuple(drawn)


def _all(one: Callable[[Any], _T], said: Any, most: int, what: str) -> tuple[_T, ...]:
    if not isinstance(said, list) or len(said) > most:
        raise ValueError(f"{what} must be a list of {most} at most, got {said!r:.80}")
    return tuple(one(each) for each in said)


def _exactly(said: Any, keys: Collection[str], optional: Collection[str] = ()) -> None:
    if not isinstance(said, dict) or not set(keys) <= set(said) <= {*keys, *optional}:
        got = sorted(said) if isinstance(said, dict) else said
        raise ValueError(f"the keys must be {', '.join(sorted(keys))}, got {got!r:.200}")


def _text(said: Any, what: str) -> str:
    text = from_sandbox(said)
    if not text.strip():
        raise ValueError(f"{what} must not be empty")
    return text


def _name(said: Any) -> str:
    if not isinstance(said, str) or not 0 < len(said) <= 80:
        raise ValueError(f"a name must be a short str, got {said!r:.80}")
    return said


def _bool(said: Any, what: str) -> bool:
    if type(said) is not bool:
        raise ValueError(f"{what} must be a bool, got {said!r:.40}")
    return said


def _value(said: Any) -> float | int | str:
    if isinstance(said, str | dict):
        return from_sandbox(said)
    return _finite(said, "a value")


def _positive(said: Any, what: str) -> float:
    number = _finite(said, what)
    if number <= 0:
        raise ValueError(f"{what} must be positive, got {number}")
    return float(number)


def _finite(said: Any, what: str) -> float | int:
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    is_huge = isinstance(said, int) and said.bit_length() > MAX_INT_BITS
    if not is_number or is_huge or not math.isfinite(said):
        raise ValueError(f"{what} must be a finite number, got {said!r:.40}")
    return said  # type: ignore[no-any-return]
