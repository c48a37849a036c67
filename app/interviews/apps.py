"""Listens for verdicts, and lets interviewers see what their candidates sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.db.models import QuerySet

if TYPE_CHECKING:
    from app.accounts.models import User
    from app.practice.models import Submission


class InterviewsConfig(AppConfig):
    name = "app.interviews"
    label = "interviews"

    def ready(self) -> None:
        from app.practice.models.submissions import shown_by_others
        from app.practice.signals import submission_finished, verdict_withdrawn

        submission_finished.connect(put_on_the_timeline, dispatch_uid="interviews")
        verdict_withdrawn.connect(expect_another_verdict, dispatch_uid="interviews")
        if shown_to_interviewer not in shown_by_others:
            shown_by_others.append(shown_to_interviewer)


def put_on_the_timeline(submission: Submission, **_: object) -> None:
    """At once, where it belongs to an interview; the sweeper does the same for whatever is left."""
    from app.interviews.models import RoundSubmission
    from app.interviews.running import settle

    own = RoundSubmission.objects.select_related("interview_round__interview")
    one = own.filter(submission=submission).first()
    if one is not None:
        settle(one.interview_round.interview)


def expect_another_verdict(submission: Submission, **_: object) -> None:
    """What the timeline tells of it is out of date: the next look, or the sweeper, tells more."""
    from app.interviews.models import RoundSubmission

    RoundSubmission.objects.filter(submission=submission).update(is_recorded=False)


def shown_to_interviewer(user: User) -> QuerySet[Any, Any]:
    """Ids of the submissions in interviews where this person has a seat."""
    from app.interviews.models import RoundSubmission

    seated = RoundSubmission.objects.filter(
        interview_round__interview__seats__user=user,
        interview_round__interview__seats__link__revoked_at=None,
    )
    return seated.values("submission")
