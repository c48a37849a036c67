"""Addresses of practice."""

from __future__ import annotations

from django.urls import path

from app.practice.views import (
    answers,
    diffs,
    drafts,
    guides,
    home,
    problems,
    submissions,
    traces,
)

app_name = "practice"
urlpatterns = [
    path("", home.home, name="home"),
    path("rounds/<int:number>/", home.round_page, name="round"),
    path("problems/<slug:slug>/", problems.problem_page, name="problem"),
    path("problems/<slug:slug>/recent/", problems.recent, name="recent"),
    path("problems/<slug:slug>/editorial/", problems.editorial, name="editorial"),
    path("problems/<slug:slug>/draft/", drafts.draft, name="draft"),
    path("problems/<slug:slug>/submit/", submissions.submit, name="submit"),
    path("problems/<slug:slug>/values/", answers.new_values, name="values"),
    path("problems/<slug:slug>/reading/", answers.read_answer, name="reading"),
    path("problems/<slug:slug>/trace.json", traces.attempt_trace, name="trace"),
    path("problems/<slug:slug>/diff/", diffs.diff, name="diff"),
    path("guides/memory-model/", guides.memory_model, name="memory-model"),
    path("submissions/", submissions.submission_list, name="submissions"),
    path("submissions/<uuid:pk>/", submissions.submission_page, name="submission"),
    path("submissions/<uuid:pk>/trace.json", traces.submission_trace, name="submission-trace"),
    path("submissions/<uuid:pk>/panel/", submissions.panel, name="panel"),
    path("submissions/<uuid:pk>/verdict/", submissions.verdict, name="verdict"),
    path("submissions/<uuid:pk>/past/<int:number>/", submissions.past_verdict, name="past-verdict"),
    path("submissions/<uuid:pk>/cancel/", submissions.cancel, name="cancel"),
    path("submissions/<uuid:pk>/replay/", submissions.replay, name="replay"),
    path("submissions/<uuid:pk>/rejudge/", submissions.rejudge, name="rejudge"),
]
