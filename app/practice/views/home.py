"""The path and its seven stations."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from app.accounts.requests import SignedInRequest
from app.practice.progress import RoundProgress, next_problem, path_of, problems_of
from app.practice.rounds import ROUNDS, round_text


def home(request: SignedInRequest) -> HttpResponse:
    """The seven rounds as one path, and where to continue."""
    path = path_of(request.user)
    following = next_problem(request.user, path)
    total = sum(len(station.problems) for station in path)
    return render(
        request,
        "practice/home.html",
        {
            "path": path,
            "next_problem": following[0] if following else None,
            "next_is_begun": following is not None and following[1],
            "accepted": sum(station.accepted for station in path),
            "total": total,
        },
    )


def round_page(request: SignedInRequest, number: int) -> HttpResponse:
    """One round: what the interviewer digs for, and its problems."""
    text = round_text(number)
    if text is None:
        raise Http404(_("There are rounds 1 to %(last)s.") % {"last": len(ROUNDS)})
    station = RoundProgress(text, problems_of(request.user, number))
    return render(
        request,
        "practice/round.html",
        {
            "station": station,
            "text": text,
            "previous": round_text(number - 1),
            "following": round_text(number + 1),
        },
    )
