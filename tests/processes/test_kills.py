"""SIGKILL at the worst moment: nothing is lost, nothing is doubled, nothing is left."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from app import valkey
from app.serving.trial import TrialSite
from app.serving.visitor import Visitor
from tests.processes.conftest import SOURCE, Record
from tests.processes.tree import PATIENCE_S, descendants, find, kill, parents, until

pytestmark = pytest.mark.processes

Start = Callable[[], TrialSite]
ReadRecord = Callable[[UUID], Record]


def follow_until(messages: Iterator[dict[str, Any]], kind: str) -> int:
    """Read on until an event of this kind; its number."""
    for message in messages:
        if message.get("kind") == kind:
            return int(message["sequence"])
    raise AssertionError(f"the end came before any {kind}")


def wait_for_end(record: ReadRecord, submission: UUID) -> Record:
    until(lambda: record(submission).status == "done", "the verdict")
    return record(submission)


@pytest.mark.parametrize("victim", ["worker", "its pool process"])
def test_a_killed_worker_loses_and_doubles_nothing(
    start: Start, record: ReadRecord, victim: str
) -> None:
    site = start()
    with closing(site.visitor()) as visitor:
        submission = visitor.submit("steady", SOURCE)
        follow_until(visitor.watch(submission), "case_finished")
        worker = find(site.process.pid, "celery -A app worker")
        tree = parents()
        (pool_process,) = [pid for pid, parent in tree.items() if parent == worker]
        judging = descendants(worker)
        assert len(judging) > 1, "the submission's sandbox runs below the worker"
        kill(worker if victim == "worker" else pool_process)
        if victim == "worker":
            until(lambda: not judging & set(parents()), "the end of all that the worker started")
        final = wait_for_end(record, submission)
    final.assert_judged_once()
    assert final.attempts == 2
    assert final.kinds.count("requeued") == 1


def test_a_killed_web_server_costs_no_event(start: Start, record: ReadRecord) -> None:
    site = start()
    with closing(site.visitor()) as visitor:
        submission = visitor.submit("steady", SOURCE)
        seen: list[int] = []
        connections = 0
        ended = False
        deadline = time.monotonic() + PATIENCE_S
        while not ended and time.monotonic() < deadline:
            try:
                for message in visitor.watch(submission, after=max(seen, default=0)):
                    ended = message["type"] == "end"
                    if message["type"] != "event":
                        continue
                    seen.append(message["sequence"])
                    if message["kind"] == "case_finished" and connections == 0:
                        connections += 1
                        kill(find(site.process.pid, "app.serving.web"))
            except (ConnectionClosed, InvalidHandshake, OSError):
                connections += 1
        # The page itself is back too, on the same address, for the same signed-in browser.
        assert str(submission) in visitor.get(f"/submissions/{submission}/")
    assert ended
    assert connections > 1, "the kill must have broken the connection"
    final = record(submission)
    final.assert_judged_once()
    assert final.attempts == 1
    assert seen == final.sequences


def test_a_killed_valkey_loses_neither_what_is_judged_nor_what_waits(
    start: Start, record: ReadRecord
) -> None:
    site = start()
    with closing(site.visitor()) as visitor:
        submissions = [visitor.submit("steady", SOURCE) for _ in range(3)]
        follow_until(visitor.watch(submissions[0]), "case_finished")
        assert [record(submission).status for submission in submissions[1:]] == ["queued"] * 2
        kill(find(site.process.pid, "valkey-server"))
        for submission in submissions:
            final = wait_for_end(record, submission)
            final.assert_judged_once()
            assert final.attempts == 1
            assert final.kinds.count("started") == 1


def test_a_socket_opened_before_valkey_died_still_brings_the_end(start: Start) -> None:
    site = start()
    with closing(site.visitor()) as visitor:
        submission = visitor.submit("steady", SOURCE)
        messages = visitor.watch(submission)
        follow_until(messages, "case_finished")
        kill(find(site.process.pid, "valkey-server"))
        assert [message for message in messages if message["type"] == "end"]


def test_a_killed_supervisor_leaves_no_process_and_loses_nothing(
    start: Start, record: ReadRecord, data_folder: Path
) -> None:
    site = start()
    with closing(site.visitor()) as visitor:
        submission = visitor.submit("steady", SOURCE)
        follow_until(visitor.watch(submission), "case_finished")
    everything = descendants(site.process.pid)
    assert len(everything) >= 6, "valkey, worker, pool, sandbox, sweeper, web"
    site.process.kill()
    until(lambda: not everything & set(parents()), "the end of every process of the site")
    assert not valkey.answers(f"unix://{data_folder / 'valkey.sock'}")
    assert record(submission).status == "judging"

    start()
    final = wait_for_end(record, submission)
    final.assert_judged_once()
    assert final.attempts == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_stop_in_the_middle_of_judging_ends_everything_in_order(
    start: Start, data_folder: Path, number: signal.Signals
) -> None:
    site = start()
    with closing(site.visitor()) as visitor:
        submission = visitor.submit("steady", SOURCE)
        follow_until(visitor.watch(submission), "case_started")
    everything = descendants(site.process.pid)
    os.kill(site.process.pid, number)
    assert site.process.wait(PATIENCE_S) == 0
    assert not everything & set(parents())
    assert not (data_folder / "valkey.sock").exists()
    assert "".join(site.output).rstrip().endswith("Stopped.")
    assert "ended" not in "".join(site.output), "nothing is called a crash that was asked for"


def test_two_sites_do_not_share_a_folder(start: Start, data_folder: Path) -> None:
    site = start()
    with (
        pytest.raises(RuntimeError, match=r"One site at a time may use .*process \d+ at http"),
        TrialSite(data_folder, {}, "--port", "0"),
    ):
        pass
    with closing(Visitor(site.address)) as visitor:
        visitor.enter(site.link)  # the first one is unharmed


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path, start: Start) -> None:
    site = start()
    port = site.address.rpartition(":")[2]
    other = tmp_path / "other"
    with (
        pytest.raises(RuntimeError, match=f"Port {port} on 127.0.0.1 must be free"),
        TrialSite(other, {}, "--port", port),
    ):
        pass
    assert not (other / "gauntlet.sqlite3").exists()


def test_a_verdict_is_one_line_on_the_terminal(start: Start) -> None:
    site = start()
    with closing(site.visitor()) as visitor:
        list(visitor.watch(visitor.submit("steady", SOURCE, "run")))
    until(lambda: any("judged steady" in line for line in site.output), "the line")
    lines = [json.dumps(line) for line in site.output if line.startswith("worker")]
    assert len(lines) == 1, lines
