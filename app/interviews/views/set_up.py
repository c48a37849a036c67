"""The list of a person's interviews, setting up a new one, and one's own templates."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from app.accounts.requests import SignedInRequest
from app.interviews.beginnings import OWN
from app.interviews.models import Interview, SavedTemplate
from app.interviews.setting_up import SetUp
from problems.interviews.reading import shipped

LISTED = 50


@require_GET
def interview_list(request: SignedInRequest) -> HttpResponse:
    """What the person sits or leads, newest first."""
    own = Interview.objects.filter(candidate=request.user).prefetch_related("rounds")
    led = Interview.objects.filter(seats__user=request.user, seats__link__revoked_at=None)
    context = {
        "own": own[:LISTED],
        "led": led.select_related("candidate").prefetch_related("rounds")[:LISTED],
        "templates": shipped().templates.items(),
        "saved": SavedTemplate.objects.filter(owner=request.user),
        "running": own.filter(status=Interview.Status.RUNNING).first(),
    }
    return render(request, "interviews/list.html", context)


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Make a loop: from a template or from nothing, then plan it or keep it as a template.

    A form comes back with the button that was pressed in ``do``: *make* plans the interview, *keep*
    keeps it as a template; any other changes the list of rounds and gives the form again.
    """
    data = request.POST if request.method == "POST" else None
    key = (request.POST if data is not None else request.GET).get("template", "")
    set_up = SetUp(request.user, key, data)
    status = 200
    if data is not None:
        do = data.get("do", "make")
        if do in ("make", "keep"):
            done = _finish(request, set_up, do) if set_up.is_valid() else None
            if done is not None:
                return done
            status = 400
        else:
            set_up.change(do, data.get("adding", ""))
    context = {
        "set_up": set_up,
        "templates": shipped().templates.items(),
        "saved": SavedTemplate.objects.filter(owner=request.user),
        "own_prefix": OWN,
    }
    return render(request, "interviews/new.html", context, status=status)


def _finish(request: SignedInRequest, set_up: SetUp, do: str) -> HttpResponse | None:
    if do == "make":
        interview = set_up.save()
        return None if interview is None else redirect(interview)
    kept = set_up.keep()
    if kept is None:
        return None
    messages.success(request, _("Kept as your template “%(name)s”.") % {"name": kept.name})
    return redirect(f"{reverse('interviews:new')}?template={OWN}{kept.pk}")


@require_POST
def forget(request: SignedInRequest, template: int) -> HttpResponse:
    """Delete one of the person's own templates; interviews that were made from it stay."""
    saved = get_object_or_404(SavedTemplate, pk=template, owner=request.user)
    saved.delete()
    messages.success(request, _("“%(name)s” is deleted.") % {"name": saved.name})
    return redirect("interviews:list")
