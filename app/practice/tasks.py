"""What the workers do: judge one submission under a lease."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import UUID

from celery import shared_task
from celery.signals import worker_init
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from app.practice.doorbell import ring
from app.practice.judging import (
    Mode,
    SandboxLauncher,
    host_sandbox,
    judge,
    load_graders,
    make_launcher,
)
from app.practice.models import LeaseLost, Submission
from graders.ports import CannotJudge
from graders.verdict import EventKind
from sandboxes.doctor import require_isolation
from sandboxes.interface import SandboxError

logger = logging.getLogger(__name__)

# A sandbox that runs programs but lets them out is used nevertheless if the one is set to the
# other. Where none runs programs at all nothing is judged: without a tree that can be seen dead, or
# a scratch space that is bounded, a verdict would be worth nothing.
WITHOUT_ISOLATION = "GAUNTLET_RUN_SUBMISSIONS_WITHOUT_ISOLATION"
ACCEPTED_RISK = "I accept that submissions can read and change this machine"


def publish(submission: Submission) -> None:
    """Send the submission to its queue once the transaction is committed.

    Never raises: with the broker away the submission is safe in the database, and the sweeper
    publishes it again.
    """

    def send() -> None:
        try:
            judge_submission.apply_async(args=(str(submission.pk),), queue=submission.queue)
        except Exception as error:
            logger.warning("could not publish %s, the sweeper will: %s", submission.pk, error)
        else:
            Submission.objects.filter(pk=submission.pk).update(published_at=timezone.now())
        ring(submission.pk)

    transaction.on_commit(send)


@shared_task(name="judge_submission")
def judge_submission(submission_id: str) -> None:
    """Judge it, if nobody else does. Every write shows the lease; who lost it stops silently."""
    submission = (
        Submission.objects.select_related("version__problem", "rejudged_by")
        .filter(pk=submission_id)
        .first()
    )
    if submission is None:
        logger.warning("submission %s is gone, nothing to judge", submission_id)
        return
    token = submission.claim()
    if token is None:
        return
    ring(submission.pk, queue_moved=True)
    try:
        _judge_under_lease(submission, token)
    except LeaseLost:
        logger.info("submission %s was taken away while judging", submission.pk)
    ring(submission.pk)


def _judge_under_lease(submission: Submission, token: UUID) -> None:
    launcher = None
    try:
        launcher = make_launcher()
        with Heartbeat(submission, token, launcher) as heartbeat:
            for event in judge(
                submission.judging_version.spec,
                submission.judging_version.files,
                submission.source,
                Mode(submission.kind),
                submission.seed,
                launcher,
                submission.replay,
            ):
                heartbeat.check()
                if event.kind is EventKind.VERDICT:
                    submission.finish(token, event)
                    logger.info(
                        "judged %s %s: %s",
                        submission.version.problem.slug,
                        submission.pk,
                        event.data["verdict"],
                    )
                else:
                    submission.record(token, event)
                    ring(submission.pk)
    except LeaseLost:
        raise
    except Exception as error:
        if launcher is not None and launcher.cancelled:
            raise LeaseLost(str(submission.pk)) from None
        error_id = secrets.token_hex(6)
        logger.exception("judge error %s on submission %s", error_id, submission.pk)
        submission.fail(token, error_id, error.args[0] if isinstance(error, CannotJudge) else None)


class Leased(Protocol):
    """What a worker has for a while."""

    pk: Any

    def renew(self, token: UUID) -> bool:
        """Keep the lease; False if it is lost."""
        ...


class Heartbeat:
    """Renews the lease while judging, and ends the programs when it is lost or cancelled."""

    def __init__(self, leased: Leased, token: UUID, launcher: SandboxLauncher) -> None:
        self._leased = leased
        self._token = token
        self._launcher = launcher
        self._lost = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def check(self) -> None:
        """Raise LeaseLost as soon as a beat has found the lease gone."""
        if self._lost.is_set():
            raise LeaseLost(str(self._leased.pk))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        # Once a second, so that a cancelled submission stops using a core soon.
        interval_s = min(1.0, settings.LEASE_S / 3)
        try:
            while not self._over.wait(interval_s):
                try:
                    held = self._leased.renew(self._token)
                except Exception as error:  # a locked or restarted database: try the next beat
                    logger.warning("could not renew %s: %s", self._leased.pk, error)
                    continue
                if not held:
                    self._lost.set()
                    self._launcher.cancel()
                    return
        finally:
            connection.close()


@worker_init.connect
def read_the_graders_once(**_: object) -> None:
    """Before the worker forks, so that no submission waits for it."""
    load_graders()


@worker_init.connect
def refuse_to_start_without_a_sandbox(**_: object) -> None:
    """A worker that cannot isolate must not take work: find out before the first submission.

    Celery logs what a signal's receiver raises and goes on; only an exit ends the worker.
    """
    try:
        sandbox = host_sandbox()
        try:
            require_isolation(sandbox)
        except SandboxError as error:
            if os.environ.get(WITHOUT_ISOLATION) != ACCEPTED_RISK:
                raise
            logger.critical("judging without isolation, as %s says: %s", WITHOUT_ISOLATION, error)
        finally:
            sandbox.close()  # it is the pool's processes that judge
    except SandboxError as error:
        raise SystemExit(f"The sandbox does not hold here: {error}") from None
