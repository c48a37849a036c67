"""The doorbell: tells open pages that the letterbox (the database) has something new.

A ring may be lost, by Channels' own specification and whenever the broker is away. Nothing rests
on it but speed: the consumer also looks by itself.
"""

from __future__ import annotations

import logging
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

QUEUE_GROUP = "queue"  # everybody who waits for a place in the queue


def group_of(submission_id: UUID) -> str:
    """The group of the sockets that watch one submission."""
    return f"submission.{submission_id.hex}"


def ring(submission_id: UUID, *, queue_moved: bool = False) -> None:
    """Tell whoever watches this submission, and whoever waits if the queue moved; never raises."""
    groups = [group_of(submission_id)] + ([QUEUE_GROUP] if queue_moved else [])
    try:
        async_to_sync(_ring)(groups)
    except Exception as error:  # the broker is away: pages find the news by looking
        logger.warning("could not ring for %s: %s", submission_id, error)


async def _ring(groups: list[str]) -> None:
    layer = get_channel_layer()
    assert layer is not None  # noqa: S101  settings always name one
    for group in groups:
        await layer.group_send(group, {"type": "doorbell.rang"})
