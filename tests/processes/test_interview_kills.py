"""A round ends at its time, once, whatever is killed meanwhile."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.serving.trial import TrialSite
from tests.processes.conftest import SOURCE
from tests.processes.tree import find, kill, until

pytestmark = pytest.mark.processes


def rows(data_folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Read past the site, from its database."""
    database = f"file:{data_folder / 'gauntlet.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        return connection.execute(query).fetchall()


def let_time_pass(data_folder: Path, text: str) -> None:
    """As if the round had run: the draft is saved, and the deadline will be over in a moment."""
    deadline = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=2)
    with closing(sqlite3.connect(data_folder / "gauntlet.sqlite3", timeout=20)) as connection:
        changed = connection.execute(
            "UPDATE interviews_interviewround SET text = ?, revision = 1, deadline = ?"
            " WHERE status = 'running'",
            [text, deadline.isoformat(" ")],
        )
        assert changed.rowcount == 1
        connection.commit()


def test_web_worker_broker_and_sweeper_killed_change_nothing(
    start: Callable[[], TrialSite], data_folder: Path
) -> None:
    site = start()
    with closing(site.visitor()) as visitor:
        form = {
            "stage-0-on": "on",
            "stage-0-what": "round:1",
            "stage-0-problem": "steady",
            "stage-0-minutes": "30",
        }
        address = visitor.post("/interviews/new/", form)
        visitor.post(f"{address}start/", {})
        let_time_pass(data_folder, SOURCE)
        # Nobody looks any more, and every part that could end the round dies before its time.
        for part in ("app.serving.web", "celery -A app worker", "valkey-server", "manage.py sweep"):
            kill(find(site.process.pid, part))
        status = "SELECT status FROM interviews_interview"
        until(lambda: rows(data_folder, status) == [("ended",)], "the end of the interview")
        verdicts = "SELECT verdict FROM practice_submission"
        until(lambda: rows(data_folder, verdicts) == [("AC",)], "the verdict")
        moments = "SELECT kind, sequence, payload FROM interviews_moment ORDER BY sequence"
        until(lambda: rows(data_folder, moments)[-1][0] == "verdict", "its place on the timeline")
        debrief = visitor.get(f"{address}debrief/")
    told = rows(data_folder, moments)
    kinds = [kind for kind, _, _ in told]
    assert kinds == ["started", "round_began", "sent", "round_ended", "ended", "verdict"]
    assert [sequence for _, sequence, _ in told] == [1, 2, 3, 4, 5, 6]
    assert json.loads(told[2][2])["automatic"] is True
    assert json.loads(told[3][2]) == {"by": "time"}
    assert "Accepted" in debrief
