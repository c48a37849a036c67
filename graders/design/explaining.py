"""What failed, as a message and a counterexample that can be drawn; and the whole assessment."""

from __future__ import annotations

from typing import Any

from graders.answers.reading import UNSTORABLE
from graders.answers.worksheet.units import number_text
from graders.design.assessment import Assessment, Constraint, State, Term
from graders.design.nodes import Fault
from graders.text import Text, say, say_n
from graders.verdict import Counterexample, Event, EventKind, Json, JsonObject, Report, Verdict


def unreadable(faults: tuple[Fault, ...], source: str) -> Event:
    """The last event of a design that cannot be read: every fault with its line."""
    lines = source.splitlines()
    first = faults[0]
    message = say(
        "line {line}, column {column}: {fault}",
        line=first.span.line,
        column=first.span.column,
        fault=first.message,
    )
    shown: list[Json] = [
        {
            "line": fault.span.line,
            "column": fault.span.column,
            "message": fault.message,
            "text": UNSTORABLE.sub("\ufffd", lines[fault.span.line - 1][:200])
            if fault.span.line <= len(lines)
            else "",
        }
        for fault in faults
    ]
    counterexample = Counterexample("design_faults", message, {"faults": shown})
    report = Report(Verdict.COMPILE_ERROR, message, 0.0, [], counterexample)
    return Event(EventKind.VERDICT, report.to_json())


def constraint_counterexample(
    failing: Constraint,
    found: Assessment,
    declared: list[str],
    design: JsonObject,
    replay: JsonObject,
) -> Counterexample:
    """The arithmetic of a constraint that does not hold, and what is known about the others."""
    data: JsonObject = {
        "rule": failing.rule,
        "message": failing.message,
        "terms": terms(failing.terms),
        "constraints": [
            {"name": name, "state": state_of(found, name).value, "is_this": name == failing.name}
            for name in declared
        ],
        "configuration": configuration(design),
    }
    return Counterexample("constraint", failing.message, data, replay)


def cost_message(found: Assessment, max_ratio: float) -> Text:
    """Rule, fact and, where the model knows one, the cheaper design that refutes this one."""
    cost, best = found.cost, found.best
    assert cost is not None and best is not None  # noqa: S101, PT018  the caller has looked
    advice: Text = say("look at the largest part of the cost first")
    if found.better is not None:
        advice = say(
            "{changes} already gives {cost} {unit}",
            changes=changes_text(found),
            cost=amount(found.better.cost),
            unit=cost.unit,
        )
    return say(
        "{label} must be at most {allowed} times the best that is known, {best} {unit}; this "
        "design has {cost} {unit}, {ratio} times that: {advice}.",
        label=cost.label,
        allowed=f"{max_ratio:g}",
        best=amount(best),
        unit=cost.unit,
        cost=amount(cost.value),
        ratio=f"{cost.value / best:.3f}",
        advice=advice,
    )


def changes_text(found: Assessment) -> Text:
    """``tp from 8 to 1``, or how many fields are to change and the first of them."""
    assert found.better is not None  # noqa: S101  the caller has looked
    changes = found.better.changes
    first = say(
        "{field} from {before} to {after}",
        field=changes[0].field,
        before=value_text(changes[0].before),
        after=value_text(changes[0].after),
    )
    if len(changes) == 1:
        return first
    return say_n(
        "{first} and {count} change more",
        "{first} and {count} changes more",
        count=len(changes) - 1,
        first=first,
    )


def cost_counterexample(
    found: Assessment, max_ratio: float, message: Text, design: JsonObject, replay: JsonObject
) -> Counterexample:
    """The cost beside the best, and the changes of a cheaper design."""
    cost, best, better = found.cost, found.best, found.better
    assert cost is not None and best is not None  # noqa: S101, PT018  the caller has looked
    longest = max(cost.value, best * max_ratio)
    data: JsonObject = {
        "label": cost.label,
        "unit": cost.unit,
        "cost_text": amount(cost.value),
        "best_text": amount(best),
        "allowed_text": amount(best * max_ratio),
        "ratio_text": f"{cost.value / best:.3f}",
        "allowed_ratio_text": f"{max_ratio:g}",
        "cost_share": round(100 * cost.value / longest, 2),
        "best_share": round(100 * best / longest, 2),
        "allowed_share": round(100 * best * max_ratio / longest, 2),
        "better": None
        if better is None
        else {
            "cost_text": amount(better.cost),
            "changes": [
                {
                    "field": one.field,
                    "before": value_text(one.before),
                    "after": value_text(one.after),
                }
                for one in better.changes
            ],
        },
        "configuration": configuration(design),
    }
    return Counterexample("cost", message, data, replay)


def shown(found: Assessment, declared: list[str], max_ratio: float | None) -> JsonObject:
    """The whole assessment for the page; the best cost only where a case judges by it."""
    data: JsonObject = {
        "constraints": [_constraint(found, name) for name in declared],
        "metrics": [
            {"label": one.label, "value_text": value_text(one.value), "unit": one.unit}
            for one in found.metrics
        ],
        "cost": None,
        "rubric": [
            {"criterion": one.name, "level": one.level, "why": one.why} for one in found.rubric
        ],
        "pictures": [{"kind": kind, "picture": picture} for kind, picture in found.pictures],
    }
    if found.cost is not None:
        cost: JsonObject = {
            "label": found.cost.label,
            "value_text": amount(found.cost.value),
            "unit": found.cost.unit,
        }
        if max_ratio is not None and found.best is not None:
            cost["best_text"] = amount(found.best)
            cost["ratio_text"] = f"{found.cost.value / found.best:.3f}"
            cost["allowed_ratio_text"] = f"{max_ratio:g}"
        data["cost"] = cost
    return data


def state_of(found: Assessment, name: str) -> State:
    """What is known about a declared constraint."""
    constraint = found.named(name)
    if constraint is None:
        return State.WAITS
    return State.HOLDS if constraint.holds else State.FAILS


def _constraint(found: Assessment, name: str) -> JsonObject:
    constraint = found.named(name)
    return {
        "name": name,
        "state": state_of(found, name).value,
        "rule": constraint.rule if constraint else "",
        "terms": terms(constraint.terms) if constraint else [],
    }


def terms(lines: tuple[Term, ...]) -> list[Json]:
    """Lines of arithmetic as the page writes them."""
    return [
        {
            "label": one.label,
            "formula": one.formula,
            "value_text": value_text(one.value),
            "unit": one.unit,
        }
        for one in lines
    ]


def configuration(design: JsonObject) -> list[Json]:
    """The design as groups of rows, as `practice/counterexamples/configuration.html` shows them."""
    return [
        {"name": group, "rows": _rows(fields if isinstance(fields, dict) else {})}
        for group, fields in design.items()
    ]


def _rows(fields: JsonObject) -> list[Json]:
    return [{"name": name, "value": _written(value)} for name, value in fields.items()]


def _written(value: Any) -> str:
    match value:
        case bool():
            return say("yes") if value else say("no")
        case int() | float():
            return value_text(value)
        case list():
            return ", ".join(_written(one) for one in value)
        case dict():
            return "; ".join(f"{name} {_written(one)}" for name, one in value.items())
        case _:
            return str(value)


def value_text(value: float | int | str) -> str:
    """A number as people read it: whole ones in full, others to six digits; a text as it is."""
    return value if isinstance(value, str) else number_text(value)


def amount(value: float) -> str:
    """A cost to four digits, so that a ratio of 1.01 can be seen."""
    return number_text(float(f"{value:.4g}"))
