"""Reading Python without running it."""

from __future__ import annotations

import ast

_ATTEMPTS = 20


def parse(source: str) -> ast.Module:
    """As `ast.parse`, from any thread.

    Before 3.11.5 CPython counts the depth of all trees that are being made in one place, so that
    two threads which parse at once can make each other fail (python/cpython#106905).

    Raises
    ------
    SyntaxError, ValueError
        As `ast.parse`.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return ast.parse(source)
        except SystemError:
            continue
    return ast.parse(source)
