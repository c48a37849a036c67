"""What an admin may look at, and the one thing to do here: judge again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from app.practice.models import Problem, ProblemVersion, Submission
from app.practice.tasks import publish

if TYPE_CHECKING:
    ProblemAdminBase = admin.ModelAdmin[Problem]
    VersionAdminBase = admin.ModelAdmin[ProblemVersion]
    SubmissionAdminBase = admin.ModelAdmin[Submission]
else:
    ProblemAdminBase = VersionAdminBase = SubmissionAdminBase = admin.ModelAdmin


class ReadOnly:
    """Shown, never edited by hand: packages and the judge write these."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Problem)
class ProblemAdmin(ReadOnly, ProblemAdminBase):
    """Problems come from packages: a problem is published while its package is loaded."""

    list_display = ("slug", "round", "title", "difficulty", "minutes", "published")
    list_filter = ("round", "difficulty", "published")
    search_fields = ("slug", "title")


@admin.register(ProblemVersion)
class ProblemVersionAdmin(ReadOnly, VersionAdminBase):
    """Every version that was ever loaded."""

    list_display = ("problem", "number", "digest", "created_at")
    list_select_related = ("problem",)


@admin.register(Submission)
class SubmissionAdmin(ReadOnly, SubmissionAdminBase):
    """Everything that was sent, with judge errors easy to find and to judge again."""

    list_display = ("id", "created_at", "user", "version", "kind", "status", "verdict", "error_id")
    list_filter = ("status", "verdict", "kind", "created_at")
    list_select_related = ("user", "version__problem")
    search_fields = ("error_id", "user__username", "version__problem__slug")
    actions = ("rejudge",)

    @admin.action(description=_("Judge again"))
    def rejudge(self, request: HttpRequest, submissions: Any) -> None:
        """Queue the finished ones among the chosen."""
        again = [submission for submission in submissions if submission.rejudge()]
        for submission in again:
            publish(submission)
        text = ngettext("%d submission is queued again.", "%d are queued again.", len(again))
        self.message_user(request, text % len(again), messages.SUCCESS)
