"""What happens in an interview, each step in one transaction with its moments.

Anybody may call `settle` at any time: pages, sockets and the sweeper do. It makes true what the
clock says, so a browser that is gone, a web server that restarts or a broker that is away change
nothing. Of two who do the same at once one loses a conditional UPDATE and records nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from app.accounts.models import User
from app.interviews import presence
from app.interviews.doorbell import ring
from app.interviews.drawing import draw_again
from app.interviews.follow_ups import due_by_time, due_by_verdict
from app.interviews.models import Interview, InterviewRound, Moment, RoundSubmission
from app.interviews.models.rounds import GRACE_S
from app.interviews.readiness import all_are_ready, people
from app.interviews.room import recording
from app.interviews.room.documents import plain
from app.interviews.server_time import now
from app.practice.drawn import canonical
from app.practice.forms import check_text
from app.practice.judging import queue_of
from app.practice.models import Submission
from app.practice.tasks import publish
from graders.verdict import JsonObject

logger = logging.getLogger(__name__)

EndedBy = InterviewRound.EndedBy


def hold(interview: Interview) -> None:
    """Lock the interview's row until the transaction ends.

    Whoever changes an interview and its rounds takes this row first, so that two who do never wait
    for each other in a circle.
    """
    Interview.objects.select_for_update().only("pk").get(pk=interview.pk)


def start(interview: Interview, by: User) -> bool:
    """Planned -> running, and the first round begins.

    False if somebody was first, or the candidate sits another interview: the clocks of two would
    run at once.
    """
    other = interview.another_running()
    if other is not None:
        settle(other)  # its time may be over
    at = now()
    with transaction.atomic():
        hold(interview)
        if not interview.begin(at):
            return False
        interview.record(Moment.Kind.STARTED, author=by, at=at)
        presence.start(interview, by)
        draw_again(interview)
        _begin_next(interview, by, at)
    ring(interview.pk)
    return True


def say_ready(interview: Interview, by: User, is_ready: bool) -> bool:
    """Note that a person is ready, or not yet after all; when everybody is, the next round begins.

    False if they had said so already, or nothing waits for them.
    """
    with transaction.atomic():
        hold(interview)
        interview.refresh_from_db()
        mine = next((one for one in people(interview) if one.user == by), None)
        waits = interview.current_round() is None and not interview.is_ended
        if mine is None or mine.is_ready == is_ready or not waits:
            return False
        interview.record(Moment.Kind.READY, {"ready": is_ready}, author=by)
        everybody = all_are_ready(interview)
    ring(interview.pk)
    if everybody and interview.status == Interview.Status.PLANNED:
        start(interview, by)
    elif everybody:
        begin_next_round(interview, by)
    return True


def begin_next_round(interview: Interview, by: User | None) -> bool:
    """End the break; False if a round runs, or none is left."""
    with transaction.atomic():
        hold(interview)
        begun = _begin_next(interview, by, now())
    ring(interview.pk)
    return begun


def _begin_next(interview: Interview, by: User | None, at: datetime) -> bool:
    upcoming = interview.next_round()
    if upcoming is None or not upcoming.begin(at):
        return False
    Interview.objects.filter(pk=interview.pk).update(break_ends_at=None)
    interview.record(
        Moment.Kind.ROUND_BEGAN,
        {"minutes": upcoming.minutes},
        author=by,
        interview_round=upcoming,
        at=at,
    )
    recording.begin(upcoming)
    return True


def end_round(interview_round: InterviewRound, by: EndedBy, who: User | None) -> bool:
    """End a running round: what stands in the editor is sent, then the break or the end comes.

    By time it ends only when deadline and grace are over. False if it does not run, or is paused.
    """
    at, interview = now(), interview_round.interview
    with transaction.atomic():
        hold(interview)
        if not interview_round.end(at, by):
            return False
        interview_round.refresh_from_db()
        payload: JsonObject = {"by": by.value}
        unsent = _send_what_stands_there(interview_round)
        if unsent:
            payload["unsent"] = unsent
        interview.record(
            Moment.Kind.ROUND_ENDED,
            payload,
            author=who,
            interview_round=interview_round,
            at=interview_round.ended_at,
        )
        if interview.next_round() is None:
            _end(interview, interview_round.ended_at or at, who)
        elif interview.break_minutes == 0:
            _begin_next(interview, None, at)
        elif interview.break_minutes is not None:
            # From now and not from the deadline: a site that was down costs nobody their break.
            Interview.objects.filter(pk=interview.pk).update(
                break_ends_at=at + timedelta(minutes=interview.break_minutes)
            )
    ring(interview.pk)
    return True


def end_interview(interview: Interview, by: User) -> bool:
    """End it before its last round; what was not begun is not sat."""
    own = by.pk == interview.candidate_id
    with transaction.atomic():
        hold(interview)
        running = interview.current_round()
        if running is not None:
            if interview.is_paused:
                _resume(interview, by)
                running.refresh_from_db()
            end_round(running, EndedBy.CANDIDATE if own else EndedBy.INTERVIEWER, by)
        ended = _end(interview, now(), by)
    ring(interview.pk)
    return ended


def _end(interview: Interview, at: datetime, by: User | None) -> bool:
    running = Interview.objects.filter(pk=interview.pk, status=Interview.Status.RUNNING)
    ended = running.update(status=Interview.Status.ENDED, ended_at=at, break_ends_at=None)
    if ended:
        interview.record(Moment.Kind.ENDED, author=by, at=at)
        presence.end(interview)
    return ended == 1


def pause(interview: Interview, by: User) -> bool:
    """Stop the clock, where the rules allow it and time is left."""
    at = now()
    with transaction.atomic():
        hold(interview)
        settle(interview)
        paused = interview.pause(at)
        if paused:
            interview.record(
                Moment.Kind.PAUSED, author=by, interview_round=interview.current_round(), at=at
            )
    ring(interview.pk)
    return paused


def resume(interview: Interview, by: User) -> bool:
    """Let the clock go on."""
    with transaction.atomic():
        hold(interview)
        resumed = _resume(interview, by)
    ring(interview.pk)
    return resumed


def _resume(interview: Interview, by: User) -> bool:
    at = now()
    resumed = interview.resume(at)
    if resumed:
        interview.refresh_from_db()
        interview.record(
            Moment.Kind.RESUMED, author=by, interview_round=interview.current_round(), at=at
        )
    return resumed


def add_minutes(interview_round: InterviewRound, minutes: int, by: User) -> bool:
    """Give the running round more time."""
    with transaction.atomic():
        hold(interview_round.interview)
        added = interview_round.add_minutes(minutes)
        if added:
            interview_round.interview.record(
                Moment.Kind.TIME_ADDED,
                {"minutes": minutes},
                author=by,
                interview_round=interview_round,
            )
    ring(interview_round.interview_id)
    return added


def settle(interview: Interview) -> Interview:
    """Make true what the clock says, and return the interview as it is then."""
    interview.refresh_from_db()
    if interview.status == Interview.Status.RUNNING:
        running = interview.current_round()
        # Looked at first: every socket asks all the time, and a transaction locks the database.
        if _is_due(interview, running):
            for _step in range(2 * interview.rounds.count()):
                if not _step_on(interview):
                    break
                interview.refresh_from_db()
            running = interview.current_round()
        if running is not None and not interview.is_paused:
            due_by_time(running, now())
        presence.note_absent(interview)
    record_verdicts(interview)
    interview.refresh_from_db()
    return interview


def _is_due(interview: Interview, running: InterviewRound | None) -> bool:
    """Whether the clock has something to say: a round is over, or a break."""
    if running is not None:
        return running.is_over(now())
    return interview.break_ends_at is not None and interview.break_ends_at <= now()


def _step_on(interview: Interview) -> bool:
    running = interview.current_round()
    if not _is_due(interview, running):
        return False
    if running is not None:
        return end_round(running, EndedBy.TIME, None)
    return begin_next_round(interview, None)


def record_verdicts(interview: Interview) -> None:
    """Put verdicts that were reached meanwhile on the timeline, with the time of the judge.

    A submission that was judged again has another moment then: what was told first stays told.
    """
    finished = [Submission.Status.DONE, Submission.Status.CANCELLED]
    fresh = RoundSubmission.objects.filter(
        interview_round__interview=interview, is_recorded=False, submission__status__in=finished
    )
    for one in fresh.select_related("submission", "interview_round__version"):
        with transaction.atomic():
            hold(interview)
            unrecorded = RoundSubmission.objects.filter(pk=one.pk, is_recorded=False)
            if unrecorded.update(is_recorded=True):
                _record_verdict(interview, one)
        ring(interview.pk)


def _record_verdict(interview: Interview, one: RoundSubmission) -> None:
    submission, interview_round = one.submission, one.interview_round
    told: JsonObject = {"submission": str(submission.pk), "kind": submission.kind}
    verdict: JsonObject = {"verdict": submission.verdict, "score": submission.score}
    of_this = interview_round.moments.filter(
        kind=Moment.Kind.VERDICT, payload__submission=str(submission.pk)
    )
    before = of_this.order_by("sequence").last()
    if before is not None:
        if {key: before.payload[key] for key in verdict} == verdict:
            return  # judged again, and nothing has changed
        told |= {"rejudged": True}
        verdict |= {"before": before.payload["verdict"]}
    interview.record(
        Moment.Kind.VERDICT,
        {**told, **verdict},
        interview_round=interview_round,
        at=submission.finished_at,
    )
    counterexample = (submission.report or {}).get("counterexample")
    if isinstance(counterexample, dict):
        interview.record(
            Moment.Kind.COUNTEREXAMPLE,
            {**told, "summary": counterexample.get("summary", "")},
            interview_round=interview_round,
            at=submission.finished_at,
        )
    due_by_verdict(interview_round, submission, now())


def _send_what_stands_there(interview_round: InterviewRound) -> str:
    """Send the text of a round that has ended, if it is more than what was sent before.

    Returns why it was not sent, where it should have been and could not; else nothing.
    """
    version, text = interview_round.version, interview_round.text
    if version is None or not text.strip():
        return ""
    spec = version.spec
    submits = [one for one in interview_round.submissions() if one.kind == Submission.Kind.SUBMIT]
    if canonical(spec, text) == canonical(spec, version.starter):
        return ""
    if spec.is_drawn_per_attempt and spent(interview_round):
        return ""
    if submits and submits[-1].source == text and submits[-1].status != "cancelled":
        return ""
    try:
        check_text(text, spec.limits.source_kib)
    except ValidationError as refusal:
        return str(refusal.code)
    send(interview_round, Submission.Kind.SUBMIT, text, None, is_automatic=True)
    return ""


def spent(interview_round: InterviewRound) -> bool:
    """Whether a worksheet's values were judged in this round: the right answers were shown then."""
    submits = interview_round.submissions().filter(kind=Submission.Kind.SUBMIT)
    ours = Q(status=Submission.Status.CANCELLED) | Q(verdict=Submission.Outcome.JUDGE_ERROR)
    return bool(submits.exclude(ours).exists())


