"""An ended interview with a replay."""

from __future__ import annotations

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews.models import Interview
from tests.app.interviews.conftest import MovedClock
from tests.app.interviews.replay.played import two_rounds


@pytest.fixture
def played(
    room: Interview,
    owner: User,
    interviewer: User,
    interviewer_client: Client,
    server_clock: MovedClock,
) -> Interview:
    """Two of three rounds, and everything that can happen in them."""
    return two_rounds(room, owner, interviewer, interviewer_client, server_clock)
