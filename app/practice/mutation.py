"""Makes wrong solutions of a package's reference and judges each: who survives lacks a case."""

from __future__ import annotations

import ast
import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import graders.concurrency.mutants
from app.practice.judging import (
    Cancelled,
    Mode,
    SandboxLauncher,
    as_typed,
    host_sandbox,
    judge,
    make_launcher,
)
from graders import mutants
from graders.answers.mutants import of_answers as of_worksheet
from graders.concurrency.proof import known_survivors
from graders.design.mutants import of_designs
from graders.mutants import Mutant
from graders.triage.mutants import of_findings
from graders.verdict import EventKind, Verdict
from problems.complaints import Complaint
from problems.package import SHIPPED, Package
from problems.schema import ProblemSpec

SURVIVORS = SHIPPED / "surviving_mutants.toml"


@dataclass(frozen=True, slots=True)
class Survival:
    """What became of a mutant.

    `killed_by` is the case that refused it, empty where it was not compiled or not refused;
    `reason` says why a survivor is as right as the reference, as far as somebody has found out.
    """

    package: Package
    mutant: Mutant
    verdict: Verdict
    killed_by: str = ""
    reason: str = ""

    @property
    def survived(self) -> bool:
        return self.verdict is Verdict.ACCEPTED

    @property
    def warning(self) -> str:
        """File and line, the rule, the fact and what to do. Of a survivor."""
        place = place_of(self.package, self.mutant)
        complaint = Complaint(
            place.path,
            place.line,
            place.column,
            f"a wrong solution must be refused, this one is accepted: {self.mutant.name}; add "
            f"{self.mutant.missing}, or say in {SURVIVORS.name} why it is as right",
        )
        return str(complaint)


def place_of(package: Package, mutant: Mutant) -> Complaint:
    """The line of the reference that a mutant changes; the file, where it is no one line."""
    return package.at(package.spec.reference_name, line=mutant.line)


def sample_of(made: Sequence[Mutant], most: int) -> list[Mutant]:
    """At most so many of them, spread evenly over the source that they are made of.

    >>> numbers = [Mutant(str(number), "", "") for number in range(10)]
    >>> [mutant.name for mutant in sample_of(numbers, 4)]
    ['0', '2', '5', '7']
    """
    if len(made) <= most:
        return list(made)
    return [made[number * len(made) // most] for number in range(most)]


def difference(package: Package, mutant: Mutant) -> str:
    """What a mutant changes in the reference, as a unified diff without its heads.

    Changed Python is written anew, without comments: such a source is held against the reference
    written in the same way, or every line of it would differ.
    """
    reference = package.files[package.spec.reference_name]
    diffs = [_diff(reference, mutant.source)]
    if package.spec.reference_name.endswith(".py"):
        anew = "\n".join(ast.unparse(statement) for statement in ast.parse(reference).body)
        diffs.insert(0, _diff(anew, mutant.source))
    shortest = min(diffs, key=len)
    return "\n".join(shortest)


def _diff(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++"))]


def mutants_of(package: Package, seed: int) -> list[Mutant]:
    """The wrong solutions that are made of a package's reference."""
    spec = package.spec
    source = package.files[spec.reference_name]
    settings = spec.grader.model_dump()
    match spec.grader.kind:
        case "answers":
            return list(of_worksheet(settings, as_typed(spec, source, seed)))
        case "concurrency":
            return [
                Mutant(one.name, one.source, "a scenario that needs this order", one.line)
                for one in graders.concurrency.mutants.mutants_of(source)
            ]
        case "design":
            return list(of_designs(settings, source))
        case "triage":
            return list(of_findings(settings, as_typed(spec, source, seed)))
        case "function":
            samples = [case.input for case in spec.cases if "draw" not in case.input][:1]
            answers = mutants.of_answers(source, str(settings["entry_point"]), samples)
            return [*answers, *mutants.of_python(source)]
        case _:
            return list(mutants.of_python(source))


def judge_mutants(
    package: Package, chosen: Sequence[Mutant], seed: int, workers: int = 2
) -> Iterator[Survival]:
    """Judge mutants of a package, `workers` at a time, each up to the first case that refuses it.

    Raises
    ------
    SandboxError
        If this host has no sandbox that holds.
    """
    host_sandbox()
    with ThreadPoolExecutor(workers, thread_name_prefix="mutants") as pool:
        yield from pool.map(
            lambda mutant: judge_mutant(package, mutant, seed, make_launcher()), chosen
        )


def judge_mutant(
    package: Package, mutant: Mutant, seed: int, launcher: SandboxLauncher
) -> Survival:
    """Judge one mutant up to the first case that refuses it.

    Raises
    ------
    Cancelled
        If somebody cancelled the launcher meanwhile.
    """
    verdict, case = Verdict.ACCEPTED, ""
    events = judge(package.spec, package.files, mutant.source, Mode.SUBMIT, seed, launcher)
    with closing(events):  # type: ignore[type-var]  # a generator
        for event in events:
            if event.kind is EventKind.VERDICT:
                verdict = Verdict(str(event.data["verdict"]))
            elif event.kind is EventKind.CASE_FINISHED:
                result = event.data["result"]
                assert isinstance(result, dict)  # noqa: S101  so `case_finished` makes it
                if result["verdict"] != Verdict.ACCEPTED.value:
                    verdict, case = Verdict(str(result["verdict"])), str(result["name"])
                    break
    if launcher.cancelled:
        raise Cancelled
    reason = reasons(package.spec).get((_key(package), mutant.name), "")
    return Survival(package, mutant, verdict, case, reason)


def _key(package: Package) -> str:
    return f"{package.slug}/{package.spec.reference_name}"


def reasons(spec: ProblemSpec) -> Mapping[tuple[str, str], str]:
    """(source, name of the mutant) -> why it is no worse than the source."""
    return known_survivors() if spec.grader.kind == "concurrency" else _reasons(SURVIVORS)


@cache
def _reasons(path: Path) -> Mapping[tuple[str, str], str]:
    return {
        (row["source"], name): str(row["reason"])
        for row in tomllib.loads(path.read_text()).get("survivor", [])
        for name in row["mutants"]
    }
