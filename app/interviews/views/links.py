"""Links into an interview: made by the candidate, used by others, revoked."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from app.accounts.requests import SignedInRequest
from app.interviews import presence
from app.interviews.access import get_interview
from app.interviews.doorbell import ring
from app.interviews.models import Link, Role

Scope = Link.Scope


@require_POST
def make(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Make a link and show it, once: only a hash of it is kept."""
    interview, _role = get_interview(request, pk, Role.CANDIDATE)
    scope = request.POST.get("scope", "")
    if scope not in Scope.values:
        raise Http404(_("There is no such kind of link."))
    if scope == Scope.DEBRIEF and not interview.is_ended:
        messages.error(request, _("A debrief is shared when the interview has ended."))
        return redirect(interview)
    if scope == Scope.INTERVIEWER and not interview.with_interviewer:
        messages.error(request, _("This interview was set up for one person alone."))
        return redirect(interview)
    link, token = Link.issue(interview, Scope(scope))
    name = "interviews:invitation" if scope == Scope.INTERVIEWER else "interviews:shared"
    address = request.build_absolute_uri(reverse(name, args=[token]))
    context = {"interview": interview, "link": link, "address": address}
    response = render(request, "interviews/link_made.html", context, status=201)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def revoke(request: SignedInRequest, pk: UUID, link: int) -> HttpResponse:
    """End a link, and with it the seat that was taken by it."""
    interview, _role = get_interview(request, pk, Role.CANDIDATE)
    found = get_object_or_404(Link, pk=link, interview=interview)
    if found.revoke():
        ring(interview.pk)  # sockets ask anew who may look
        messages.success(request, _("The link is revoked; nobody comes in by it any more."))
    return redirect(interview)


@require_http_methods(["GET", "POST"])
def invitation(request: SignedInRequest, token: str) -> HttpResponse:
    """Take the interviewer's seat: asked first, so that a preview of the link seats nobody."""
    link = Link.find(token, Scope.INTERVIEWER)
    if link is None:
        return render(request, "interviews/link_over.html", status=410)
    interview = link.interview
    role = interview.role_of(request.user)
    if role is Role.CANDIDATE or role is Role.INTERVIEWER:
        return redirect(interview)
    if link.used_at is not None:
        return render(request, "interviews/link_over.html", status=410)
    if request.method == "GET":
        rounds = interview.rounds.all()
        context = {
            "interview": interview,
            "rounds": rounds,
            "total_minutes": sum(one.minutes for one in rounds),
        }
        return render(request, "interviews/invitation.html", context)
    if link.seat(request.user) is None:
        return render(request, "interviews/link_over.html", status=410)
    presence.came(interview, request.user)
    ring(interview.pk)
    return redirect(interview)
