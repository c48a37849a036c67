"""A whole site for one test: real processes, a folder of its own, short leases."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings

from app.serving.trial import PROJECT, TrialSite

PACKAGES = PROJECT / "tests" / "packages"
SOURCE = (PACKAGES / "round-1" / "steady" / "reference.py").read_text()
SHORT = {"LEASE_S": "2", "SWEEP_INTERVAL_S": "0.3", "SUBMISSIONS_PER_MINUTE": "1000"}


@pytest.fixture(scope="session")
def static_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Collected static files: those that script/test made, or made here."""
    if (settings.STATIC_ROOT / "staticfiles.json").exists():
        return Path(settings.STATIC_ROOT)
    folder = tmp_path_factory.mktemp("static")
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput"],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "DATA_DIR": str(folder)},
        check=True,
        capture_output=True,
    )
    return folder / "static"


@pytest.fixture
def data_folder(tmp_path: Path, static_files: Path) -> Path:
    """An empty DATA_DIR, but for the static files."""
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "static").symlink_to(static_files)
    return folder


@pytest.fixture
def start(data_folder: Path) -> Iterator[Callable[[], TrialSite]]:
    """Starts the site in the test's folder, once or again; what still runs ends with the test."""
    with ExitStack() as running:

        def enter() -> TrialSite:
            site = TrialSite(data_folder, SHORT, "--port", "0", "--workers", "1")
            running.enter_context(site)
            site.manage("load_problems", "--from", str(PACKAGES))
            return site

        yield enter


@pytest.fixture(scope="module")
def quiet_site(tmp_path_factory: pytest.TempPathFactory, static_files: Path) -> Iterator[TrialSite]:
    """One site for the tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("quiet") / "var"
    folder.mkdir()
    (folder / "static").symlink_to(static_files)
    with TrialSite(folder, SHORT, "--port", "0", "--workers", "1") as site:
        site.manage("load_problems", "--from", str(PACKAGES))
        yield site


@dataclass(frozen=True)
class Record:
    """What the database says about a submission."""

    status: str
    verdict: str
    attempts: int
    sequences: list[int]
    kinds: list[str]

    def assert_judged_once(self) -> None:
        assert (self.status, self.verdict) == ("done", "AC")
        assert self.sequences == list(range(1, len(self.sequences) + 1)), "numbered without gaps"
        assert self.kinds.count("verdict") == 1
        assert self.kinds[-1] == "verdict"


def read_record(data_folder: Path, submission: UUID) -> Record:
    """Read it past the site, from its database."""
    database = f"file:{data_folder / 'gauntlet.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        status, verdict, attempts = connection.execute(
            "SELECT status, verdict, attempts FROM practice_submission WHERE id = ?",
            [submission.hex],
        ).fetchone()
        events = connection.execute(
            "SELECT sequence, kind FROM practice_submissionevent WHERE submission_id = ?"
            " ORDER BY sequence",
            [submission.hex],
        ).fetchall()
    return Record(
        status, verdict, attempts, [number for number, _ in events], [kind for _, kind in events]
    )


@pytest.fixture
def record(data_folder: Path) -> Callable[[UUID], Record]:
    return lambda submission: read_record(data_folder, submission)
