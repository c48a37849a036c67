"""manage.py bench: what the path from the POST to the verdict costs on this machine."""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _

from app.practice.judging import Mode, judge, make_launcher
from app.serving.trial import TrialSite
from app.serving.visitor import Visitor
from graders.ports import ProgramLimits, Task
from graders.simulation.stateful.program import Call, Candidate
from problems.package import Package, read_package

PACKAGES = settings.BASE_DIR / "tests" / "packages"
SLUG = "steady"
DRAIN_LIMIT_S = 120.0
LOOK_INTERVAL_S = 0.1
OPERATIONS = 50_000  # on a stateful object, for its rate
QUESTIONS = 2_000  # of which each waits for the answer to the one before, as a scheduler's do
WARM_UP = 3  # submissions before the clock counts: imports, first connections


class Command(BaseCommand):
    help = str(_("Measure the path from the POST to the verdict, on a site of its own."))

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--submissions", type=int, default=40)
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")

    def handle(self, *args: object, submissions: int, json: bool, **options: object) -> None:
        if submissions < 2:
            raise CommandError(f"--submissions must be 2 or more, got {submissions}.")
        package = read_package(PACKAGES / "round-1" / SLUG)
        figures = measure(package, submissions)
        self.stdout.write(as_json(figures) if json else as_text(figures))


def measure(package: Package, count: int) -> dict[str, float]:
    """Everything at once; times in milliseconds.

    The path ends when the verdict arrives on the websocket that was opened right after the POST,
    as a browser does. The same source is judged without web and queue, alternately in the same
    minute, so that both see the same machine.
    """
    source = package.files[package.spec.reference_name]
    with tempfile.TemporaryDirectory(prefix="gauntlet-bench-") as folder:
        static = Path(folder) / "static"
        if settings.STATIC_ROOT.exists():
            static.symlink_to(settings.STATIC_ROOT)
        environment = {"SUBMISSIONS_PER_MINUTE": "1000000", "DEBUG": "false"}
        with TrialSite(Path(folder), environment, "--port", "0", "--workers", "1") as site:
            site.manage("load_problems", "--from", str(PACKAGES))
            with closing(site.visitor()) as visitor:

                def path() -> None:
                    post_to_verdict(visitor, source)

                def bare() -> None:
                    judge_alone(package, source)

                for _warm in range(WARM_UP):
                    path()
                    bare()
                path_ms, bare_ms = [], []
                for _turn in range(count):
                    path_ms.append(timed_ms(path))
                    bare_ms.append(timed_ms(bare))
                rate = submissions_per_s(visitor, source, count, site.folder)
    return {
        "submissions": count,
        "cores": len(os.sched_getaffinity(0)),
        "path_p50_ms": statistics.median(path_ms),
        "path_p95_ms": percentile_95(path_ms),
        "bare_p50_ms": statistics.median(bare_ms),
        "bare_p95_ms": percentile_95(bare_ms),
        "path_over_bare_p50": statistics.median(path_ms) / statistics.median(bare_ms),
        "submissions_per_s": rate,
        **calls_per_s(),
    }


def post_to_verdict(visitor: Visitor, source: str) -> None:
    """One Run, whose only case does nothing, from the POST to the end on the websocket."""
    end = list(visitor.watch(visitor.submit(SLUG, source, "run")))[-1]
    if end["verdict"] != "AC":
        raise CommandError(f"the reference must be accepted, got {end}: see `manage.py doctor`.")


def judge_alone(package: Package, source: str) -> None:
    """The same judging in this process: sandbox and grader, no web, queue or database."""
    launcher = make_launcher()
    events = list(judge(package.spec, package.files, source, Mode.RUN, 0, launcher))
    if events[-1].data["verdict"] != "AC":
        raise CommandError(f"the reference must be accepted, got {events[-1].data}.")


