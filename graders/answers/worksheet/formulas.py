"""The language of formulas: arithmetic with units, checked for dimensions before anything runs.

A formula is written as in Python, of which it is a small part: ``+ - * / // % **``, comparisons,
``and or not``, ``a if condition else b``, numbers, texts in quotes, names, and the functions of
`FUNCTIONS`. A name is a value of the worksheet or, if none has it, a unit: ``16 * B * params``.
Python's parser makes the tree and our own walk checks and compiles it; nothing is ever handed to
``eval``. Values are numbers in base units, texts or truths.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from typing import Any

from graders.answers.worksheet import units
from graders.answers.worksheet.units import NONE, Dimension

Value = float | str | bool
Scope = Mapping[str, Value]
Compiled = Callable[[Scope], Any]

MAX_CHARACTERS = 1500
MAX_NODES = 1500
MAX_POWER = 64


class Plain(Enum):
    """What a formula can be beside a number with a dimension."""

    TEXT = "a text"
    TRUTH = "true or false"


Kind = Dimension | Plain


class FormulaError(ValueError):
    """A formula breaks a rule; `column`, from 1, is the place in it."""

    def __init__(self, message: str, column: int) -> None:
        self.message = message
        self.column = column
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was checked: what it gives, which values of the worksheet it uses."""

    text: str
    kind: Kind
    names: frozenset[str]
    compute: Compiled
    tree: ast.expr

    def __call__(self, scope: Scope) -> Any:
        """The value, from a scope that has all `names`.

        Raises
        ------
        ArithmeticError
            If these values have none: a division by zero, a logarithm of a negative number.
        """
        try:
            return self.compute(scope)
        except ValueError as error:  # of the functions in math
            raise ArithmeticError(str(error)) from None

    def with_numbers(self, written: Mapping[str, str]) -> str:
        """The formula with values in the place of names, as `written` says them."""
        return ast.unparse(_Filled(written).visit(ast.parse(self.text, mode="eval").body))


class _Filled(ast.NodeTransformer):
    def __init__(self, written: Mapping[str, str]) -> None:
        self._written = written

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self.visit(one) for one in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._written.get(node.id, node.id), ast.Load())


def kind_text(kind: Kind) -> str:
    """What a formula gives, in words."""
    return kind.value if isinstance(kind, Plain) else units.name_of(kind)


