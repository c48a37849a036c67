"""Makes wrong solutions of a package's reference and judges each: who survives lacks a case."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import graders.concurrency.mutants
from app.practice.judging import Mode, as_typed, host_sandbox, judge, make_launcher
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
        place = self.package.at(self.package.spec.reference_name, line=self.mutant.line)
        complaint = Complaint(
            place.path,
            place.line,
            place.column,
            f"a wrong solution must be refused, this one is accepted: {self.mutant.name}; add "
            f"{self.mutant.missing}, or say in {SURVIVORS.name} why it is as right",
        )
        return str(complaint)


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
        yield from pool.map(lambda mutant: _judge(package, mutant, seed), chosen)


def _judge(package: Package, mutant: Mutant, seed: int) -> Survival:
    verdict, case = Verdict.ACCEPTED, ""
    events = judge(package.spec, package.files, mutant.source, Mode.SUBMIT, seed, make_launcher())
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
