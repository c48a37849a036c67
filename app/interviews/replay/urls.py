"""Addresses of the replay: below an interview, and below the link to its debrief."""

from __future__ import annotations

from django.urls import URLPattern, path

from app.interviews.replay import views

BELOW: list[tuple[str, str, views.View]] = [
    ("replay/", "replay", views.page),
    ("replay/recording.json", "replay-recording", views.recording),
    ("replay/rounds/<int:number>/edits.json", "replay-edits", views.edits),
    ("replay/rounds/<int:number>/problem/", "replay-problem", views.problem),
    (
        "replay/rounds/<int:number>/verdicts/<uuid:submission>/",
        "replay-verdict",
        views.verdict,
    ),
]


def _twice() -> list[URLPattern]:
    own = [
        path(f"<uuid:pk>/{route}", views.for_those_who_take_part(view), name=name)
        for route, name, view in BELOW
    ]
    shared = [
        path(
            f"shared/<str:token>/{route}",
            views.for_whoever_has_the_link(view),
            name=f"shared-{name}",
        )
        for route, name, view in BELOW
    ]
    return own + shared


urlpatterns = _twice()
