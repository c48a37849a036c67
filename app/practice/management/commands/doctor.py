"""``manage.py doctor``: what this host's sandbox enforces, found out by trying."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from sandboxes.doctor import examine, isolation_holds


class Command(BaseCommand):
    help = (
        "Try every limit of the sandbox on this host and say what enforces it. Exits 1 if "
        "isolation does not hold: then no submission must be judged here."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        rows = [("limit", "enforced by", "tried", "detail")]
        rows += [
            (
                finding.limit,
                finding.enforced_by,
                "holds" if finding.verified else "FAILS",
                finding.detail,
            )
            for finding in findings
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            style = self.style.ERROR if row[2] == "FAILS" else None
            self.stdout.write("  ".join([*cells, row[3]]).rstrip(), style)
        if not isolation_holds(findings):
            self.stderr.write(
                "A submission must not reach anything outside its sandbox, and here it could: "
                "mend what FAILS above before you judge on this host."
            )
            raise SystemExit(1)
        self.stdout.write("Isolation holds on this host.", self.style.SUCCESS)
