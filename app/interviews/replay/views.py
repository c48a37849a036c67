"""The replay: its page, what it is made of, and the verdicts in it; for two kinds of visitors.

Those who take part come by the interview's own address, whoever has the candidate's link by its
token. Each address is there in both forms, and a link that is revoked ends all of its own at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from app.accounts.requests import SignedInRequest
from app.interviews.access import get_interview
from app.interviews.models import Interview, InterviewRound, Link, Moment
from app.interviews.replay.page import page_context, statement_of
from app.interviews.replay.recording import Recording
from app.interviews.running import settle
from app.practice.views.panels import verdict_context


@dataclass(frozen=True)
class Visit:
    """A recording that somebody may see, and the form in which they call its addresses."""

    recording: Recording
    token: str | None  # of the candidate's link; None for those who take part

    @property
    def interview(self) -> Interview:
        return self.recording.interview

    def address(self, name: str, *further: object) -> str:
        """``replay``, ``replay-recording``, ... in this visitor's form."""
        if self.token is None:
            return reverse(f"interviews:{name}", args=[self.interview.pk, *further])
        return reverse(f"interviews:shared-{name}", args=[self.token, *further])

    def round(self, number: int) -> InterviewRound:
        """A round that was sat; a 404 for any other."""
        found = self.interview.rounds.filter(status=InterviewRound.Status.ENDED)
        return get_object_or_404(
            found.select_related("version__problem", "interview"), number=number
        )


# What answers a visit; further parts of the address come as keywords.
View = Callable[..., HttpResponse]


def for_those_who_take_part(view: View) -> View:
    """Let in the candidate, interviewers and admins; the last two see private notes."""

    @require_GET
    def by_role(request: SignedInRequest, pk: UUID, **further: object) -> HttpResponse:
        interview, role = get_interview(request, pk)
        if not interview.is_ended:
            raise Http404(_("There is a replay when the interview has ended."))
        visit = Visit(Recording(interview, with_private=role.knows_the_answers), None)
        return _kept_by_nobody(view(request, visit, **further))

    return by_role


def for_whoever_has_the_link(view: View) -> View:
    """Let in whoever has the candidate's link to the debrief, for as long as it stands."""

    @login_not_required
    @require_GET
    def by_link(request: HttpRequest, token: str, **further: object) -> HttpResponse:
        link = Link.find(token, Link.Scope.DEBRIEF)
        interview = settle(link.interview) if link else None
        if interview is None or not interview.is_ended:
            return render(request, "interviews/link_over.html", status=410)
        visit = Visit(Recording(interview, with_private=False), token)
        response = _kept_by_nobody(view(request, visit, **further))
        response["Referrer-Policy"] = "no-referrer"  # the address is the secret
        response["X-Robots-Tag"] = "noindex"
        return response

    return by_link


def _kept_by_nobody(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response


def page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The player. Without scripts: the text at ``?moment=17`` or ``?at=12.5`` (seconds)."""
    context = page_context(
        visit.recording,
        moment=request.GET.get("moment", ""),
        seconds=request.GET.get("at", ""),
    )
    addresses = {
        "replay_url": visit.address("replay"),
        "recording_url": visit.address("replay-recording"),
        "is_shared": visit.token is not None,
    }
    if visit.token is None:
        addresses["debrief_url"] = reverse("interviews:debrief", args=[visit.interview.pk])
    else:
        addresses["debrief_url"] = reverse("interviews:shared", args=[visit.token])
    return render(request, "interviews/replay.html", {**context, **addresses})


def recording(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Rounds, times and moments as JSON, with the address of each round's edits and verdicts."""
    data = visit.recording.as_json()
    for one in data["rounds"]:
        one["edits_url"] = visit.address("replay-edits", one["number"])
        one["problem_url"] = visit.address("replay-problem", one["number"])
        # The page puts a submission's id in the place of this one.
        some = visit.address("replay-verdict", one["number"], UUID(int=0))
        one["verdict_url"] = some.removesuffix(f"{UUID(int=0)}/")
    return JsonResponse(data)


@gzip_page
def edits(request: HttpRequest, visit: Visit, number: int) -> HttpResponse:
    """A page of a round's edits after ``?after=<sequence>``; `Recording.edits` has its form."""
    after = request.GET.get("after", "0")
    if not (after.isdecimal() and len(after) < 10):
        raise Http404(_("Edits are asked for by the number of the one before them."))
    return JsonResponse(visit.recording.edits(visit.round(number), int(after)))


def problem(request: HttpRequest, visit: Visit, number: int) -> HttpResponse:
    """Fragment: what was asked in a round, as its page had it."""
    context = {"statement": statement_of(visit.round(number))}
    return render(request, "interviews/parts/replay_problem.html", context)


def verdict(request: HttpRequest, visit: Visit, number: int, submission: UUID) -> HttpResponse:
    """Fragment: a verdict that was reached, with its counterexample, as the round showed it."""
    one = visit.round(number)
    found = get_object_or_404(one.submissions(), pk=submission)
    reached = one.moments.filter(kind=Moment.Kind.VERDICT, payload__submission=str(submission))
    moment = reached.first()
    if moment is None:
        raise Http404(_("This submission has no verdict yet."))
    context = {
        **verdict_context(found),
        "in_interview": True,
        "can_replay": False,
        "told_then": moment.payload["verdict"],
        "is_shared": visit.token is not None,
    }
    return render(request, "interviews/parts/replay_verdict.html", context)
