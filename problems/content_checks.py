"""Checks of what stands inside a package's files: modules that run, figures that are shown."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from problems.complaints import Complaint, nearest
from problems.python_source import parse
from problems.schema import ProblemSpec
from problems.sections.answers import AnswersGrader
from problems.sections.function import FunctionGrader

_FIGURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)")
_PLACEHOLDER = re.compile(r"\[\[([a-z][a-z0-9_]*)\]\]")
_PAGES = ("statement.md", "editorial.md")


def about_modules(files: Mapping[str, str], label: str) -> Iterator[Complaint]:
    """Starter, reference and what lies beside them for the checker is Python.

    Submissions may be none: that is a way to be wrong.
    """
    for path, source in files.items():
        if "/" in path or not path.endswith(".py"):
            continue
        try:
            parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            at = error if isinstance(error, SyntaxError) else None
            yield Complaint(
                f"{label}/{path}",
                at.lineno if at else None,
                at.offset if at else None,
                f"{path} must be Python, got stuck here: {at.msg if at else error}; correct it",
            )


def about_checker(spec: ProblemSpec, files: Mapping[str, str], label: str) -> Iterator[Complaint]:
    """The checker defines what is called."""
    if not isinstance(spec.grader, FunctionGrader):
        return
    path = spec.grader.checker
    try:
        defined = set(_defined(parse(files.get(path, ""))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # `about_modules` says so
        return
    drawn = [case.name for case in spec.cases if "draw" in case.input]
    wanted = {"check": "which compares an answer with the right one"}
    if drawn:
        wanted["draw"] = f"which makes the inputs of the case {drawn[0]}"
    for name, why in wanted.items():
        if path in files and name not in defined:
            yield Complaint(
                f"{label}/{path}",
                None,
                None,
                f"{path} must define {name}, {why}, and it does not; "
                "graders/function/README.md says how",
            )


def _defined(module: ast.Module) -> Iterator[str]:
    """Names that a module has at its top level."""
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)
            case ast.Assign(targets=targets):
                yield from (one.id for one in targets if isinstance(one, ast.Name))


def about_figures(files: Mapping[str, str], label: str) -> Iterator[Complaint]:
    """Every figure that a page shows lies in the package: from elsewhere none is loaded."""
    figures = {path for path in files if path.endswith(".svg")}
    for page in _PAGES:
        for number, line in enumerate(files.get(page, "").split("\n"), start=1):
            for match in _FIGURE.finditer(line):
                path = match[1]
                if path in figures:
                    continue
                meant = nearest(PurePosixPath(path).name, figures)
                yield Complaint(
                    f"{label}/{page}",
                    number,
                    match.start(1) + 1,
                    f"a figure must be an .svg file of the package, {path} is none; "
                    + (f"did you mean {meant}?" if meant else "add it"),
                )


def about_placeholders(
    spec: ProblemSpec, files: Mapping[str, str], label: str
) -> Iterator[Complaint]:
    """Each ``[[name]]`` in a worksheet's statement is one of its parameters."""
    if not isinstance(spec.grader, AnswersGrader):
        return
    names = [one.name for one in spec.grader.parameters]
    for number, line in enumerate(files.get("statement.md", "").split("\n"), start=1):
        for match in _PLACEHOLDER.finditer(line):
            if match[1] in names:
                continue
            meant = nearest(match[1], names)
            yield Complaint(
                f"{label}/statement.md",
                number,
                match.start() + 1,
                f"{match[0]} must name a parameter, {match[1]} is none; "
                + (f"did you mean {meant}?" if meant else f"there are {', '.join(names)}"),
            )
