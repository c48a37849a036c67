"""The workers' side: pieces of verifications, mutant runs and rejudges, a few at a time.

Candidates come first: a run never has more than `IN_FLIGHT` pieces in the queue, so that whoever
submits meanwhile waits for those alone. What a dead worker or a forgetful broker left is put back
by the sweeper's rounds.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from app.authoring.models import (
    MutantRun,
    MutantTrial,
    Rejudge,
    RejudgeItem,
    Run,
    Verification,
    VerificationTrial,
    Work,
)
from app.practice import gpu_workers
from app.practice.judging import make_launcher
from app.practice.tasks import Heartbeat

logger = logging.getLogger(__name__)

IN_FLIGHT = 2
PATIENCE_S = 60.0  # a message that waits longer was lost, or the queue is long: one more harms none

PIECES: dict[str, type[Work]] = {
    "trial": VerificationTrial,
    "mutant": MutantTrial,
    "item": RejudgeItem,
}


def publish(run: Run) -> None:
    """Send the run's next pieces to the workers once the transaction is committed."""
    transaction.on_commit(lambda: pump(run))


def pump(run: Run) -> None:
    """Keep `IN_FLIGHT` pieces of a run in the queue or being done; end it if all are done.

    Safe to call from anywhere at any time. Never raises for a broker that is away: the sweeper
    calls it again.
    """
    if run.settle():
        logger.info("%s has ended", run)
        follow_up = run.follow_up()
        if follow_up is not None:
            pump(follow_up)
        return
    if not type(run)._default_manager.filter(pk=run.pk, is_running=True).exists():
        return
    fresh = timezone.now() - timedelta(seconds=PATIENCE_S)
    waiting = run.pieces.filter(status=Work.Status.WAITING)
    under_way = run.pieces.filter(status=Work.Status.WORKING).count()
    under_way += waiting.filter(published_at__gte=fresh).count()
    unsent = waiting.filter(Q(published_at=None) | Q(published_at__lt=fresh))
    for piece in unsent.order_by("position")[: max(0, IN_FLIGHT - under_way)]:
        _send(piece, run)


def _send(piece: Work, run: Run) -> None:
    # Marked first: a broker that is away is asked again after a while, not in a loop.
    type(piece)._default_manager.filter(pk=piece.pk).update(published_at=timezone.now())
    kind = next(name for name, model in PIECES.items() if isinstance(piece, model))
    try:
        do_piece.apply_async(args=(kind, piece.pk), queue=run.queue)
    except Exception as error:
        logger.warning("could not publish %s, the sweeper will: %s", piece, error)


@shared_task(name="do_piece")
def do_piece(kind: str, pk: int) -> None:
    """Do one piece, if nobody else does, and have the next one sent."""
    piece = PIECES[kind]._default_manager.filter(pk=pk).first()
    if piece is None:
        logger.info("%s %s is gone, nothing to do", kind, pk)
        return
    if piece.run.is_running:
        token = piece.claim()
        if token is not None:
            _do_under_lease(piece, token)
    pump(piece.run)


def _do_under_lease(piece: Work, token: UUID) -> None:
    launcher = make_launcher()
    try:
        with Heartbeat(piece, token, launcher):
            piece.do(token, launcher)
    except Exception:
        if launcher.cancelled:
            logger.info("%s was taken away", piece)
            return
        error_id = secrets.token_hex(6)
        logger.exception("judge error %s on %s", error_id, piece)
        piece.fail(token, error_id)


def publish_application(rejudge: Rejudge) -> None:
    """Have the workers write the verdicts of a preview once the transaction is committed."""

    def send() -> None:
        try:
            apply_rejudge.apply_async(args=(str(rejudge.pk),), queue=gpu_workers.FALLBACK)
        except Exception as error:
            logger.warning("could not publish %s, the sweeper will: %s", rejudge, error)

    transaction.on_commit(send)


@shared_task(name="apply_rejudge")
def apply_rejudge(pk: str) -> None:
    """Write the verdicts of a preview, or those that a killed worker left."""
    rejudge = Rejudge.objects.filter(pk=pk).select_related("version__problem").first()
    if rejudge is not None and rejudge.apply():
        logger.info("%s has been applied", rejudge)


def sweep() -> None:
    """One of the sweeper's rounds: go on with whatever stands still. Safe on many hosts at once."""
    for model in PIECES.values():
        expired = model._default_manager.filter(
            status=Work.Status.WORKING, lease_expires_at__lt=timezone.now()
        )
        for piece in expired:
            if piece.give_back():
                logger.warning("the worker of %s died", piece)
    runs: list[Run] = [
        *Verification.objects.filter(is_running=True),
        *MutantRun.objects.filter(is_running=True),
        *Rejudge.objects.filter(is_running=True, status=Rejudge.Status.PREVIEWING),
    ]
    for run in runs:
        _leave_a_dead_queue(run)
        pump(run)
    forgotten = Q(lease_expires_at=None) | Q(lease_expires_at__lt=timezone.now())
    for rejudge in Rejudge.objects.filter(forgotten, status=Rejudge.Status.APPLYING):
        publish_application(rejudge)


def _leave_a_dead_queue(run: Run) -> None:
    if run.queue == gpu_workers.QUEUE and not gpu_workers.one_is_alive():
        type(run)._default_manager.filter(pk=run.pk).update(queue=gpu_workers.FALLBACK)
        run.queue = gpu_workers.FALLBACK
        run.pieces.filter(status=Work.Status.WAITING).update(published_at=None)
