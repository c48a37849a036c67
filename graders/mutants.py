"""Wrong solutions made out of a right one by rules, to see whether a package's cases refuse them.

A mutant that every case accepts points to a case that is missing, unless it is as right as the
source that it was made from. Rules are the classical ones (a comparison moved by its boundary, a
number by one, a statement left out, a function emptied), and for answers as a whole: a constant,
the input given back, zeros, another order, everything off by one.

References
----------
.. [1] DeMillo, Lipton, Sayward, "Hints on test data selection", IEEE Computer 11(4), 1978.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

STEP = 0.05  # a share of a number; a tolerance as wide as that would take neighbours for right

_NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong solution.

    Attributes
    ----------
    name : str
        Tells it from the others of the same source, and says what was changed.
    source : str
        The whole of it, as a submission.
    missing : str
        The case that a package lacks which accepts it.
    line : int or None
        What was changed in the right source, from 1; None where no one line was.
    """

    name: str
    source: str
    missing: str
    line: int | None = None


def named_once(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """The same mutants; of those that share a name the later ones are numbered."""
    seen: dict[str, int] = {}
    for mutant in mutants:
        count = seen[mutant.name] = seen.get(mutant.name, 0) + 1
        yield mutant if count == 1 else replace(mutant, name=f"{mutant.name} ({count})")


def scaled(text: str, factor: float) -> str:
    """``9.5 GB`` for ``10 GB`` and 0.95: the first number multiplied, the rest as it was."""
    return _NUMBER.sub(lambda number: f"{float(number[0]) * factor:.15g}", text, count=1)


# What is done to a right answer; each is the body of ``changed(answer, arguments)``.
_CHANGES = {
    "zeros": (
        "each(answer, lambda number: 0)",
        "a case whose right answer has a number other than 0",
    ),
    "off by one": (
        "each(answer, lambda number: number + 1)",
        "a case whose right answer has a number, compared to within less than 1",
    ),
    "another order": (
        "turned(answer) if has_order(answer) else None",
        "a case in which the order of the answer's parts counts, and they differ",
    ),
    "last part left out": ("cut(answer)", "a case whose answer has more than one part"),
    "the input given back": (
        "next(iter(arguments.values()), None)",
        "a case whose right answer is not its first argument",
    ),
    "nothing": ("None", "a case with an answer"),
}

_OWN = re.compile(r"\b(each|has_order|turned|cut)\(")
_ANSWER = '''

def _each(value, change):
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return change(value)
    if isinstance(value, dict):
        return {{key: _each(one, change) for key, one in value.items()}}
    if isinstance(value, (list, tuple)):
        return [_each(one, change) for one in value]
    return value


def _has_order(value):
    if isinstance(value, dict):
        return len(value) > 1 or any(map(_has_order, value.values()))
    return isinstance(value, (list, tuple, str))


def _turned(value):
    if isinstance(value, dict):
        return dict(zip(value, map(_turned, list(value.values())[1:] + list(value.values())[:1])))
    if isinstance(value, (list, tuple)):
        return [_turned(one) for one in reversed(value)]
    return value[::-1] if isinstance(value, str) else value


def _cut(value):
    if isinstance(value, dict):
        return dict(list(value.items())[:-1])
    return value[:-1] if isinstance(value, (list, tuple, str)) else value


_right, _depth = {entry_point}, 0


def {entry_point}(*given, **arguments):
    """Changes what the outermost call returns; the right function may call itself."""
    global _depth
    _depth += 1
    try:
        answer = _right(*given, **arguments)
    finally:
        _depth -= 1
    return answer if _depth else {change}
'''

_CONSTANT = """

_right, _depth = {entry_point}, 0


def {entry_point}(*given, **arguments):
    global _depth
    if _depth:
        return _right(*given, **arguments)
    _depth += 1
    try:
        return _right(**{sample!r})
    finally:
        _depth -= 1
"""


def of_answers(
    source: str, entry_point: str, samples: Iterable[Mapping[str, Any]]
) -> Iterator[Mutant]:
    """Mutants of a Python function that change its answer as a whole.

    Parameters
    ----------
    samples : iterable of mapping
        Literal arguments; the right answer to each becomes the answer to everything.
    """
    for name, (change, missing) in _CHANGES.items():
        wrapper = _ANSWER.format(entry_point=entry_point, change=_OWN.sub(r"_\1(", change))
        yield Mutant(f"answer: {name}", source + wrapper, missing)
    for sample in samples:
        wrapper = _CONSTANT.format(entry_point=entry_point, sample=dict(sample))
        shown = repr(dict(sample))
        shown = shown if len(shown) <= 60 else f"{shown[:60]}..."
        yield Mutant(
            f"answer: always that of {shown}",
            source + wrapper,
            "a case with another right answer",
        )


_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
}
_SIGNS: dict[type[ast.AST], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Div: "/",
    ast.Mod: "%",
    ast.And: "and",
    ast.Or: "or",
}
_DIFFERENCE = "a case in which that makes a difference"