def submissions_per_s(visitor: Visitor, source: str, count: int, folder: Path) -> float:
    """How many one worker ends a second with `count` queued, from the first start to the last end.

    Read from the database's own times and not from sockets: forty open pages would be a load that
    is not asked for here.
    """
    sent = [visitor.submit(SLUG, source, "run") for _turn in range(count)]
    deadline = time.monotonic() + DRAIN_LIMIT_S
    while time.monotonic() < deadline:
        spans = finished_spans(folder, sent)
        if len(spans) == count:
            begin, end = min(start for start, _ in spans), max(end for _, end in spans)
            return count / (end - begin).total_seconds()
        time.sleep(LOOK_INTERVAL_S)
    raise CommandError(f"{count} submissions must end in {DRAIN_LIMIT_S:.0f} s, {len(spans)} did.")


def finished_spans(folder: Path, submissions: list[UUID]) -> list[tuple[datetime, datetime]]:
    """Start and end of those that are judged, from the trial site's database."""
    wanted = {submission.hex for submission in submissions}
    database = f"file:{folder / 'gauntlet.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        rows = connection.execute(
            "SELECT id, started_at, finished_at FROM practice_submission WHERE status = 'done'"
        )
        return [
            (datetime.fromisoformat(start), datetime.fromisoformat(end))
            for submission, start, end in rows
            if submission in wanted
        ]


def calls_per_s() -> dict[str, float]:
    """Calls that an object in the sandbox answers a second: many at a time, and one by one."""
    package = read_package(settings.BASE_DIR / "problems" / "round-5" / "kv-cache")
    source = package.files[package.spec.reference_name].encode()
    calls: list[Call] = [("allocate", ("A", [1, 2, 3]))]
    calls += [("append", ("A", turn)) for turn in range(OPERATIONS)]
    with make_launcher() as launcher:
        limits = ProgramLimits(cpu_time_s=60, wall_time_s=60, memory_mib=512, output_kib=64)
        task = Task(package.spec.grader.model_dump(), (), limits, {})
        candidate = Candidate(launcher, source, task)
        candidate.ensure()
        begin = time.perf_counter()
        replies = candidate.run({"num_blocks": OPERATIONS, "block_size": 16}, calls)
        spent_s = time.perf_counter() - begin
        candidate.run({"num_blocks": QUESTIONS, "block_size": 16}, calls[:1])
        begin = time.perf_counter()
        singles = [candidate.run(None, [call]) for call in calls[1:QUESTIONS]]
        singles_s = time.perf_counter() - begin
    for one in (replies, *singles):
        if one.broken is not None:
            raise CommandError(f"every call must be answered, got {one.broken}")
    return {
        "operations_per_s": len(replies.answers) / spent_s,
        "operations_one_by_one_per_s": len(singles) / singles_s,
    }


def timed_ms(work: Callable[[], None]) -> float:
    """How long `work` takes, in milliseconds."""
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000


def percentile_95(values: list[float]) -> float:
    """The value that one in twenty exceeds."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def as_json(figures: dict[str, float]) -> str:
    return json.dumps({name: round(value, 2) for name, value in figures.items()})


def as_text(figures: dict[str, float]) -> str:
    """The figures as a small table, with how they were taken."""
    path, bare = "POST to verdict on the socket", "the same judging, no web or queue"
    return "\n".join(
        [
            f"{figures['submissions']:.0f} trivial submissions one after the other, "
            f"{figures['cores']:.0f} cores",
            f"{'':<36}{'p50':>10}{'p95':>10}",
            f"{path:<36}{figures['path_p50_ms']:>7.1f} ms{figures['path_p95_ms']:>7.1f} ms",
            f"{bare:<36}{figures['bare_p50_ms']:>7.1f} ms{figures['bare_p95_ms']:>7.1f} ms",
            f"{'ratio of the medians':<36}{figures['path_over_bare_p50']:>10.2f}",
            f"{'submissions a second, one worker':<36}{figures['submissions_per_s']:>10.1f}",
            f"{'calls of a stateful object a second':<36}{figures['operations_per_s']:>10.0f}",
            f"{'the same, each in a message of its own':<38}"
            f"{figures['operations_one_by_one_per_s']:>8.0f}",
        ]
    )
