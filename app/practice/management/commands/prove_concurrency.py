"""``manage.py prove_concurrency``: the figures that the model checker is trusted by."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from app.practice.judging import Mode, cases_for, judge, make_launcher
from app.practice.management.commands.verify_problems import choose
from graders.concurrency.evasions import EVASIONS
from graders.concurrency.mutants import Mutant, mutants_of
from graders.concurrency.proof import Prover, Refusal, Searched, known_survivors
from graders.verdict import Verdict
from problems.package import SHIPPED, Package

Figures = dict[str, Any]
MODEL_CHECKED = ("interleavings", "progress")
EVADED = "spsc-ring"  # what evasions.py tries to be accepted for
SEED = 1  # of what is judged as a submission
GOAL_S = {"wrong": 3.0, "right": 15.0}  # of a verdict, compilation included


@dataclass(frozen=True, slots=True)
class Item:
    """One source to check, with what must come of it."""

    package: Package
    path: str
    task: str  # wrong, right, mutant, evasion or verdict
    source: str
    mutant: Mutant | None = None

    @property
    def name(self) -> str:
        told = f" {self.mutant.name}" if self.mutant else ""
        return f"{self.package.slug}/{self.path}{told}"


class Command(BaseCommand):
    help = (
        "Prove the model checker by the packages of the concurrency grader: every wrong submission "
        "refused at every seed, no right one at any, every weakened memory order refused unless "
        "graders/concurrency/surviving_mutants.toml says why it is not, every attempt to evade "
        "refused for its reason. Exits 0 if all of it holds. Tells how long verdicts take besides."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG")
        parser.add_argument("--from", dest="root", type=Path, default=SHIPPED, metavar="DIR")
        parser.add_argument(
            "--tasks", default="wrong,right,mutant,evasion,verdict", help="which of the five"
        )
        parser.add_argument("--seeds", type=int, default=20, help="for each wrong submission (20)")
        parser.add_argument(
            "--executions", type=int, default=10_000_000, help="of the right ones, in all"
        )
        parser.add_argument(
            "--every", type=int, default=1, help="take each N-th mutant and evasion only"
        )
        parser.add_argument("--workers", type=int, default=2, help="check N at a time (2)")
        parser.add_argument(
            "--record", type=Path, help="keep what was found here, and go on from it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        packages = [
            package
            for package in choose([options["root"]], options["slugs"])
            if package.spec.grader.kind == "concurrency"
        ]
        if not packages:
            raise CommandError("there is nothing to prove: no package is judged by the checker")
        tasks = options["tasks"].split(",")
        items = list(items_of(packages, tasks, options["every"]))
        right = sum(item.task == "right" for item in items)
        search = Search(options["seeds"], options["executions"] // max(1, right))
        record = Record(options["record"], search)
        found: list[tuple[Item, Figures]] = []
        with ThreadPoolExecutor(options["workers"]) as pool:
            for item, figures in zip(
                items, pool.map(lambda item: record.get(item, search.run), items), strict=True
            ):
                found.append((item, figures))
                if options["verbosity"] > 1:
                    self.stdout.write(f"{item.task:<7} {item.name}: {json.dumps(figures)}")
        # One at a time, or they would wait for each other.
        load = os.getloadavg()[0]
        timed = [(item, record.get(item, search.run)) for item in verdicts_of(packages, tasks)]
        faults = list(tell(found, self.stdout.write, whole=options["every"] == 1))
        tell_times(timed, load, self.stdout.write)
        for fault in faults:
            self.stdout.write(fault, self.style.ERROR)
        if faults:
            raise SystemExit(1)


def items_of(packages: list[Package], tasks: list[str], every: int) -> Iterator[Item]:
    """All that must hold: of wrong submissions, right ones, mutants of those, and evasions."""
    for package in packages:
        model_checked = {
            case.name
            for case in package.spec.cases
            if case.input.get("check", "interleavings") in MODEL_CHECKED
        }
        right = [package.spec.reference_name]
        for path, expected in package.spec.expected.items():
            if expected.verdict in ("AC", "SLOW"):
                right.append(f"submissions/{path}")
            elif expected.verdict == "CE":
                continue  # refused before there is anything to search
            elif "wrong" in tasks and (expected.case is None or expected.case in model_checked):
                name = f"submissions/{path}"
                yield Item(package, name, "wrong", package.files[name])
        for path in right:
            source = package.files[path]
            if "right" in tasks:
                yield Item(package, path, "right", source)
            if "mutant" in tasks:
                for mutant in list(mutants_of(source))[::every]:
                    yield Item(package, path, "mutant", mutant.source, mutant)
        if "evasion" in tasks and package.slug == EVADED:
            # Allocating would be refused first, and some of them allocate on their way.
            grader = package.spec.grader.model_copy(update={"may_allocate": True})
            lenient = replace(package, spec=package.spec.model_copy(update={"grader": grader}))
            for name in list(EVASIONS)[::every]:
                yield Item(lenient, name, "evasion", EVASIONS[name].source)


def verdicts_of(packages: list[Package], tasks: list[str]) -> Iterator[Item]:
    """What is judged to see how long a verdict takes: the reference and all submissions."""
    for package in packages if "verdict" in tasks else ():
        submissions = [f"submissions/{path}" for path in package.spec.expected]
        for path in (package.spec.reference_name, *submissions):
            yield Item(package, path, "verdict", package.files[path])


@dataclass(frozen=True, slots=True)
class Search:
    """How far each kind of item is searched."""

    seeds: int
    executions: int  # of a right source

    def run(self, item: Item) -> Figures:
        spec = item.package.spec
        if item.task in ("evasion", "verdict"):
            return self._judged(item)
        with make_launcher() as launcher:
            prover = Prover(spec.grader.model_dump(), cases_for(spec, Mode.SUBMIT), launcher)
            program = prover.compile(item.source)
            started = time.monotonic()
            figures = {"right": self._right, "wrong": self._wrong, "mutant": self._mutant}[
                item.task
            ](prover, program, item)
            return {**figures, "time_s": round(time.monotonic() - started, 3)}

    def _right(self, prover: Prover, program: bytes, item: Item) -> Figures:
        scenarios = sum(
            case.input.get("check", "interleavings") == "interleavings"
            for case in item.package.spec.cases
        )
        found = prover.check(program, 1, max(1, self.executions // scenarios))
        return _figures(found)

    def _wrong(self, prover: Prover, program: bytes, item: Item) -> Figures:
        expected = item.package.spec.expected[item.path.removeprefix("submissions/")]
        refused = declared = 0
        most = 0
        others: dict[str, int] = {}
        progress_cases = {
            case.name for case in item.package.spec.cases if case.input.get("check") == "progress"
        }
        for seed in range(1, self.seeds + 1):
            # One that waits has nothing else wrong with it: all of its interleavings would be
            # searched in vain, with each seed again.
            search = prover.progress if expected.case in progress_cases else prover.interleavings
            found = search(program, seed)
            if not isinstance(found, Refusal):
                continue
            refused += 1
            most = max(most, found.executions)
            if (expected.message or "") in found.message:
                declared += 1
            else:
                others[found.message] = seed
        return {
            "seeds": self.seeds,
            "refused": refused,
            "declared": declared,
            "most_executions": most,
            "others": others,
        }

    def _judged(self, item: Item) -> Figures:
        package = item.package
        started = time.monotonic()
        report: Any = {}
        for event in judge(
            package.spec, package.files, item.source, Mode.SUBMIT, SEED, make_launcher()
        ):
            report = event.data
        return {
            "verdict": report["verdict"],
            "message": report["message"],
            "time_s": round(time.monotonic() - started, 3),
        }

    def _mutant(self, prover: Prover, program: bytes, item: Item) -> Figures:
        return _figures(prover.check(program, 1))


def _figures(found: Refusal | Searched) -> Figures:
    if isinstance(found, Refusal):
        return {"refused": found.kind, "case": found.case, "executions": found.executions}
    return {
        "executions": found.executions,
        "proved": found.proved,
        "scenarios": found.scenarios,
    }


class Record:
    """What was found before, so that a long proof can be interrupted."""

    def __init__(self, path: Path | None, search: Search) -> None:
        self._path = path
        self._search = search
        self._known: dict[str, Figures] = {}
        if path and path.exists():
            for line in path.read_text().splitlines():
                entry = json.loads(line)
                self._known[entry["key"]] = entry["figures"]

    def get(self, item: Item, run: Callable[[Item], Figures]) -> Figures:
        """The figures of an item, from the record if it was checked in the same way before."""
        spec = item.package.spec
        asked: list[Any] = [item.task, item.source, spec.grader.model_dump(), repr(self._search)]
        asked.append([case.model_dump() for case in spec.cases])
        if item.task == "wrong":
            asked.append(spec.expected[item.path.removeprefix("submissions/")].model_dump())
        key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        if key not in self._known:
            self._known[key] = run(item)
            if self._path:
                entry = {"key": key, "name": item.name, "figures": self._known[key]}
                with self._path.open("a") as file:
                    file.write(json.dumps(entry) + "\n")
        return self._known[key]


def tell(
    found: list[tuple[Item, Figures]], write: Callable[[str], object], *, whole: bool
) -> Iterator[str]:
    """Print the figures; what does not hold comes back, a sentence each.

    `whole` says that no mutant was left out.
    """
    wrong = [(item, figures) for item, figures in found if item.task == "wrong"]
    if wrong:
        held = [f for _, f in wrong if f["refused"] == f["declared"] == f["seeds"]]
        most = max(figures["most_executions"] for _, figures in wrong)
        write(
            f"wrong submissions refused at {wrong[0][1]['seeds']} of {wrong[0][1]['seeds']} seeds "
            f"for the reason that they declare: {len(held)} of {len(wrong)} "
            f"(at most {most} executions)"
        )
    for item, figures in wrong:
        if figures["refused"] < figures["seeds"]:
            yield f"{item.name} is refused at {figures['refused']} of {figures['seeds']} seeds only"
        elif figures["declared"] < figures["seeds"]:
            yield f"{item.name} is refused for other reasons: {figures['others']}"
    right = [(item, figures) for item, figures in found if item.task == "right"]
    if right:
        executions = sum(figures["executions"] for _, figures in right)
        time_s = sum(figures["time_s"] for _, figures in right)
        alarms = sum("refused" in figures for _, figures in right)
        write(
            f"false alarms on {len(right)} right structures: {alarms} in {executions} executions "
            f"({executions / max(time_s, 1e-9):.0f} a second)"
        )
    for item, figures in right:
        if "refused" in figures:
            yield f"{item.name} is right and refused: {figures['refused']} in {figures['case']}"
    evasions = [(item, figures) for item, figures in found if item.task == "evasion"]
    if evasions:
        kept_out = sum(_is_refused(item, figures) for item, figures in evasions)
        write(
            f"attempts to evade refused for the reason in their row: {kept_out} of {len(evasions)}"
        )
    for item, figures in evasions:
        if not _is_refused(item, figures):
            yield f"{item.name} evades: {figures['verdict']} {figures['message']}"
    yield from _tell_mutants(
        [(item, figures) for item, figures in found if item.task == "mutant"], write, whole=whole
    )


def _is_refused(item: Item, figures: Figures) -> bool:
    """Whether an attempt to evade got a rejection, and the one that its row says."""
    if figures["verdict"] in (Verdict.ACCEPTED, Verdict.TOO_SLOW, Verdict.JUDGE_ERROR):
        return False
    row = EVASIONS[item.path]
    return (row.earlier or row.message) in figures["message"]


def _is_right(figures: Figures) -> bool:
    """Whether it went through every stage: a slow one is right."""
    return figures["verdict"] in (Verdict.ACCEPTED, Verdict.TOO_SLOW)


def tell_times(
    timed: list[tuple[Item, Figures]], load: float, write: Callable[[str], object]
) -> None:
    """Print how long verdicts took, by package, and name those over the goal.

    `load` is what the machine did besides before.
    """
    if timed:
        write(
            f"seconds to a verdict, source to last event, one at a time (load before {load:.1f}):"
        )
    for slug in dict.fromkeys(item.package.slug for item, _ in timed):
        parts = []
        for word, accepted in (("wrong", False), ("right", True)):
            times = [
                figures["time_s"]
                for item, figures in timed
                if item.package.slug == slug and _is_right(figures) is accepted
            ]
            parts.append(
                f"{len(times)} {word} p50 {statistics.median(times):.1f}, max {max(times):.1f}"
                if times
                else f"no {word} one"
            )
        write(f"  {slug}: {'; '.join(parts)}")
    for item, figures in timed:
        goal_s = GOAL_S["right" if _is_right(figures) else "wrong"]
        if figures["time_s"] > goal_s:
            took_s = figures["time_s"]
            write(f"  over {goal_s:.0f} s: {item.name}, {figures['verdict']} in {took_s:.1f} s")


def _tell_mutants(
    mutants: list[tuple[Item, Figures]], write: Callable[[str], object], *, whole: bool
) -> Iterator[str]:
    reasons = known_survivors()
    keys = {_key(item) for item, _ in mutants}
    survivors = [item for item, figures in mutants if "refused" not in figures]
    equivalent = sum(_key(item) in reasons for item in survivors)
    if mutants:
        write(
            f"mutants killed: {len(mutants) - len(survivors)} of {len(mutants)}; equivalent, with "
            f"the reason: {equivalent}"
        )
    for item, figures in mutants:
        reason = reasons.get(_key(item))
        if "refused" in figures and reason:
            yield f"{item.name} is refused, though the table calls it equivalent; strike it there"
        elif "refused" not in figures and reason:
            write(f"  is equivalent: {item.name}: {reason}")
        elif "refused" not in figures:
            yield f"{item.name} survives; find out why, and write the reason into the table"
    sources = {source for source, _ in keys}
    for key in reasons if whole else ():
        if key[0] in sources and key not in keys:
            # A table for an older text of the source says nothing of this one.
            yield f"{key[0]} has no mutant {key[1]}; correct the table"


def _key(item: Item) -> tuple[str, str]:
    return f"{item.package.slug}/{item.path}", item.mutant.name if item.mutant else ""
