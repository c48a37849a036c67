"""manage.py test_gpu: kernels from the web to the verdict on this machine's GPU."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _

from app.practice import gpu
from app.serving.trial import TrialSite
from app.serving.visitor import Visitor
from graders.kernel.statistics import median
from graders.text import from_json
from problems.package import SHIPPED, Package, find_packages, read_packages

REPEATS = 20
VERDICT_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Journey:
    """One submission's way from the POST to the verdict."""

    verdict: str
    wall_s: float
    report: dict[str, Any]

    @property
    def times(self) -> dict[str, dict[str, Any]]:
        """What was measured on the GPU, by case; empty where nothing was."""
        found = self.report.get("metrics", {}).get("kernel_times", [])
        return {one["case"]: one for one in found}


class Command(BaseCommand):
    help = str(
        _(
            "Send each kernel problem's reference and rejected submissions through a whole site "
            "with a worker on this machine's GPU, and print the figures of the references."
        )
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help="all kernel problems if none")
        parser.add_argument(
            "--repeats",
            type=int,
            default=REPEATS,
            help="times that each reference is judged against itself, for the spread",
        )
        parser.add_argument(
            "--rejected", type=int, default=3, help="rejected submissions of each problem to send"
        )

    def handle(
        self, *args: Any, slugs: list[str], repeats: int, rejected: int, **options: Any
    ) -> None:
        try:
            found = gpu.properties()
        except gpu.GpuUnusable as error:
            raise CommandError(str(error)) from None
        if found is None:
            raise CommandError(
                "this command needs a GPU, and none answers here. Run it on a machine with one, "
                "with the packages of pyproject.toml's extra `gpu` installed."
            )
        packages = kernel_packages(slugs)
        self.stdout.write(f"{found['name']}, driver {_driver(found)}, {len(packages)} problems")
        faults: list[str] = []
        with tempfile.TemporaryDirectory(prefix="gauntlet-gpu-") as folder:
            if settings.STATIC_ROOT.exists():
                (Path(folder) / "static").symlink_to(settings.STATIC_ROOT)
            environment = {"SUBMISSIONS_PER_MINUTE": "1000000", "DEBUG": "false", "GPU": "on"}
            with (
                TrialSite(Path(folder), environment, "--port", "0", "--workers", "1") as site,
                closing(site.visitor()) as visitor,
            ):
                for package in packages:
                    for fault in self.prove(package, visitor, site.folder, repeats, rejected):
                        self.stdout.write(self.style.ERROR(fault))
                        self.stdout.write(last_lines(site.folder / "log" / "gpu-worker.log"))
                        faults.append(fault)
        if faults:
            raise SystemExit(1)

    def prove(
        self, package: Package, visitor: Visitor, folder: Path, repeats: int, rejected: int
    ) -> Iterator[str]:
        """Judge a package's submissions through the web; print its row; yield what is not right."""
        source = package.files[package.spec.reference_name]
        cold = judged(visitor, folder, package.slug, source)
        if cold.verdict != "AC" or not cold.times:
            yield f"{package.slug}: the reference must be accepted and timed, got {cold.report}"
            return
        runs = [judged(visitor, folder, package.slug, source) for _ in range(max(repeats, 1))]
        for case in cold.times:
            self.stdout.write(row(package.slug, case, [run.times[case] for run in runs]))
        held_s = median([run.report["metrics"]["gpu_held_s"] for run in runs])
        warm_s = median([run.wall_s for run in runs])
        self.stdout.write(
            f"    POST to verdict: first {cold.wall_s:.1f} s, then {warm_s:.1f} s; "
            f"GPU held {held_s:.2f} s"
        )
        expected = [
            (path, one)
            for path, one in package.spec.expected.items()
            if one.verdict not in ("AC", "CE")
        ]
        for path, one in expected[:rejected]:
            got = judged(visitor, folder, package.slug, package.files[f"submissions/{path}"])
            self.stdout.write(f"    {path}: {got.verdict}, {got.report['message']}")
            if got.verdict == "AC":
                yield f"{package.slug}: {path} must be rejected with {one.verdict}, it is accepted"
            elif not got.report["counterexample"]:
                yield f"{package.slug}: {path} is rejected without a counterexample"


def kernel_packages(slugs: list[str]) -> list[Package]:
    """The shipped packages of kernels.

    Raises
    ------
    CommandError
        If one of `slugs` is none of them, or a package is broken.
    """
    folders = find_packages(SHIPPED)
    packages, complaints = read_packages(
        [folder for folder in folders if not slugs or folder.name in slugs]
    )
    if complaints:
        raise CommandError("\n".join(str(complaint) for complaint in complaints))
    kernels = [one for one in packages if one.spec.grader.kind == "kernel"]
    unknown = set(slugs) - {one.slug for one in kernels}
    if unknown:
        raise CommandError(f"SLUG must be a kernel problem, {', '.join(sorted(unknown))} is none.")
    return [one for one in kernels if not slugs or one.slug in slugs]


def judged(visitor: Visitor, folder: Path, slug: str, source: str) -> Journey:
    """Send a source as a browser does and wait for the end on the websocket."""
    visitor.close()  # what is kept open has died while the last submission was judged
    began = time.monotonic()
    submission = visitor.submit(slug, source)
    end = list(visitor.watch(submission, limit_s=VERDICT_LIMIT_S))[-1]
    wall_s = time.monotonic() - began
    return Journey(str(end["verdict"]), wall_s, report_of(folder, submission))


def last_lines(log: Path, count: int = 40) -> str:
    """The end of a log; nothing where there is none."""
    return "\n".join(log.read_text().splitlines()[-count:]) if log.exists() else ""


def report_of(folder: Path, submission: UUID) -> dict[str, Any]:
    """The whole report, from the trial site's database."""
    database = f"file:{folder / 'gauntlet.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        (text,) = connection.execute(
            "SELECT report FROM practice_submission WHERE id = ?", (submission.hex,)
        ).fetchone()
    return cast("dict[str, Any]", from_json(json.loads(text)))  # in English


def row(slug: str, case: str, measured: list[dict[str, Any]]) -> str:
    """A timed case's figures on one line of Markdown; the reference judged against itself."""
    last = measured[-1]
    ratios = [one["time_over_reference"] for one in measured]
    vendor = copy = "-"
    if "reference_over_vendor" in last:
        vendor = f"{1.0 / last['reference_over_vendor']:.3f} of {last['vendor']}"
    if "reference_of_copy" in last:
        copy = f"{last['reference_of_copy']:.3f}"
    return (
        f"| {slug} | {case} | {last['reference_time_us']:.1f} us "
        f"| {last['tflop_per_s']:.1f} TFLOP/s | {last['gb_per_s']:.0f} GB/s "
        f"| {last['peak_percent']} % | {vendor} | {copy} "
        f"| {min(ratios):.4f} to {max(ratios):.4f} in {len(ratios)} |"
    )


def _driver(found: Any) -> str:
    version = int(found["driver_version"])
    return f"for CUDA {version // 1000}.{version % 1000 // 10}, {os.cpu_count()} cores"
