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
import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any


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
    mutants: list[Mutant] = []
    for number, node in enumerate(_computing(tree)):
        for change, what in enumerate(_changes_of(node)):
            changed = copy.deepcopy(tree)
            twin = next(one for at, one in enumerate(_computing(changed)) if at == number)
            _apply(changed, twin, change)
            line = getattr(node, "lineno", 1)
            mutants.append(
                Mutant(
                    f"{lines[line - 1].strip()}: {what}",
                    ast.unparse(ast.fix_missing_locations(changed)) + "\n",
                    _DIFFERENCE,
                    line,
                )
            )
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


def _changes_of(node: ast.AST) -> list[str]:
    """What can be changed at a node, in words."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARISONS:
            return [f"{_SIGNS[type(operator)]} -> {_SIGNS[_COMPARISONS[type(operator)]]}"]
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in _OPERATORS:
            changed = f"{_SIGNS[type(operator)]} -> {_SIGNS[_OPERATORS[type(operator)]]}"
            return [changed, "left out"] if isinstance(node, ast.AugAssign) else [changed]
        case ast.BoolOp(op=operator):
            return ["and -> or" if isinstance(operator, ast.And) else "or -> and"]
        case ast.Constant(value=value) if type(value) is int:
            return [f"{value} -> {value + 1}"]
        case ast.UnaryOp(op=ast.Not()):
            return ["not left out"]
        case ast.Expr(value=ast.Call()):
            return ["left out"]
        case ast.FunctionDef(body=body) if not all(map(_does_nothing, body)):
            return ["emptied"]
    return []


def _does_nothing(node: ast.AST) -> bool:
    return isinstance(node, ast.Pass) or _is_text(node)


def _apply(tree: ast.AST, node: ast.AST, change: int) -> None:
    """Make the change with that number of `_changes_of(node)` in the tree that holds the node."""
    match node:
        case ast.Compare(ops=[operator]):
            node.ops = [_COMPARISONS[type(operator)]()]
        case ast.AugAssign() if change == 1:
            _replace(tree, node, ast.Pass())
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator):
            node.op = _OPERATORS[type(operator)]()
        case ast.BoolOp(op=operator):
            node.op = ast.Or() if isinstance(operator, ast.And) else ast.And()
        case ast.Constant(value=int(value)):
            node.value = value + 1
        case ast.UnaryOp(operand=operand):
            _replace(tree, node, operand)
        case ast.Expr():
            _replace(tree, node, ast.Pass())
        case ast.FunctionDef():
            node.body = [ast.Pass()]


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    class Replacing(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return new if node is old else self.generic_visit(node)

    Replacing().visit(tree)
