"""Checks that hold a package's parts against each other: names, files, problem.yaml."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from problems.complaints import Complaint, nearest
from problems.python_source import parse
from problems.schema import Language, ProblemSpec
from problems.sections.answers import AnswersGrader
from problems.sections.design import DesignGrader
from problems.sections.function import FunctionGrader
from problems.sections.triage import TriageGrader
from problems.strict import Slug
from problems.strict_yaml import Document, Location

ALWAYS_PRESENT = ("problem.yaml", "statement.md", "editorial.md")
MIN_ACCEPTED = 2
MIN_REJECTED = 6
SUBMISSIONS = "submissions/"

_LANGUAGE_OF = {
    "answers": Language.YAML,
    "concurrency": Language.CPP,
    "design": Language.YAML,
    "function": Language.PYTHON,
    "kernel": Language.PYTHON,
    "simulation": Language.PYTHON,
    "triage": Language.YAML,
}

# The program of ours that a kind of grader takes from the package, by the key that names its file.
_PROGRAMS = (
    ("function", "checker", FunctionGrader.model_fields["checker"].default),
    ("design", "model", DesignGrader.model_fields["model"].default),
)

_ROUND_FOLDER = re.compile(r"round-([1-7])")
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


def about_the_name(round_folder: str, slug: str, label: str) -> Iterator[Complaint]:
    """The folder is a slug inside a round's folder."""
    try:
        _SLUG.validate_python(slug)
    except ValidationError:
        yield Complaint(
            label,
            None,
            None,
            "a package's folder is its slug: small letters and digits with single hyphens between, "
            f"60 at most, got {slug}; rename it",
        )
    if not _ROUND_FOLDER.fullmatch(round_folder):
        yield Complaint(
            label,
            None,
            None,
            f"a package must lie in a folder round-1 to round-7, got {round_folder}; move it",
        )


def about_missing_files(found: set[str], language: object, label: str) -> Iterator[Complaint]:
    """The files that a package must have; without a known `language`, only those of all."""
    needed = [*ALWAYS_PRESENT]
    if language in set(Language):
        suffix = Language(str(language)).suffix
        needed += [f"starter{suffix}", f"reference{suffix}"]
    spare = {path for path in found if "/" not in path} - set(needed)
    for name in needed:
        if name not in found:
            meant = nearest(name, spare, cutoff=0.8)
            advice = f"did you mean {meant} to be it?" if meant else "write it"
            yield Complaint(
                f"{label}/{name}", None, None, f"a package must have {name}, it has none; {advice}"
            )


def about_entry_points(
    spec: ProblemSpec, files: Mapping[str, str], label: str
) -> Iterator[Complaint]:
    """A Python starter and reference must define what the grader calls."""
    if spec.language is not Language.PYTHON:
        return
    if isinstance(spec.grader, AnswersGrader | DesignGrader | TriageGrader):
        return
    name = spec.grader.entry_point
    for path in (spec.starter_name, spec.reference_name):
        if path not in files:
            continue
        try:
            module = parse(files[path])
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # `about_modules` says so
            continue
        defined = {
            node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        if name not in defined:
            yield Complaint(
                f"{label}/{path}",
                None,
                None,
                f"{path} must define grader.entry_point, {name} is not defined at its top level; "
                f"write def {name}",
            )


@dataclass(frozen=True, slots=True)
class AboutSpec:
    """Checks what problem.yaml says against the files beside it."""

    document: Document
    where: str
    found: set[str]

    def written_paths(self) -> Iterator[Complaint]:
        """The files that problem.yaml names exist, and no submission goes unnamed."""
        value = self.document.value
        if not isinstance(value, dict):
            return
        grader = value.get("grader")
        if isinstance(grader, dict):
            for kind, key, default in _PROGRAMS:
                path = grader.get(key, default)
                if grader.get("kind") == kind and isinstance(path, str):
                    yield from self._file(f"grader.{key}", path, ("grader", key), self.found)
        expected = value.get("expected")
        if not isinstance(expected, dict):
            return
        submissions = {
            path.removeprefix(SUBMISSIONS) for path in self.found if path.startswith(SUBMISSIONS)
        }
        unnamed = submissions - set(expected)
        for path in expected:
            location = ("expected", path)
            if path not in submissions:
                yield from self._file("each key of expected", path, location, unnamed, SUBMISSIONS)
            if path.startswith("accepted/") and _verdict(expected[path]) not in ("AC", None):
                yield self._complaint(
                    location,
                    "a submission in accepted/ must expect AC, "
                    f"got {_verdict(expected[path])}; move the file or correct the verdict",
                )
        for path in sorted(unnamed):
            yield self._complaint(
                ("expected",),
                f"every file under submissions/ must be named in expected, {path} is not; "
                "say what it must get, or remove the file",
            )

    def round_of(self, folder: str, spec: ProblemSpec) -> Iterator[Complaint]:
        """The folder's round is the problem's."""
        named = _ROUND_FOLDER.fullmatch(folder)
        if named and int(named[1]) != spec.round:
            yield self._complaint(
                ("round",),
                f"round must be that of the folder, {folder}, got {spec.round.value}; "
                "move the folder or correct the number",
            )

    def language(self, spec: ProblemSpec) -> Iterator[Complaint]:
        """The grader takes submissions in the problem's language."""
        wanted = _LANGUAGE_OF.get(spec.grader.kind)
        if wanted is not None and wanted is not spec.language:
            yield self._complaint(
                ("language",),
                f"language must be {wanted.value} for the grader {spec.grader.kind}, got "
                f"{spec.language.value}; change it",
            )

    def number_of_submissions(self, spec: ProblemSpec) -> Iterator[Complaint]:
        """Enough submissions of both sorts to trust the grader by."""
        verdicts = [expectation.verdict for expectation in spec.expected.values()]
        accepted = verdicts.count("AC")
        for what, least, number in (
            ("accepted", MIN_ACCEPTED, accepted),
            ("rejected", MIN_REJECTED, len(verdicts) - accepted),
        ):
            if number < least:
                yield self._complaint(
                    ("expected",),
                    f"a package must ship {least} {what} submissions at least, got {number}; "
                    "write more",
                )

    def _file(
        self, what: str, path: str, location: Location, candidates: set[str], under: str = ""
    ) -> Iterator[Complaint]:
        """`path`, written at `location`, is a file of the package; `candidates` may be meant."""
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts or path != "/".join(parts):
            yield self._complaint(
                location,
                f"{what} must be a path inside the package, plain and with slashes, got {path}; "
                "move the file into the package",
            )
        elif f"{under}{path}" not in self.found:
            meant = nearest(path, candidates)
            yield self._complaint(
                location,
                f"{what} must name a file of the package, {under}{path} does not exist; "
                + (f"did you mean {meant}?" if meant else "write it"),
            )

    def _complaint(self, location: Location, message: str) -> Complaint:
        position = self.document.position(location, of_key=location[:1] == ("expected",))
        return Complaint(self.where, position.line, position.column, message)


def _verdict(expectation: Any) -> str | None:
    verdict = expectation.get("verdict") if isinstance(expectation, dict) else None
    return verdict if isinstance(verdict, str) else None
