"""``manage.py doctor``: what this host's sandbox enforces, found out by trying."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sandboxes.doctor import Finding, examine, isolation_holds


class Command(BaseCommand):
    help = (
        "Try every limit of the sandbox on this host and say what enforces it. Exits 1 if "
        "isolation does not hold: then no submission must be judged here."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        self.stdout.write(f"{'tried':<7}{'limit':<20}enforced by")
        for finding in findings:
            self.tell(finding)
        if not isolation_holds(findings):
            self.stderr.write(
                "A submission must not reach anything outside its sandbox, and on this host it "
                "could: mend what FAILS above before you judge here."
            )
            raise SystemExit(1)
        weak = sum(not finding.verified for finding in findings)
        bounded = f" Weak limits: {weak}; verdicts that rest on one are less exact."
        self.stdout.write(
            f"Isolation holds on this host.{bounded if weak else ''}", self.style.SUCCESS
        )

    def tell(self, finding: Finding) -> None:
        """A row; what was seen only where the limit did not hold."""
        if finding.verified:
            mark, style = "holds", self.style.SUCCESS
        elif finding.isolates:
            mark, style = "FAILS", self.style.ERROR
        else:
            mark, style = "weak", self.style.WARNING
        self.stdout.write(f"{mark:<7}{finding.limit:<20}{finding.enforced_by}", style)
        if not finding.verified:
            self.stdout.write(f"{'':<7}{finding.detail}")
