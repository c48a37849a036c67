"""``manage.py export_problem``: a problem's package, as it was loaded or written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from app.practice.models import Problem
from problems.archive import zipped
from problems.complaints import nearest


class Command(BaseCommand):
    help = (
        "Write a problem's package out of the database as a zip with the files byte for byte as "
        "they were; the same version gives the same zip. Unpack it where the rounds lie."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument(
            "--version-number",
            dest="number",
            type=int,
            metavar="N",
            help="an earlier version; by default the current one",
        )
        parser.add_argument(
            "--to", type=Path, metavar="FILE", help="by default SLUG-vN.zip in this folder"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug, number = options["slug"], options["number"]
        problem = Problem.objects.select_related("current_version").filter(slug=slug).first()
        if problem is None:
            known = list(Problem.objects.values_list("slug", flat=True))
            meant = nearest(slug, known)
            advice = f"did you mean {meant}?" if meant else "load it with manage.py load_problems"
            raise CommandError(f"SLUG must be a problem of the site, {slug} is none; {advice}")
        version = problem.current_version
        if number is not None:
            version = problem.versions.filter(number=number).first()
        if version is None:
            numbers = ", ".join(str(one.number) for one in problem.versions.all()) or "none"
            raise CommandError(
                f"the version must be one of {slug}'s, got {number}; there are {numbers}"
            )
        path: Path = options["to"] or Path(f"{slug}-v{version.number}.zip")
        path.write_bytes(zipped(slug, version.spec.round.value, version.files))
        self.stdout.write(str(path))
