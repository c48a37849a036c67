"""``manage.py makemessages``: Django's, which also knows the sentences of graders.

`graders.text.say` and `say_n` mark a sentence as gettext's functions do. Sentences of packages are
no part of the site's catalogue: they bring ``texts.<language>.yaml``.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.commands import makemessages

NOT_OURS = ("app/static/*", "node_modules/*", "problems/*", "staticfiles/*", "tests/*", "var/*")


class Command(makemessages.Command):
    help = "Bring app/locale up to date with every text in app, graders and templates."

    xgettext_options = [
        *makemessages.Command.xgettext_options,
        "--keyword=say",
        "--keyword=say_n:1,2",
        # A per cent sign is one: these are str.format's templates.
        *(f"--flag={mark}:no-python-format" for mark in ("say:1", "say_n:1", "say_n:2")),
    ]
    # A guess at a translation is a wrong one that nobody asked for.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]
    msgattrib_options = [*makemessages.Command.msgattrib_options, "--no-obsolete"]

    def handle(self, *args: Any, **options: Any) -> None:
        options["all"] = not options["locale"]
        options["ignore_patterns"] = [*options["ignore_patterns"], *NOT_OURS]
        options["no_location"] = options["no_wrap"] = True  # or every change moves every entry
        options["no_obsolete"] = True
        with contextlib.chdir(settings.BASE_DIR):
            super().handle(*args, **options)

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Django's, without the lines of the header that change at every run."""
        super().write_po_file(potfile, locale)
        path = Path(potfile).with_name(locale) / "LC_MESSAGES" / f"{self.domain}.po"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        moving = ('"POT-Creation-Date:', '"Report-Msgid-Bugs-To:')
        path.write_text("".join(line for line in lines if not line.startswith(moving)))
