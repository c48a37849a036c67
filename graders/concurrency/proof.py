"""What the model checker is held to: figures on right structures, wrong ones and weakened ones.

It uses the same compiler, runner and sandbox as judging does, without the stages that need real
threads.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from graders.concurrency import build, compiler, messages
from graders.concurrency.checking import DESCRIPTOR, PROGRAM, RUNNER, Checker
from graders.concurrency.judging import RANDOM_EXECUTIONS
from graders.concurrency.program import instances_of, interface, scenarios_file
from graders.concurrency.results import PROGRESS_CLASSES, Coverage, Failure, Progress
from graders.concurrency.scenarios import Check, Structure, read_plan
from graders.ports import Case, JudgeError, Launcher, ProgramLimits

SURVIVORS = Path(__file__).parent / "surviving_mutants.toml"
_LIMITS = ProgramLimits(cpu_time_s=3600.0, wall_time_s=3600.0, memory_mib=1024, output_kib=256)
_LONG_S = 3600.0  # a proof ends by its counts, so that it says the same on every machine


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the checker refuses a structure, and how many executions that took."""

    case: str
    kind: str
    message: str
    executions: int


@dataclass(frozen=True, slots=True)
class Searched:
    """A search that found nothing."""

    executions: int
    proved: int  # scenarios that were searched to the end
    scenarios: int


class Prover:
    """The model checker as a problem uses it.

    Parameters
    ----------
    settings : mapping
        The problem's grader section.
    cases : sequence of Case
        The problem's cases; those that real threads judge are passed over.
    """

    def __init__(
        self, settings: Mapping[str, object], cases: Sequence[Case], launcher: Launcher
    ) -> None:
        self.structure = Structure.of(settings)
        plans = [read_plan(case, self.structure) for case in cases]
        self._plans = [plan for plan in plans if plan.check.model_checked]
        self._launcher = launcher

    def compile(self, source: str) -> bytes:
        """The program of a source that must compile.

        Raises
        ------
        JudgeError
            If it does not.
        """
        scenarios = [plan.scenario for plan in self._plans]
        done = compiler.compile_for_checker(
            self._launcher,
            source.encode(),
            interface(self.structure, instances_of(scenarios)),
            scenarios_file(self.structure, scenarios),
        )
        if isinstance(done, compiler.NotCompiled):
            raise JudgeError(f"every source of a proof must compile: {done.output[:1000]}")
        return done.program

    def check(
        self, program: bytes, seed: int, random_executions: int = RANDOM_EXECUTIONS
    ) -> Refusal | Searched:
        """Search the interleavings, then tell the progress class, as judging does.

        `random_executions` are those of each scenario.
        """
        found = self.interleavings(program, seed, random_executions)
        if isinstance(found, Refusal):
            return found
        return self.progress(program, seed) or found

    def interleavings(
        self, program: bytes, seed: int, random_executions: int = RANDOM_EXECUTIONS
    ) -> Refusal | Searched:
        """Search every scenario for an execution that must not be."""
        plans = [plan for plan in self._plans if plan.check is Check.INTERLEAVINGS]
        command = build.check(
            RUNNER,
            PROGRAM,
            descriptor=DESCRIPTOR,
            seed=seed,
            limits=build.SearchLimits(random_executions, time_limit_s=_LONG_S),
            scenarios={plan.case.name: plan.scenario.executions for plan in plans},
        )
        executions = proved = 0
        for message in Checker(self._launcher, program, _LIMITS).ask(command):
            match message:
                case Failure() as failure:
                    return Refusal(
                        failure.scenario,
                        failure.kind,
                        messages.sentence(failure.message),
                        failure.random_executions + failure.exhaustive_executions,
                    )
                case Coverage() as coverage:
                    executions += coverage.random_executions + coverage.executions
                    executions += coverage.blocked
                    proved += coverage.proved
        return Searched(executions, proved, len(plans))

    def progress(self, program: bytes, seed: int) -> Refusal | None:
        """Suspend threads; refused is a weaker class than the problem asks for."""
        wanted = PROGRESS_CLASSES.index(self.structure.progress)
        for plan in self._plans:
            if plan.check is not Check.PROGRESS:
                continue
            name = plan.case.name
            command = build.progress(
                RUNNER, PROGRAM, descriptor=DESCRIPTOR, seed=seed, scenario=name
            )
            for message in Checker(self._launcher, program, _LIMITS).ask(command):
                found = cast(Progress, message)
                if PROGRESS_CLASSES.index(found.progress_class) < wanted:
                    return Refusal(name, found.progress_class, f"it is {found.progress_class}", 0)
        return None


def known_survivors() -> dict[tuple[str, str], str]:
    """(source, name of the mutant) -> why it is as right as the source.

    Raises
    ------
    JudgeError
        If a row gives no reason, or a mutant stands twice.
    """
    rows: dict[tuple[str, str], str] = {}
    for row in tomllib.loads(SURVIVORS.read_text())["equivalent"]:
        for name in row["mutants"]:
            key = (row["source"], name)
            if not row["reason"].strip() or key in rows:
                raise JudgeError(f"a surviving mutant needs one reason, see {key}")
            rows[key] = row["reason"]
    return rows
