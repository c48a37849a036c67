"""While a round runs, its problem's pages in practice are closed: hints, editorial, other judging.

The same middleware remembers which problems a person has opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from app.interviews.models import InterviewRound, Sighting
from app.practice.models import Problem

# A worksheet's form asks `practice:reading` how an answer is read: that stays open.
CLOSED = {"problem", "editorial", "draft", "submit", "diff", "values", "recent", "trace"}
SHOW_THE_STATEMENT = {"problem", "editorial"}


class ClosedBooks:
    """Looks at each request to a problem's page; costs nothing elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        user = request.user
        if match is None or match.app_name != "practice" or match.url_name not in CLOSED:
            return None
        if not user.is_authenticated:
            return None
        sat = InterviewRound.objects.filter(
            status=InterviewRound.Status.RUNNING,
            interview__candidate=user,
            version__problem__slug=kwargs["slug"],
        )
        running = sat.select_related("interview").first()
        if running is not None:
            return redirect(running.interview)
        if match.url_name in SHOW_THE_STATEMENT:
            problem = Problem.objects.filter(slug=kwargs["slug"], published=True).first()
            if problem is not None:
                Sighting.objects.get_or_create(user=user, problem=problem)
        return None
