"""Tells open pages of an interview that its letterbox, the database, has something new.

As in practice, a ring may be lost: consumers also look by themselves.
"""

from __future__ import annotations

import logging
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)


def group_of(interview_id: UUID) -> str:
    """The group of every socket that watches one interview, whatever its role."""
    return f"interview.{interview_id.hex}"


def ring(interview_id: UUID) -> None:
    """Ring once the transaction is committed, for before there is nothing to see; never raises."""
    transaction.on_commit(lambda: _ring_now(interview_id))


def _ring_now(interview_id: UUID) -> None:
    try:
        async_to_sync(_send)(group_of(interview_id))
    except Exception as error:  # the broker is away: pages find the news by looking
        logger.warning("could not ring for interview %s: %s", interview_id, error)


async def _send(group: str) -> None:
    layer = get_channel_layer()
    assert layer is not None  # noqa: S101  settings always name one
    await layer.group_send(group, {"type": "doorbell.rang"})
