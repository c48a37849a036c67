"""The only clock of an interview. Deadlines are compared with it, and browsers follow it."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The server's time. Everything in interviews asks here, so that tests can move it."""
    return timezone.now()
