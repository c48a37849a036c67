"""``manage.py verify_problems``: every package proved by its own submissions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from app.practice import gpu
from app.practice.judging import about_grader
from app.practice.mutation import judge_mutants, mutants_of
from app.practice.verification import Outcome, trials_of, verify
from problems.complaints import nearest
from problems.package import SHIPPED, Package, find_packages, read_packages, slug_of
from sandboxes.interface import SandboxError


class Command(BaseCommand):
    help = (
        "Judge each package's reference, starter and submissions, and compare verdict, case and "
        "message with what problem.yaml expects; replay each counterexample. Exits 0 if all agree, "
        "1 if one does not, 2 if a package is broken or the judge fails."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "slugs", nargs="*", metavar="SLUG", help="all problems if none is given"
        )
        parser.add_argument(
            "--from",
            dest="roots",
            action="append",
            type=Path,
            metavar="DIR",
            help="a folder that holds round-<n>/<slug>, instead of the project's own; may be given "
            "several times",
        )
        parser.add_argument("--json", action="store_true", help="print the outcomes as JSON, alone")
        parser.add_argument(
            "--seed", type=int, default=1, metavar="N", help="draw the inputs from this seed (1)"
        )
        parser.add_argument(
            "--mutants",
            action="store_true",
            help="judge wrong solutions that are made of each reference by rules instead, and warn "
            "of those that no case refuses",
        )
        parser.add_argument(
            "--every", type=int, default=1, metavar="N", help="take each N-th mutant only"
        )
        parser.add_argument("--workers", type=int, metavar="N", help="judge N at a time (2)")

    def handle(self, *args: Any, **options: Any) -> None:
        packages = choose(options["roots"] or [SHIPPED], options["slugs"])
        if options["mutants"]:
            self.judge_mutants(packages, options)
            return
        trials = [trial for package in packages for trial in trials_of(package)]
        started = time.monotonic()
        outcomes: list[Outcome] = []
        try:
            for outcome in verify(trials, options["seed"], options["workers"]):
                outcomes.append(outcome)
                if not options["json"] and (options["verbosity"] or outcome.faults):
                    self.tell(outcome, len(outcomes), len(trials))
        except SandboxError as error:
            raise CommandError(
                f"verifying needs a sandbox that holds: {error}", returncode=2
            ) from None
        outcomes.sort(key=lambda outcome: trials.index(outcome.trial))
        if options["json"]:
            self.stdout.write(json.dumps([outcome.to_json() for outcome in outcomes], indent=2))
        else:
            self.tell_summary(packages, outcomes, time.monotonic() - started)
        if any(outcome.error_id for outcome in outcomes):
            raise SystemExit(2)
        if any(outcome.faults for outcome in outcomes):
            raise SystemExit(1)

    def judge_mutants(self, packages: list[Package], options: dict[str, Any]) -> None:
        """Make mutants of each reference, judge them, and warn of each that survives."""
        self.stdout.write(
            f"{'problem':<28}{'mutants':>8}{'refused':>8}{'as right':>9}{'survive':>8}"
        )
        for package in packages:
            chosen = mutants_of(package, options["seed"])[:: options["every"]]
            try:
                found = list(
                    judge_mutants(package, chosen, options["seed"], options["workers"] or 2)
                )
            except SandboxError as error:
                raise CommandError(
                    f"verifying needs a sandbox that holds: {error}", returncode=2
                ) from None
            survivors = [one for one in found if one.survived]
            unexplained = [one for one in survivors if not one.reason]
            counts = (len(found) - len(survivors), len(survivors) - len(unexplained))
            self.stdout.write(
                f"{package.slug:<28}{len(found):>8}{counts[0]:>8}{counts[1]:>9}"
                f"{len(unexplained):>8}",
                self.style.WARNING if unexplained else self.style.SUCCESS,
            )
            for one in unexplained:
                self.stdout.write(f"    {one.warning}")
            if unexplained and package.spec.grader.kind == "kernel" and gpu.properties() is None:
                self.stdout.write(
                    "    Without a GPU, large and bf16 cases are compiled and not judged: what "
                    "only they would refuse survives here."
                )
            self.stdout.flush()

    def tell(self, outcome: Outcome, number: int, total: int) -> None:
        """One line for a trial that has ended, and one for each fault."""
        trial = outcome.trial
        style = self.style.ERROR if outcome.faults else self.style.SUCCESS
        case = f" on {outcome.case}" if outcome.case else ""
        self.stdout.write(
            f"{number:>3}/{total} {_mark(outcome):<5} {trial.package.slug} {trial.path}: "
            f"{outcome.verdict}{case}, {outcome.wall_time_s:.1f} s",
            style,
        )
        for fault in outcome.tell_faults():
            self.stdout.write(f"        {fault}")

    def tell_summary(
        self, packages: list[Package], outcomes: list[Outcome], wall_time_s: float
    ) -> None:
        """A table with one row for each package."""
        self.stdout.write(f"\n{'problem':<32}{'trials':>8}{'agree':>8}{'differ':>8}{'s':>8}")
        for package in packages:
            own = [outcome for outcome in outcomes if outcome.trial.package is package]
            differ = sum(1 for outcome in own if outcome.faults)
            seconds = sum(outcome.wall_time_s for outcome in own)
            self.stdout.write(
                f"{package.slug:<32}{len(own):>8}{len(own) - differ:>8}{differ:>8}{seconds:>8.1f}",
                self.style.ERROR if differ else self.style.SUCCESS,
            )
        self.stdout.write(f"{len(outcomes)} trials in {wall_time_s:.1f} s")


def choose(roots: Sequence[Path], slugs: Iterable[str]) -> list[Package]:
    """The packages to verify.

    Raises
    ------
    CommandError
        If a slug is unknown or one of the packages is broken.
    """
    try:
        paths = [path for root in roots for path in find_packages(root)]
    except NotADirectoryError as error:
        raise CommandError(str(error), returncode=2) from None
    known = {slug_of(path) for path in paths}
    for slug in slugs:
        if slug not in known:
            meant = nearest(slug, known)
            advice = f"did you mean {meant}?" if meant else f"there are {', '.join(sorted(known))}"
            raise CommandError(
                f"SLUG must be a problem, there is no package {slug}; {advice}", returncode=2
            )
    wanted = set(slugs) or known
    packages, complaints = read_packages(paths, about_grader)
    about = [
        complaint for complaint in complaints if not slugs or _slug_in(complaint.path) in wanted
    ]
    if about:
        lines = "\n".join(str(complaint) for complaint in about)
        raise CommandError(
            f"{lines}\na package is broken; correct it and verify again", returncode=2
        )
    if not packages:
        held = ", ".join(map(str, roots))
        raise CommandError(f"there is nothing to verify, {held} holds no package", returncode=2)
    return [package for package in packages if package.slug in wanted]


def _slug_in(path: str) -> str:
    """The slug in a complaint's path: ``round-3/<slug>/...`` or ``round-3/<slug>.yaml``."""
    return slug_of(Path(*Path(path).parts[:2]))


def _mark(outcome: Outcome) -> str:
    if outcome.error_id:
        return "error"
    return "wrong" if outcome.faults else "ok"
