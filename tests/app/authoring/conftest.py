"""A working copy of the sound package, and a queue that is done at once or kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.accounts.models import User
from app.authoring import queue
from app.authoring.models import Action, WorkingCopy
from problems.package import read_package
from tests.problems.broken_packages import SOUND

Sent = list[tuple[str, int]]


SUBMISSIONS = ("accepted/adds.py", "wrong_answer/squares.py")


@pytest.fixture
def texts() -> dict[str, str]:
    """The files of a sound package, ``double``, with few submissions, so that proving is quick."""
    files = dict(read_package(SOUND).files)
    files["problem.yaml"] = "".join(
        line
        for line in files["problem.yaml"].splitlines(keepends=True)
        if "{verdict: " not in line or any(name in line for name in SUBMISSIONS)
    )
    return {
        path: text
        for path, text in files.items()
        if not path.startswith("submissions/") or path.removeprefix("submissions/") in SUBMISSIONS
    }


@pytest.fixture
def copy(staff: User, texts: dict[str, str]) -> WorkingCopy:
    """A working copy of it, by Stella."""
    return WorkingCopy.make(staff, "double", texts, Action.CREATED)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Pieces that were handed to the workers, in place of workers."""
    handed: Sent = []
    monkeypatch.setattr(
        queue.do_piece, "apply_async", lambda args, queue: handed.append((args[0], args[1]))
    )
    return handed


@pytest.fixture
def work(sent: Sent) -> Callable[[], int]:
    """Be the workers until nothing is left; the number of pieces done."""

    def done() -> int:
        count = 0
        while sent:
            queue.do_piece(*sent.pop(0))
            count += 1
        return count

    return done
