"""``manage.py load_problems``: problem packages into the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from app.practice.loading import Change, load_problems
from problems.package import SHIPPED


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

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = load_problems(options["roots"] or [SHIPPED])
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
