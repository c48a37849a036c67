"""Addresses of interviews."""

from __future__ import annotations

from django.urls import path

from app.interviews.replay.urls import urlpatterns as replay
from app.interviews.room import views as room
from app.interviews.views import debriefs, follow_ups, links, rooms, rounds, set_up

app_name = "interviews"
urlpatterns = [
    path("", set_up.interview_list, name="list"),
    path("new/", set_up.new, name="new"),
    path("templates/<int:template>/delete/", set_up.forget, name="forget"),
    path("invitations/<str:token>/", links.invitation, name="invitation"),
    path("shared/<str:token>/", debriefs.shared, name="shared"),
    path("shared/<str:token>/debrief.json", debriefs.shared_json, name="shared-json"),
    path("<uuid:pk>/", rooms.interview_page, name="interview"),
    path("<uuid:pk>/clock/", rooms.clock, name="clock"),
    path("<uuid:pk>/start/", rooms.start, name="start"),
    path("<uuid:pk>/ready/", rooms.ready, name="ready"),
    path("<uuid:pk>/next/", rooms.begin_next, name="next"),
    path("<uuid:pk>/pause/", rooms.pause, name="pause"),
    path("<uuid:pk>/resume/", rooms.resume, name="resume"),
    path("<uuid:pk>/end/", rooms.end, name="end"),
    path("<uuid:pk>/discard/", rooms.discard, name="discard"),
    path("<uuid:pk>/notes/", rooms.note, name="notes"),
    path("<uuid:pk>/links/", links.make, name="links"),
    path("<uuid:pk>/links/<int:link>/revoke/", links.revoke, name="revoke"),
    path("<uuid:pk>/chat/", room.chat, name="chat"),
    path("<uuid:pk>/rounds/<int:number>/panel/<uuid:submission>/", room.panel, name="panel"),
    path("<uuid:pk>/rounds/<int:number>/draft/", rounds.draft, name="draft"),
    path("<uuid:pk>/rounds/<int:number>/submit/", rounds.submit, name="submit"),
    path(
        "<uuid:pk>/rounds/<int:number>/verdicts/<uuid:submission>/", rounds.verdict, name="verdict"
    ),
    path("<uuid:pk>/rounds/<int:number>/finish/", rounds.finish, name="finish"),
    path("<uuid:pk>/rounds/<int:number>/minutes/", rounds.minutes, name="minutes"),
    path("<uuid:pk>/rounds/<int:number>/hint/", rounds.hint, name="hint"),
    path("<uuid:pk>/rounds/<int:number>/beside/", rounds.beside, name="beside"),
    path("<uuid:pk>/rounds/<int:number>/text/", rounds.text, name="text"),
    path("<uuid:pk>/rounds/<int:number>/trace.json", rounds.trace, name="trace"),
    path("<uuid:pk>/rounds/<int:number>/ask/", follow_ups.ask, name="ask"),
    path("<uuid:pk>/follow-ups/<int:asked>/answer/", follow_ups.answer, name="answer"),
    path("<uuid:pk>/debrief/", debriefs.debrief, name="debrief"),
    path("<uuid:pk>/debrief.json", debriefs.debrief_json, name="debrief-json"),
    path("<uuid:pk>/rounds/<int:number>/marks/", debriefs.marks, name="marks"),
    path("<uuid:pk>/feedback/", debriefs.feedback, name="feedback"),
    *replay,
]
