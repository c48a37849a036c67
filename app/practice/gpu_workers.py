"""Whether some worker, on whatever host, takes submissions from the `gpu` queue.

A worker with a GPU says so in the broker every few seconds, under a key that expires. Without one
kernels are judged on the `cpu` queue, where the verdict says what was not measured, so that nobody
waits for a machine that is not there.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterable

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from app.practice import gpu

logger = logging.getLogger(__name__)

QUEUE = "gpu"
FALLBACK = "cpu"
_KEY = "gauntlet:gpu-worker"
_ALIVE_S = 15
_SAY_EVERY_S = 4.0


def one_is_alive() -> bool:
    """Whether a worker with a GPU spoke within the last 15 seconds."""
    try:
        with Redis.from_url(settings.REDIS_URL) as redis:
            return bool(redis.exists(_KEY))
    except RedisError:  # away: nothing can be published either, the sweeper sees to it later
        return False


def say_alive(redis: Redis) -> None:
    """Once: this worker is there."""
    redis.set(_KEY, "1", ex=_ALIVE_S)


def announce(queues: Iterable[str]) -> None:
    """A worker is ready: if it listens to the `gpu` queue, tell the web from now on.

    When this returns the web knows, so that the first submission already finds the GPU.

    Raises
    ------
    SystemExit
        If it listens there without a GPU: Celery ends a worker on nothing less.
    """
    if QUEUE not in queues:
        return
    try:
        found = gpu.properties()
    except gpu.GpuUnusable as error:
        raise SystemExit(str(error)) from None
    if found is None:
        raise SystemExit(
            "A worker of the gpu queue needs a GPU, and none answers here. "
            "Start it on a machine with one, or leave the queue to others."
        )
    logger.info("kernels are timed on %s", found["name"])
    with contextlib.suppress(RedisError), Redis.from_url(settings.REDIS_URL) as redis:
        say_alive(redis)
    threading.Thread(target=_say_for_ever, name="gpu-alive", daemon=True).start()


def _say_for_ever() -> None:
    never = threading.Event()
    while True:
        try:
            with Redis.from_url(settings.REDIS_URL) as redis:
                say_alive(redis)
        except RedisError as error:  # a broker that restarts: try the next time
            logger.warning("could not say that a GPU is here: %s", error)
        never.wait(_SAY_EVERY_S)