def send(
    interview_round: InterviewRound,
    kind: Submission.Kind,
    source: str,
    by: User | None,
    *,
    replay: JsonObject | None = None,
    is_automatic: bool = False,
) -> Submission:
    """Have a source judged as the candidate's, by the same judge as in practice.

    It becomes the round's text, so that the timeline shows at this moment what was sent. The
    caller holds the interview, and has checked that the round takes it.

    Raises
    ------
    TooLarge
        If the round cannot keep that text.
    """
    interview = interview_round.interview
    version = interview_round.version
    if version is None:
        raise ValueError(f"a submission needs a problem, {interview_round} has a question")
    source = plain(source)
    with transaction.atomic():
        recording.put(interview_round, source, by or interview.candidate)
        submission = Submission.send(
            interview.candidate,
            version,
            kind,
            source,
            replay=replay,
            queue=queue_of(version.spec),
            seed=interview_round.seed if version.spec.is_drawn_per_attempt else None,
        )
        RoundSubmission.objects.create(
            interview_round=interview_round, submission=submission, is_automatic=is_automatic
        )
        interview.record(
            Moment.Kind.SENT,
            {"submission": str(submission.pk), "kind": kind.value, "automatic": is_automatic},
            author=by,
            interview_round=interview_round,
            at=submission.created_at,
        )
    publish(submission)
    ring(interview.pk)
    return submission


def sweep() -> int:
    """Settle every interview in which the clock, a verdict or an empty chair has something to say.

    Returns how many those were.
    """
    at = now()
    overdue = Q(
        status=Interview.Status.RUNNING,
        paused_at=None,
        rounds__status="running",
        rounds__deadline__lt=at - timedelta(seconds=GRACE_S),
    )
    over = Q(status=Interview.Status.RUNNING, break_ends_at__lte=at)
    finished = [Submission.Status.DONE, Submission.Status.CANCELLED]
    unrecorded = Q(
        rounds__round_submissions__is_recorded=False,
        rounds__round_submissions__submission__status__in=finished,
    )
    left = Q(pk__in=presence.absent().values("interview"))
    settled = 0
    for interview in Interview.objects.filter(overdue | over | unrecorded | left).distinct():
        try:
            settle(interview)
            settled += 1
        except Exception:  # one broken interview must not keep the others waiting
            logger.exception("could not settle interview %s", interview.pk)
    return settled
