"""``manage.py import_problem``: a problem of another judge as a draft of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from app.practice.judging import about_grader
from problems.complaints import PackageInvalid
from problems.importing import gpu_mode, kattis
from problems.importing.draft import CannotImport
from problems.package import SHIPPED, find_packages, read_files, slug_of
from problems.schema import Round


class Command(BaseCommand):
    help = (
        "Make a draft of a Kattis or ICPC problem package, or of a task of GPU MODE (task.yml), "
        "and list what did not carry over and what is left to write."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH", type=Path, help="the folder, unpacked")
        parser.add_argument(
            "--round",
            dest="round_number",
            required=True,
            type=int,
            choices=[one.value for one in Round],
        )
        parser.add_argument("--slug", help="by default made of the folder's name")
        parser.add_argument(
            "--to",
            dest="root",
            type=Path,
            default=SHIPPED,
            metavar="DIR",
            help="the folder that holds round-<n>, instead of the project's own",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source, root = options["path"], options["root"]
        reader = gpu_mode if gpu_mode.looks_like(source) else kattis
        try:
            draft = reader.read(source, options["round_number"], options["slug"])
        except CannotImport as error:
            raise CommandError(
                f"PATH must be a Kattis package or a folder with task.yml: {error}"
            ) from None
        taken = {slug_of(path): path for path in find_packages(root)} if root.is_dir() else {}
        if draft.slug in taken:
            raise CommandError(
                f"a slug must be new, {taken[draft.slug]} has it; choose one with --slug"
            )
        place = root / f"round-{options['round_number']}" / draft.slug
        for path, text in draft.files.items():
            file = place / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="")
        self.stdout.write(str(place))
        self.tell("Did not carry over:", draft.not_carried)
        self.tell("Guessed, or left to write:", draft.guessed)
        try:
            package = read_files(draft.slug, draft.files, about_grader=about_grader)
        except PackageInvalid as invalid:
            self.tell("Not valid yet:", [str(complaint) for complaint in invalid.complaints])
        else:
            warnings = [str(warning) for warning in package.warnings]
            self.tell("Valid; a package that ships with the project needs more:", warnings)

    def tell(self, head: str, sentences: list[str]) -> None:
        """A list under its head; nothing where it is empty."""
        if sentences:
            self.stdout.write(head)
        for sentence in sentences:
            self.stdout.write(f"  - {sentence}")
