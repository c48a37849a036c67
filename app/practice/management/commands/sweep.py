"""manage.py sweep: the sweeper, in a loop until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils.translation import gettext_lazy as _

from app.interviews.running import sweep as settle_interviews
from app.practice.sweeper import sweep

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = str(
        _(
            "Give back what dead workers left, publish what the broker forgot, and end the rounds "
            "of interviews whose time is up."
        )
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="sweep once and end")

    def handle(self, *args: object, once: bool, **options: object) -> None:
        stopped = threading.Event()
        if not once:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stopped.set())
        while True:
            try:
                swept = sweep()
                settle_interviews()
                if swept.given_back or swept.published_again:
                    logger.info(
                        "swept: %d given back, %d published again",
                        swept.given_back,
                        swept.published_again,
                    )
            except Exception:
                if once:
                    raise
                logger.exception("a sweep failed, the next one tries again")
                connection.close()
            if once or stopped.wait(settings.SWEEP_INTERVAL_S):
                return
