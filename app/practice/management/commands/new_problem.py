"""``manage.py new_problem``: a problem that verifies as it stands, to be rewritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from app.practice.judging import about_grader
from problems.complaints import PackageInvalid
from problems.package import SHIPPED, find_packages, read_files, slug_of
from problems.schema import Round
from problems.skeletons import EXAMPLE_OF, skeleton


class Command(BaseCommand):
    help = (
        "Write a new problem: a small one of the same kind, which verifies as it stands, with a "
        "slug, a title and an id of its own."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="small letters, digits, single hyphens")
        parser.add_argument(
            "--kind", required=True, choices=sorted(EXAMPLE_OF), help="how it is judged"
        )
        parser.add_argument(
            "--round",
            dest="round_number",
            required=True,
            type=int,
            choices=[one.value for one in Round],
        )
        parser.add_argument("--title", help="the name in lists; by default made of the slug")
        parser.add_argument(
            "--one-file", action="store_true", help="write SLUG.yaml in place of a folder"
        )
        parser.add_argument(
            "--to",
            dest="root",
            type=Path,
            default=SHIPPED,
            metavar="DIR",
            help="the folder that holds round-<n>, instead of the project's own",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug, root = options["slug"], options["root"]
        if root.is_dir():
            taken = {slug_of(path): path for path in find_packages(root)}
            if slug in taken:
                raise CommandError(f"a slug must be new, {taken[slug]} has it; choose another")
        written = skeleton(
            options["kind"],
            slug,
            options["title"] or slug.replace("-", " ").capitalize(),
            Round(options["round_number"]),
            one_file=options["one_file"],
        )
        place = f"round-{options['round_number']}/{slug}"
        try:
            read_files(
                slug,
                {
                    "problem.yaml" if options["one_file"] else path.removeprefix(f"{place}/"): text
                    for path, text in written.items()
                },
                about_grader=about_grader,
            )
        except PackageInvalid as invalid:
            raise CommandError(str(invalid)) from None
        for path, text in written.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8", newline="") as new:
                new.write(text)
        self.stdout.write(f"{root / place}{'.yaml' if options['one_file'] else ''}", ending="\n")
        beside = "" if root == SHIPPED else f" --from {root}"
        self.stdout.write(f"Rewrite it, then: manage.py verify_problems{beside} {slug}")
