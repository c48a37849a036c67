"""``manage.py judge``: the web's sandbox and grader, without the web, queue or database."""

from __future__ import annotations

import json
import logging
import secrets
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from app.practice.drawn import values_by_name
from app.practice.judging import (
    Mode,
    about_grader,
    as_typed,
    cases_for,
    judge,
    make_launcher,
    seed_of,
)
from app.practice.models.submissions import Submission, new_seed
from app.practice.plain_text import counterexample_lines
from graders.verdict import Event, EventKind, JsonObject, Verdict
from problems.complaints import PackageInvalid, nearest
from problems.package import SHIPPED, Package, find_packages, read_package, slug_of
from sandboxes.interface import SandboxError

logger = logging.getLogger(__name__)

REJECTED = 1
OUR_FAULT = 2


class Command(BaseCommand):
    help = (
        "Judge FILE as a submission to the problem SLUG. Exits 0 if it is accepted, 1 if it is "
        "rejected, 2 if the fault is not the file's."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "slug", metavar="SLUG", help="a problem's slug, or a package's folder or file"
        )
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--json", action="store_true", help="print the report as JSON, alone")
        parser.add_argument("--samples", action="store_true", help="judge the samples, as Run does")
        parser.add_argument("--case", metavar="NAME", help="judge this case alone")
        parser.add_argument("--seed", type=int, metavar="N", help="draw the inputs from this seed")
        parser.add_argument(
            "--replay",
            metavar="FILE",
            type=Path,
            help="judge a counterexample again: what --json printed, or its replay alone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            verdict = self.judge(options)
        except CommandError:
            raise
        except SandboxError as error:
            raise _fault(f"judging needs a sandbox that holds: {error}") from None
        except Exception as error:
            # A traceback of Python's own would exit 1, which says that the file was rejected.
            error_id = secrets.token_hex(6)
            logger.exception("judge error %s on %s", error_id, Path(options["slug"]).name)
            raise _fault(
                f"judge error {error_id}: the judge failed, not the submission "
                f"({type(error).__name__}: {error}); the log above says where"
            ) from None
        if verdict != Verdict.ACCEPTED.value:
            raise SystemExit(REJECTED)

    def judge(self, options: dict[str, Any]) -> str:
        """Judge and tell; the verdict."""
        package = find(options["slug"])
        source = read_source(options["file"], package.spec.limits.source_kib)
        seed = new_seed() if options["seed"] is None else options["seed"]
        mode, replay = choose_cases(options, seed)
        try:
            cases_for(package.spec, mode, replay)
        except ValueError as error:
            known = ", ".join(case.name for case in package.spec.cases)
            raise _fault(f"{error}; it has {known}") from None
        if package.spec.is_drawn_per_attempt and not options["json"]:
            self.tell_values(package, seed if replay is None else seed_of(replay))
        source = as_typed(package.spec, source, seed if replay is None else seed_of(replay))
        events = judge(package.spec, package.files, source, mode, seed, make_launcher(), replay)
        report: dict[str, Any] = {}
        for event in events:
            if event.kind is EventKind.VERDICT:
                report = dict(event.data)
            elif not options["json"]:
                self.tell(event)
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self.tell_verdict(report)
        return str(report["verdict"])

    def tell_values(self, package: Package, seed: int) -> None:
        """What the seed draws, without which nobody could work the answers out."""
        self.stdout.write(f"Values of seed {seed}:")
        for name, text in values_by_name(package.spec, seed).items():
            self.stdout.write(f"    {name} = {text}")

    def tell(self, event: Event) -> None:
        """A line for each case that was judged, with what the program printed under it."""
        if event.kind is not EventKind.CASE_FINISHED:
            return
        data: dict[str, Any] = dict(event.data)
        case = data["result"]
        verdict = case["verdict"]
        style = self.style.SUCCESS if verdict == Verdict.ACCEPTED.value else self.style.ERROR
        place = f"{data['index']:>3}/{data['total']}"
        head = f"{place} {verdict:<4} {case['name']:<28} {case['time_s']:8.3f} s"
        self.stdout.write(f"{head} {case['memory_mib']:6.0f} MiB", style)
        for line in case["output"].splitlines():
            self.stdout.write(f"        | {line}")
        if case["output_truncated"]:
            self.stdout.write("        | ... (more was printed than is kept)")

    def tell_verdict(self, report: dict[str, Any]) -> None:
        """The verdict in words, and on a rejection what shows it."""
        words = str(Submission.Outcome(report["verdict"]).label)
        style = (
            self.style.SUCCESS if report["verdict"] == Verdict.ACCEPTED.value else self.style.ERROR
        )
        message = f": {report['message']}" if report["message"] else ""
        self.stdout.write(f"{words}{message}", style)
        counterexample = report["counterexample"]
        if counterexample is None:
            return
        if counterexample["summary"] not in report["message"]:
            self.stdout.write(f"Counterexample: {counterexample['summary']}")
        for line in counterexample_lines(counterexample):
            self.stdout.write(f"    {line}")
        if counterexample["replay"]:
            self.stdout.write(f"Replay: {json.dumps(counterexample['replay'])}")


def find(slug: str) -> Package:
    """The package of that slug among the project's own, or in that folder.

    Raises
    ------
    CommandError
        If there is none, or it is broken.
    """
    shipped = {slug_of(path): path for path in find_packages(SHIPPED)}
    path = shipped.get(slug) or Path(slug)
    if not path.exists():
        meant = nearest(slug, shipped)
        advice = f"did you mean {meant}?" if meant else f"there are {', '.join(sorted(shipped))}"
        raise _fault(f"SLUG must be a problem or where a package lies, {slug} is neither; {advice}")
    try:
        return read_package(path, about_grader=about_grader)
    except PackageInvalid as invalid:
        raise _fault(f"{invalid}\nthe package is broken; correct it and judge again") from None


def choose_cases(options: dict[str, Any], seed: int) -> tuple[Mode, JsonObject | None]:
    """Which cases the options ask for, and what to replay.

    Raises
    ------
    CommandError
        If they ask for two things at once, or the file to replay holds no replay.
    """
    if sum(bool(options[name]) for name in ("samples", "case", "replay")) > 1:
        raise _fault("--samples, --case and --replay exclude each other; give one of them")
    if options["samples"]:
        return Mode.RUN, None
    if options["case"]:
        return Mode.REPLAY, {"case": options["case"], "seed": seed}
    if options["replay"]:
        return Mode.REPLAY, read_replay(options["replay"])
    return Mode.SUBMIT, None


def read_source(path: Path, limit_kib: int) -> str:
    """The file as the web takes it: UTF-8, not empty, not too large.

    Raises
    ------
    CommandError
        If it is not so.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit_kib * 1024 + 1)
    except OSError as error:
        raise _fault(f"FILE must be readable, {path} is not: {error.strerror}") from None
    if len(data) > limit_kib * 1024:
        raise _fault(f"a source may have {limit_kib} KiB, {path} has more; shorten it")
    try:
        source = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _fault(
            f"a source must be UTF-8, {path} has the byte 0x{data[error.start]:02x} at offset "
            f"{error.start}; save it as UTF-8"
        ) from None
    if not source.strip() or "\0" in source:
        raise _fault(f"a source must be text and not empty, {path} is not; write a solution in it")
    return source


def read_replay(path: Path) -> JsonObject:
    """The replay in a file: alone, in a counterexample or in a whole report.

    Raises
    ------
    CommandError
        If there is none in it.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _fault(f"--replay must name a file with JSON, {path} is none: {error}") from None
    for key in ("counterexample", "replay"):
        if isinstance(data, dict) and key in data:
            data = data[key]
    sound = (
        isinstance(data, dict)
        and isinstance(data.get("case"), str)
        and type(data.get("seed")) is int
        and isinstance(data.get("input", {}), dict)
    )
    if not sound:
        raise _fault(
            f"a replay must hold a case, a seed and perhaps an input, {path} does not; "
            "take it from the report of a rejection"
        )
    return dict(data)


def _fault(message: str) -> CommandError:
    return CommandError(message, returncode=OUR_FAULT)
