"""manage.py bench_replay: how long a jump in the replay of a 90-minute interview takes."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.interviews.management.commands.bench_rooms import PEOPLE, session_of
from app.interviews.models import InterviewRound
from app.interviews.replay.made_up import ROUND_MINUTES, ROUNDS, SUBMISSIONS, made_up
from app.interviews.room.documents import text_at
from app.practice.models import Problem
from app.serving.trial import TrialSite

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

EDITS = 27_000
JUMPS = 200
CHECKED = 50
SEED = 20
PROBLEM = "ring-all-reduce"
WINDOW = {"width": 1440, "height": 900}

# From the event of the pointer to the frame that shows what it changed: the second of two frames
# begins when the first is painted.
MEASURE = """() => {
  window.jumps = [];
  addEventListener("pointerdown", ({ timeStamp }) => {
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const { recording, at, code } = document.querySelector("replay-player");
      const round = recording.roundAt(at);
      const count = recording.editsAt(round, at);
      window.jumps.push({
        ms: performance.now() - timeStamp,
        round: round.number,
        sequence: round.track.sequences[count - 1],
        text: code.view.state.doc.toString(),
      });
    }));
  }, { capture: true });
}"""
IS_LOADED = """() => {
  const { recording } = document.querySelector("replay-player");
  const rounds = [...(recording?.rounds.values() ?? [])];
  return rounds.length > 0 && rounds.every(({ track }) => track.isWhole);
}"""


class Command(BaseCommand):
    help = str(_("Measure jumps in the replay of a 90-minute interview, on a site of its own."))

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--edits", type=int, default=EDITS)
        parser.add_argument("--jumps", type=int, default=JUMPS)
        parser.add_argument("--prepare", type=Path, help="make the interview, and write it here")
        parser.add_argument("--check", type=Path, help="compare the texts in this file")

    def handle(
        self,
        *args: object,
        edits: int,
        jumps: int,
        prepare: Path | None,
        check: Path | None,
        **options: object,
    ) -> None:
        if prepare is not None:
            prepare.write_text(json.dumps(prepared(edits)))
            return
        if check is not None:
            compare(json.loads(check.read_text()))
            return
        if edits < ROUNDS or jumps < 2:
            raise CommandError(f"--edits must be {ROUNDS} or more, and --jumps 2 or more.")
        with tempfile.TemporaryDirectory(prefix="gauntlet-replay-") as folder:
            self.measure(Path(folder), edits, jumps)

    def measure(self, folder: Path, edits: int, jumps: int) -> None:
        static = folder / "static"
        if settings.STATIC_ROOT.exists():
            static.symlink_to(settings.STATIC_ROOT)
        with TrialSite(folder, {"DEBUG": "false"}, "--port", "0", "--workers", "1") as site:
            site.manage("bench_replay", "--edits", str(edits), "--prepare", str(folder / "made"))
            made = json.loads((folder / "made").read_text())
            self.stdout.write(
                f"{edits} edits of two people in {ROUNDS * ROUND_MINUTES} minutes, texts of "
                f"{made['characters']} characters in the end, {SUBMISSIONS} submissions"
            )
            seen = in_a_browser(site.address, made, jumps)
            texts = seeded().sample(seen.jumps, min(CHECKED, len(seen.jumps)))
            asked = {"interview": made["interview"], "texts": texts}
            (folder / "texts").write_text(json.dumps(asked))
            site.manage("bench_replay", "--check", str(folder / "texts"))
        times = sorted(jump["ms"] for jump in seen.jumps)
        p95_ms = statistics.quantiles(times, n=20, method="inclusive")[-1]
        self.stdout.write(
            f"load: {seen.first_text_s:.2f} s to the first text, {seen.all_s:.2f} s to the last "
            f"edit, {seen.received_bytes / 1e6:.2f} MB received"
        )
        self.stdout.write(
            f"{len(times)} jumps, from the click to the painted frame: median "
            f"{statistics.median(times):.1f} ms, p95 {p95_ms:.1f} ms, longest {times[-1]:.1f} ms"
        )
        self.stdout.write(f"{len(texts)} of the texts compared with the document: all exact")


@dataclass(frozen=True)
class Seen:
    """What a browser showed."""

    jumps: list[dict[str, Any]]
    first_text_s: float
    all_s: float
    received_bytes: float


def in_a_browser(address: str, made: dict[str, Any], jumps: int) -> Seen:
    """Open the replay in Chromium and click at so many random places of its scrubber."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise CommandError(
            "This bench drives a browser by Playwright, which is not installed. "
            "Run script/bootstrap --test first."
        ) from None
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise CommandError("This bench needs a Chromium, none was found. Name it by CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(base_url=address, viewport=WINDOW)  # type: ignore[arg-type]
        cookie = {"name": "sessionid", "value": made["session"], "url": address}
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        network = context.new_cdp_session(page)
        received = count_bytes(network)
        started_s = time.perf_counter()
        page.goto(f"/interviews/{made['interview']}/replay/", wait_until="commit")
        wait_for(page, "() => Boolean(document.querySelector('replay-player')?.code?.view)")
        first_text_s = time.perf_counter() - started_s
        wait_for(page, IS_LOADED)
        all_s = time.perf_counter() - started_s
        page.wait_for_load_state("networkidle")
        page.evaluate(MEASURE)
        jump_about(page, jumps)
        seen = page.evaluate("() => window.jumps")
        browser.close()
    return Seen(seen, first_text_s, all_s, received[0])


def count_bytes(network: CDPSession) -> list[float]:
    """Counts what comes over the wire, compressed as it comes, in a list of one number."""
    received = [0.0]

    def more(event: dict[str, Any]) -> None:
        received[0] += event["encodedDataLength"]

    network.on("Network.loadingFinished", more)
    network.send("Network.enable")
    return received


def wait_for(page: Page, condition: str) -> None:
    """Until it is true; the page's policy forbids what Playwright would do for this."""
    deadline = time.perf_counter() + 120
    while not page.evaluate(condition):
        if time.perf_counter() > deadline:
            raise CommandError(f"The replay must load within two minutes: {condition}")
        time.sleep(0.01)


def jump_about(page: Page, jumps: int) -> None:
    """Click at random places, each after the frame of the one before."""
    box = page.locator(".replay-track").bounding_box()
    if box is None:
        raise CommandError("The replay must have a scrubber to click on.")
    rng = seeded()
    for number in range(1, jumps + 1):
        share = rng.uniform(0.001, 0.999)
        page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        wait_for(page, f"() => window.jumps.length >= {number}")


def compare(asked: dict[str, Any]) -> None:
    """Hold texts that a browser showed against the document.

    Raises
    ------
    CommandError
        If one of them is another text.
    """
    rounds = {
        one.number: one for one in InterviewRound.objects.filter(interview=asked["interview"])
    }
    for shown in asked["texts"]:
        if shown["text"] != text_at(rounds[shown["round"]], shown["sequence"]):
            raise CommandError(
                f"The replay must show what stood there: round {shown['round']} after moment "
                f"{shown['sequence']} is another text."
            )


def prepared(edits: int) -> dict[str, Any]:
    """Make the interview; its number, a session of its candidate, and how long its texts are."""
    candidate, interviewer = (User.objects.create_user(name) for name in PEOPLE)
    problem = Problem.objects.exclude(current_version=None).get(slug=PROBLEM)
    version = problem.current_version
    if version is None:
        raise CommandError(f"{PROBLEM} must be published, it is not. Load the problems first.")
    interview = made_up(version, (candidate, interviewer), edits, seeded())
    texts = interview.rounds.order_by("number").values_list("text", flat=True)
    return {
        "interview": str(interview.pk),
        "session": session_of(candidate),
        "characters": ", ".join(str(len(text)) for text in texts),
    }


def seeded() -> Random:
    """The same draws in every run."""
    return Random(SEED)  # noqa: S311  nothing secret is drawn
