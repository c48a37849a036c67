"""Puts back what a dead worker left, and publishes again what the broker forgot."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from app.practice import gpu_workers
from app.practice.doorbell import ring
from app.practice.models import Submission
from app.practice.tasks import publish

logger = logging.getLogger(__name__)

# A message that waits is not lost: publish again at once only if the broker's queue is empty.
PATIENCE_S = 60.0


# What other apps have to put back in each round; they add themselves when they are ready.
further_rounds: list[Callable[[], None]] = []


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, in submissions."""

    given_back: int
    published_again: int


def sweep() -> Swept:
    """One round. Safe to run on many hosts at once: each step is a conditional UPDATE."""
    _leave_a_dead_queue()
    swept = Swept(given_back=_give_back(), published_again=_publish_again())
    for further in further_rounds:
        further()
    return swept


def _give_back() -> int:
    given_back = 0
    for submission in Submission.abandoned():
        error_id = secrets.token_hex(6)
        if submission.give_back(error_id):
            given_back += 1
            if submission.attempts >= settings.MAX_ATTEMPTS:
                logger.error(
                    "judge error %s on submission %s: its worker died %d times",
                    error_id,
                    submission.pk,
                    submission.attempts,
                )
            else:
                logger.warning("the worker of %s died, judging again", submission.pk)
            ring(submission.pk, queue_moved=True)
    return given_back


def _leave_a_dead_queue() -> None:
    """Who waits for a GPU that went away is judged without one; the verdict says so."""
    waiting = Submission.objects.filter(status=Submission.Status.QUEUED, queue=gpu_workers.QUEUE)
    if waiting.exists() and not gpu_workers.one_is_alive():
        for submission in waiting:
            own = waiting.filter(pk=submission.pk)
            if own.update(queue=gpu_workers.FALLBACK, published_at=None):
                submission.queue = gpu_workers.FALLBACK
                publish(submission)
                logger.warning("no GPU worker is left, %s is judged without one", submission.pk)


def _publish_again() -> int:
    now = timezone.now()
    waiting = Submission.objects.filter(status=Submission.Status.QUEUED)
    unpublished = Q(published_at=None, queued_at__lt=now - timedelta(seconds=1))
    forgotten = Q(published_at__lt=now - timedelta(seconds=PATIENCE_S))
    published_again = 0
    for queue in waiting.order_by().values_list("queue", flat=True).distinct():
        lost = unpublished | forgotten
        if _is_empty(queue):
            lost |= Q(published_at__lt=now - timedelta(seconds=settings.SWEEP_INTERVAL_S))
        for submission in waiting.filter(lost, queue=queue).order_by("queued_at"):
            publish(submission)
            published_again += 1
    return published_again


def _is_empty(queue: str) -> bool:
    """No message waits in the broker. Celery keeps a queue as a Redis list of that name."""
    try:
        with Redis.from_url(settings.REDIS_URL) as redis:
            return int(redis.llen(queue)) == 0
    except RedisError:  # away: publishing would fail as well
        return False
