"""Which Python a Triton kernel may be written in where it runs as Python: what is allowed, by name.

The interpreter executes a kernel's body, so a body could do anything that Python can. Nothing of a
submission but kernel bodies that pass here comes near the inputs' values. The list is that of what
Triton's compiler takes: arithmetic, control flow, functions of ``triton.language``, and names that
are arguments, locals, constants or other kernels.
"""

from __future__ import annotations

import ast
import math
import types
from typing import Any

import triton
import triton.language as tl

_NODES = (
    ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign,
    ast.For, ast.While, ast.If, ast.IfExp, ast.Expr, ast.Pass, ast.Break, ast.Continue, ast.Assert,
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.keyword, ast.Starred, ast.Name,
    ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Constant, ast.JoinedStr,
    ast.FormattedValue, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip
_BUILTINS = {
    "range", "min", "max", "len", "int", "float", "bool", "abs", "isinstance", "print", "tuple",
    "list", "sum", "static_range",
}  # fmt: skip
_KINDS = (tl.tensor, tl.dtype, tl.pointer_type, tl.block_type, tl.constexpr)
_MEMBERS = {
    name
    for kind in (*_KINDS, tl.core.tensor_descriptor_base, tl.core.tensor_descriptor)
    for name in dir(kind)
    if not name.startswith("_")
} | {"value", "dtype", "type", "shape", "T", "element_ty", "numel"}
_MEMBERS -= {"handle"}


class Forbidden(Exception):
    """A kernel body uses what no kernel needs."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.what, self.line = what, line


def check(source: str, first_line: int, names: dict[str, Any]) -> ast.Module:
    """Parse one kernel and refuse whatever is not on the list.

    Parameters
    ----------
    first_line : int
        Where the function's ``def`` stands in the submission.
    names : dict
        What its free names mean.

    Returns
    -------
    ast.Module
        With the submission's own line numbers.

    Raises
    ------
    Forbidden
        Naming the first thing that is not allowed.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Forbidden(type(error).__name__, first_line) from None
    ast.increment_lineno(tree, first_line - 1)
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        raise Forbidden("more than one function", first_line)
    function = tree.body[0]
    bound = {one.arg for one in ast.walk(function) if isinstance(one, ast.arg)}
    bound |= {
        one.id
        for one in ast.walk(function)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    for node in ast.walk(function):
        line = getattr(node, "lineno", first_line)
        if not isinstance(node, _NODES) or getattr(node, "decorator_list", None):
            raise Forbidden(type(node).__name__, line)
        if isinstance(node, ast.Name):
            if node.id.startswith("__") or node.id not in bound | names.keys() | _BUILTINS:
                raise Forbidden(node.id, line)
        elif isinstance(node, ast.Attribute):
            _check_attribute(node, bound, names)
    return tree


def _check_attribute(node: ast.Attribute, bound: set[str], names: dict[str, Any]) -> None:
    found = _of_module(node, bound, names)
    if found is None:
        if node.attr not in _MEMBERS:
            raise Forbidden(f".{node.attr}", node.lineno)
    elif not is_allowed(found):
        raise Forbidden(ast.unparse(node), node.lineno)


def _of_module(node: ast.expr, bound: set[str], names: dict[str, Any]) -> Any:
    """What a chain such as ``tl.math.exp`` means; None if it does not begin with a module."""
    if isinstance(node, ast.Name):
        value = names.get(node.id) if node.id not in bound else None
        return value if isinstance(value, types.ModuleType) else None
    if isinstance(node, ast.Attribute):
        base = _of_module(node.value, bound, names)
        if isinstance(base, types.ModuleType):
            if node.attr.startswith("_") or not hasattr(base, node.attr):
                raise Forbidden(node.attr, node.lineno)
            return getattr(base, node.attr)
    return None


def is_allowed(value: Any) -> bool:
    """Whether a kernel may reach this: modules and members of Triton's language, and numbers."""
    if isinstance(value, types.ModuleType):
        return value in (triton, math) or value.__name__.split(".")[:2] == ["triton", "language"]
    if isinstance(value, int | float | tl.dtype):
        return True
    if value in (triton.cdiv, triton.next_power_of_2):
        return True
    # A function of Triton's own that is written in Triton is wrapped, and the wrapper is elsewhere.
    module = str(getattr(getattr(value, "fn", value), "__module__", ""))
    return module.split(".")[:2] == ["triton", "language"] or module == "math"
