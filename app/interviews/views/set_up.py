"""The list of a person's interviews, and setting up a new one."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from app.accounts.requests import SignedInRequest
from app.interviews.models import Interview
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
    }
    return render(request, "interviews/list.html", context)


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Choose rounds and rules; from a template or from nothing."""
    data = request.POST if request.method == "POST" else None
    name = (request.POST if data is not None else request.GET).get("template", "")
    set_up = SetUp(request.user, name, data)
    if data is not None and set_up.is_valid():
        interview = set_up.save()
        if interview is not None:
            return redirect(interview)
    context = {"set_up": set_up, "templates": shipped().templates.items()}
    status = 200 if data is None else 400
    return render(request, "interviews/new.html", context, status=status)
