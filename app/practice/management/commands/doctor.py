"""``manage.py doctor``: what this host's sandboxes enforce, found out by trying."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from app.practice.judging import backend_name
from sandboxes.doctor import BACKENDS, Finding, examine_backend, isolation_holds
from sandboxes.host import facts


class Command(BaseCommand):
    help = (
        "Say what this host offers, then try every limit of both sandboxes and say what enforces "
        "it. Exits 1 if isolation does not hold in the one that judges here (SANDBOX_BACKEND)."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("This host", self.style.MIGRATE_HEADING)
        for fact in facts():
            self.stdout.write(f"{fact.subject:<20}{fact.fact}")
        used = backend_name()
        examined = {name: self.examine(name, name == used) for name in BACKENDS}
        self.stdout.write("")
        if not isolation_holds(examined[used]):
            others = [name for name in BACKENDS if isolation_holds(examined[name])]
            instead = f" SANDBOX_BACKEND={others[0]} holds here." if others else ""
            self.stderr.write(
                "A submission must not reach anything outside its sandbox, and on this host it "
                f"could: mend what FAILS above before you judge here.{instead}"
            )
            raise SystemExit(1)
        weak = sum(not finding.verified for finding in examined[used])
        bounded = f" Weak limits: {weak}; verdicts that rest on one are less exact."
        self.stdout.write(
            f"Isolation holds on this host.{bounded if weak else ''}", self.style.SUCCESS
        )

    def examine(self, name: str, is_used: bool) -> list[Finding]:
        """Try one sandbox, and print its table."""
        title = f"{name}, which judges here" if is_used else f"{name}, which does not judge here"
        self.stdout.write(f"\n{title}", self.style.MIGRATE_HEADING)
        self.stdout.write(f"{'tried':<7}{'limit':<20}enforced by")
        findings = examine_backend(name)
        for finding in findings:
            self.tell(finding)
        return findings

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
