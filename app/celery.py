"""The Celery application. Workers: ``celery -A app worker -Q cpu``."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_ready

from app.serving.lifeline import announce_ready, die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")

celery = Celery("gauntlet")
celery.config_from_object("app.settings:CELERY")
celery.autodiscover_tasks(["app.practice"])
celery.autodiscover_tasks(["app.authoring"], related_name="queue")


@worker_ready.connect
def say_that_the_worker_is_ready(sender: Any, **_: object) -> None:
    """To the web, if there is a GPU; then to the supervisor, where one started it."""
    from app.practice import gpu_workers  # needs the settings

    gpu_workers.announce(sender.app.amqp.queues.consume_from)
    announce_ready()


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A pool process whose worker was killed would wait for work that never comes."""
    die_with_parent()
