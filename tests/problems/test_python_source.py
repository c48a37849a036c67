"""Reading Python from several threads at once."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from problems.python_source import parse


def test_two_threads_that_parse_at_once_do_not_break_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain, failures = ast.parse, [SystemError("AST constructor recursion depth mismatch")] * 3

    def disturbed(source: str, *rest: Any) -> ast.Module:
        if failures:
            raise failures.pop()
        tree: ast.Module = plain(source, *rest)
        return tree

    monkeypatch.setattr(ast, "parse", disturbed)
    assert len(parse("x = 1").body) == 1
    assert not failures


def test_a_mistake_in_the_source_is_told_as_ever() -> None:
    with pytest.raises(SyntaxError):
        parse("x = (")
