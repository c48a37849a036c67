"""``manage.py load_problems``: problem packages into the database."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from app.practice.loading import Change, load_problems
from app.practice.watching import changes
from problems.package import SHIPPED

logger = logging.getLogger("app.practice.watching")  # which a person sees on the terminal


class Command(BaseCommand):
    help = (
        "Load the problem packages into the database. Running it again changes nothing; a problem "
        "whose package is gone is unpublished. Exits 2 if a package is broken; the others load."
    )

    # They load every view, which takes longer than loading problems that have not changed.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from",
            dest="roots",
            action="append",
            type=Path,
            metavar="DIR",
            help="a folder that holds round-<n>/<slug>, instead of the project's own; may be given "
            "several times, and what they hold together is what the site then offers",
        )
        parser.add_argument(
            "--watch",
            action="store_true",
            help="load again whenever a file is saved, until told to stop; for authors",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        roots = options["roots"] or [SHIPPED]
        if not options["watch"]:
            self.load(roots)
            return
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        for _ in changes(roots, stopped):
            load_and_log(roots)

    def load(self, roots: list[Path]) -> None:
        """Load once and tell. Raises CommandError if a package is broken."""
        try:
            report = load_problems(roots)
        except NotADirectoryError as error:
            raise CommandError(str(error), returncode=2) from None
        counts: dict[Change, int] = {}
        for loaded in report.problems:
            counts[loaded.change] = counts.get(loaded.change, 0) + 1
            if loaded.change is not Change.UNCHANGED:
                notice = f" ({loaded.notice})" if loaded.notice else ""
                self.stdout.write(f"{loaded.slug} v{loaded.version}: {loaded.change}{notice}")
        for warning in report.warnings:
            self.stderr.write(f"warning: {warning}", self.style.WARNING)
        told = ", ".join(f"{counts[change]} {change}" for change in Change if change in counts)
        self.stdout.write(f"{len(report.problems)} problems: {told or 'no package found'}")
        if report.complaints:
            lines = "\n".join(str(complaint) for complaint in report.complaints)
            raise CommandError(
                f"{lines}\n{len(report.complaints)} faults in packages, which were not loaded; "
                "correct them and load again",
                returncode=2,
            )


def load_and_log(roots: list[Path]) -> None:
    """Load once, each change and each fault a line of the log; the next save may cure a fault."""
    try:
        report = load_problems(roots)
    except NotADirectoryError as error:
        logger.warning("%s", error)
        return
    for loaded in report.problems:
        if loaded.change is not Change.UNCHANGED:
            logger.info("%s v%d: %s", loaded.slug, loaded.version, loaded.change)
    for complaint in report.complaints:
        logger.warning("%s", complaint)
