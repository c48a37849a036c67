"""What a browser is told about the clock: the server's time and the instants to count down to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.interviews.models import Interview, InterviewRound
from app.interviews.models.rounds import GRACE_S
from app.interviews.server_time import now


def clock_state(interview: Interview) -> dict[str, Any]:
    """The state of a settled interview, as JSON.

    Returns
    -------
    dict
        ``now_ms``, ``deadline_ms`` and ``break_ends_ms`` are the server's time in milliseconds
        since 1970, the latter two null where there is none. ``left_ms`` is what was left when
        the clock was stopped, null while it runs. ``later_ms`` is the time of the rounds to
        come. ``state`` changes whenever the page has to be another one.
    """
    at = now()
    running = interview.current_round()
    deadline = running.deadline if running else None
    left_ms = None
    if interview.paused_at is not None and deadline is not None:
        left_ms = round(1000 * (deadline - interview.paused_at).total_seconds())
    waiting = interview.rounds.filter(status=InterviewRound.Status.WAITING)
    later_min = sum(waiting.values_list("minutes", flat=True))
    return {
        "now_ms": _ms(at),
        "deadline_ms": _ms(deadline),
        "break_ends_ms": _ms(interview.break_ends_at),
        "left_ms": left_ms,
        "later_ms": 60_000 * later_min,
        "grace_ms": round(1000 * GRACE_S),
        "state": state_of(interview, running),
    }


def state_of(interview: Interview, running: InterviewRound | None) -> str:
    """A word for the page that belongs to where the interview stands."""
    if interview.status != Interview.Status.RUNNING:
        return str(interview.status)
    if interview.is_paused:
        return "paused"
    return f"round-{running.number}" if running else "break"


def _ms(at: datetime | None) -> int | None:
    return None if at is None else round(1000 * at.timestamp())