def parse(text: str, scope: Mapping[str, Kind]) -> Formula:
    """Check `text` against the kinds of the names that it may use, and compile it.

    Raises
    ------
    FormulaError
        At the first rule that it breaks, with the place.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(f"a formula may have {MAX_CHARACTERS} characters, got {len(text)}", 1)
    source = " ".join(text.split("\n"))
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None) or 1
        said = error.msg if isinstance(error, SyntaxError) else "it nests too deeply"
        raise FormulaError(f"a formula must be arithmetic, got stuck: {said}", column) from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise FormulaError("a formula must be short; give its parts names as terms", 1)
    checker = _Checker(scope)
    kind, compute = checker.check(tree)
    return Formula(source.strip(), kind, frozenset(checker.names), compute, tree)


Checked = tuple[Kind, Compiled]


class _Checker:
    """Walks a tree once: the kind of each node, and a closure that computes it."""

    def __init__(self, scope: Mapping[str, Kind]) -> None:
        self._scope = scope
        self.names: set[str] = set()

    def check(self, node: ast.expr) -> Checked:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise _fault(node, "only arithmetic is allowed in a formula", ast.unparse(node)[:40])
        checked: Checked = method(node)
        return checked

    def number(self, node: ast.expr) -> tuple[Dimension, Compiled]:
        """As `check`, for a node that must be a number."""
        kind, compute = self.check(node)
        if isinstance(kind, Plain):
            raise _fault(node, "a number is needed here", f"{kind.value}, {ast.unparse(node)[:40]}")
        return kind, compute

    def truth(self, node: ast.expr) -> Compiled:
        """As `check`, for a condition."""
        kind, compute = self.check(node)
        if kind is not Plain.TRUTH:
            raise _fault(node, "a condition is needed here", kind_text(kind))
        return compute

    def _constant(self, node: ast.Constant) -> Checked:
        value = node.value
        if isinstance(value, bool):
            return Plain.TRUTH, lambda scope: value
        if isinstance(value, str):
            return Plain.TEXT, lambda scope: value
        if isinstance(value, int | float) and abs(value) < 1e300:
            return NONE, lambda scope: value
        raise _fault(node, "only numbers, texts, True and False are constants", str(value)[:40])

    def _name(self, node: ast.Name) -> Checked:
        name = node.id
        if name in self._scope:
            self.names.add(name)
            return self._scope[name], lambda scope: scope[name]
        try:
            found = units.named(name)
        except units.UnitError as error:
            advice = f"a unit is written {error.meant}" if error.meant else "it is neither here"
            raise _fault(
                node, "a name must be a value defined above or a unit", f"{name}; {advice}"
            ) from None
        scale = found.scale
        return found.dimension, lambda scope: scale

    def _unaryop(self, node: ast.UnaryOp) -> Checked:
        if isinstance(node.op, ast.Not):
            condition = self.truth(node.operand)
            return Plain.TRUTH, lambda scope: not condition(scope)
        if not isinstance(node.op, ast.USub | ast.UAdd):
            raise _fault(node, "only arithmetic is allowed in a formula", ast.unparse(node)[:40])
        dimension, operand = self.number(node.operand)
        if isinstance(node.op, ast.UAdd):
            return dimension, operand
        return dimension, lambda scope: -operand(scope)

    def _binop(self, node: ast.BinOp) -> Checked:
        if isinstance(node.op, ast.Pow):
            return self._power(node)
        left_kind, left = self.number(node.left)
        right_kind, right = self.number(node.right)
        match node.op:
            case ast.Mult():
                return _product(left_kind, right_kind, 1), lambda s: left(s) * right(s)
            case ast.Div():
                return _product(left_kind, right_kind, -1), lambda s: left(s) / right(s)
            case ast.Add() | ast.Sub() | ast.FloorDiv() | ast.Mod():
                self._same(node, left_kind, right_kind)
            case _:
                raise _fault(
                    node, "only arithmetic is allowed in a formula", ast.unparse(node)[:40]
                )
        match node.op:
            case ast.Add():
                return left_kind, lambda s: left(s) + right(s)
            case ast.Sub():
                return left_kind, lambda s: left(s) - right(s)
            case ast.FloorDiv():
                return NONE, lambda s: left(s) // right(s)
            case _:
                return left_kind, lambda s: left(s) % right(s)

    def _power(self, node: ast.BinOp) -> Checked:
        dimension, base = self.number(node.left)
        exponent_kind, exponent = self.number(node.right)
        if exponent_kind != NONE:
            raise _fault(node.right, "an exponent must be a plain number", kind_text(exponent_kind))
        if dimension != NONE:
            if not isinstance(node.right, ast.Constant) or not isinstance(node.right.value, int):
                raise _fault(
                    node.right,
                    "the exponent of something with a unit must be a whole number written out",
                    ast.unparse(node.right)[:40],
                )
            dimension = units.dimension_of(
                (name, power * node.right.value) for name, power in dimension
            )
        return dimension, lambda scope: _raised(base(scope), exponent(scope))

    def _ifexp(self, node: ast.IfExp) -> Checked:
        condition = self.truth(node.test)
        then_kind, then = self.check(node.body)
        else_kind, otherwise = self.check(node.orelse)
        self._same(node, then_kind, else_kind)
        return then_kind, lambda s: then(s) if condition(s) else otherwise(s)

    def _boolop(self, node: ast.BoolOp) -> Checked:
        parts = [self.truth(one) for one in node.values]
        if isinstance(node.op, ast.And):
            return Plain.TRUTH, lambda scope: all(part(scope) for part in parts)
        return Plain.TRUTH, lambda scope: any(part(scope) for part in parts)

    def _compare(self, node: ast.Compare) -> Checked:
        checked = [self.check(one) for one in (node.left, *node.comparators)]
        for (kind, _), (other, _) in pairwise(checked):
            self._same(node, kind, other)
        comparisons = [_COMPARISONS[type(one)] for one in node.ops if type(one) in _COMPARISONS]
        if len(comparisons) < len(node.ops) or (
            isinstance(checked[0][0], Plain)
            and not all(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops)
        ):
            raise _fault(node, "these cannot be compared so", ast.unparse(node)[:40])
        parts = [compute for _, compute in checked]
        if len(parts) == 2:  # nearly all are, and drawing evaluates many
            (left, right), only = parts, comparisons[0]
            return Plain.TRUTH, lambda scope: only(left(scope), right(scope))

        def compare(scope: Scope) -> bool:
            values = [part(scope) for part in parts]
            return all(
                one(left, right)
                for one, (left, right) in zip(comparisons, pairwise(values), strict=True)
            )

        return Plain.TRUTH, compare

    def _call(self, node: ast.Call) -> Checked:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)[:40]
        if name not in FUNCTIONS or node.keywords:
            known = ", ".join(FUNCTIONS)
            raise _fault(node, f"a function must be one of {known}", name)
        function = FUNCTIONS[name]
        least, most = function.arguments
        if not least <= len(node.args) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise _fault(node, f"{name} takes {wanted} arguments", str(len(node.args)))
        checked = [self.number(one) for one in node.args]
        kinds = [kind for kind, _ in checked]
        for kind in kinds[1:]:
            self._same(node, kinds[0], kind)
        if function.of_plain_numbers and kinds[0] != NONE:
            raise _fault(
                node, f"{name} takes plain numbers; divide by a unit first", kind_text(kinds[0])
            )
        dimension = kinds[0]
        if name == "sqrt":
            dimension = units.dimension_of((one, power / 2) for one, power in dimension)
        parts, compute = [part for _, part in checked], function.compute
        if len(parts) == 1 and name not in ("min", "max", "sum"):
            only = parts[0]
            return dimension, lambda scope: compute(only(scope))
        return dimension, lambda scope: compute([part(scope) for part in parts])

    def _same(self, node: ast.expr, one: Kind, other: Kind) -> None:
        if one != other:
            raise _fault(
                node,
                "both sides must be of one kind",
                f"{kind_text(one)} and {kind_text(other)} in {ast.unparse(node)[:60]}",
            )


def _fault(node: ast.expr, rule: str, fact: str) -> FormulaError:
    return FormulaError(f"{rule}, got {fact}", node.col_offset + 1)


def _product(one: Dimension, other: Dimension, sign: int) -> Dimension:
    powers: dict[str, Fraction] = dict(one)
    for name, power in other:
        powers[name] = powers.get(name, Fraction(0)) + sign * power
    return units.dimension_of(powers.items())


def _raised(base: float, exponent: float) -> float:
    if abs(exponent) > MAX_POWER:
        raise ArithmeticError(f"an exponent must be at most {MAX_POWER}, got {exponent:g}")
    if base < 0 and not float(exponent).is_integer():
        raise ArithmeticError(f"{base:g} has no real power {exponent:g}")
    return float(math.pow(base, exponent))


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language: how many arguments it takes, and whether they may have units."""

    compute: Callable[[Any], float]
    arguments: tuple[int, int] = (1, 1)
    of_plain_numbers: bool = False


FUNCTIONS: dict[str, Function] = {
    "min": Function(min, (2, 8)),
    "max": Function(max, (2, 8)),
    "sum": Function(math.fsum, (2, 16)),
    "abs": Function(abs),
    "ceil": Function(math.ceil, of_plain_numbers=True),
    "floor": Function(math.floor, of_plain_numbers=True),
    "sqrt": Function(math.sqrt),
    "log2": Function(math.log2, of_plain_numbers=True),
    "log": Function(math.log, of_plain_numbers=True),
    "exp": Function(math.exp, of_plain_numbers=True),
}
