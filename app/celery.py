"""The Celery application. Workers: ``celery -A app worker -Q cpu``."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")

celery = Celery("gauntlet")
celery.config_from_object("app.settings:CELERY")
celery.autodiscover_tasks(["app.practice"])