def of_python(source: str) -> Iterator[Mutant]:
    """Mutants that change one place of a Python source, in the order of their lines.

    Type annotations, docstrings and decorators are left alone: they compute nothing.

    Raises
    ------
    SyntaxError
        If the source is no Python.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    holders = {
        id(child): (node, name)
        for node in ast.walk(tree)
        for name, value in ast.iter_fields(node)
        for child in (value if isinstance(value, list) else [value])
    }
    # Only the statement that holds a change is written anew; most of a source is never touched.
    parts = [ast.unparse(statement) for statement in tree.body]
    part_of = {id(node): at for at, one in enumerate(tree.body) for node in ast.walk(one)}
    mutants: list[Mutant] = []
    for node in _computing(tree):
        for change in _changes_of(node, holders):
            before = getattr(change.node, change.field)
            setattr(change.node, change.field, change.value)
            at = part_of[id(node)]
            changed = [*parts[:at], ast.unparse(tree.body[at]), *parts[at + 1 :]]
            setattr(change.node, change.field, before)
            line = getattr(node, "lineno", 1)
            name = f"{lines[line - 1].strip()}: {change.name}"
            mutants.append(Mutant(name, "\n".join(changed) + "\n", _DIFFERENCE, line))
    yield from named_once(sorted(mutants, key=lambda mutant: mutant.line or 0))


def _computing(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree that compute something, always in the same order."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for one in node.decorator_list:
                skipped.update(map(id, ast.walk(one)))
        for name in ("annotation", "returns"):
            annotation = getattr(node, name, None)
            if annotation is not None:
                skipped.update(map(id, ast.walk(annotation)))
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            skipped.update(map(id, ast.walk(body[0])))


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@dataclass(frozen=True, slots=True)
class _Change:
    """Another value for one field of a node."""

    name: str
    node: ast.AST
    field: str
    value: Any


def _changes_of(node: ast.AST, holders: Mapping[int, tuple[ast.AST, str]]) -> Iterator[_Change]:
    """What can be changed at a node; `holders` has each node's parent, and the field it is in."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARISONS:
            other = _COMPARISONS[type(operator)]()
            yield _Change(_arrow(operator, other), node, "ops", [other])
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in _OPERATORS:
            yield _Change(
                _arrow(operator, changed := _OPERATORS[type(operator)]()), node, "op", changed
            )
            if isinstance(node, ast.AugAssign):
                yield _left_out(node, ast.Pass(), "left out", holders)
        case ast.BoolOp(op=operator):
            flipped = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield _Change(_arrow(operator, flipped), node, "op", flipped)
        case ast.Constant(value=value) if type(value) is int:
            yield _Change(f"{value} -> {value + 1}", node, "value", value + 1)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield _left_out(node, operand, "not left out", holders)
        case ast.Expr(value=ast.Call()):
            yield _left_out(node, ast.Pass(), "left out", holders)
        case ast.FunctionDef(body=body) if not all(map(_does_nothing, body)):
            yield _Change("emptied", node, "body", [ast.Pass()])


def _arrow(before: ast.AST, after: ast.AST) -> str:
    return f"{_SIGNS[type(before)]} -> {_SIGNS[type(after)]}"


def _left_out(
    node: ast.AST, instead: ast.AST, name: str, holders: Mapping[int, tuple[ast.AST, str]]
) -> _Change:
    holder, field = holders[id(node)]
    held = getattr(holder, field)
    if isinstance(held, list):
        return _Change(name, holder, field, [instead if one is node else one for one in held])
    return _Change(name, holder, field, instead)


def _does_nothing(node: ast.AST) -> bool:
    return isinstance(node, ast.Pass) or _is_text(node)
