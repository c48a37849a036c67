"""What an admin may look at, and the one thing to do here: judge again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from app.accounts.admin import NeverEdited
from app.practice.models import PastVerdict, Problem, ProblemVersion, Submission
from app.practice.tasks import publish

if TYPE_CHECKING:
    ProblemAdminBase = admin.ModelAdmin[Problem]
    VersionAdminBase = admin.ModelAdmin[ProblemVersion]
    SubmissionAdminBase = admin.ModelAdmin[Submission]
    PastVerdictAdminBase = admin.ModelAdmin[PastVerdict]
else:
    ProblemAdminBase = VersionAdminBase = SubmissionAdminBase = admin.ModelAdmin
    PastVerdictAdminBase = admin.ModelAdmin


@admin.register(Problem)
class ProblemAdmin(NeverEdited, ProblemAdminBase):
    """Problems come from packages, on disk or written on the site; here they are only listed."""

    list_display = (
        "slug",
        "round",
        "title",
        "difficulty",
        "minutes",
        "published",
        "managed_here",
        "authoring",
    )
    list_filter = ("round", "difficulty", "published", "managed_here")
    search_fields = ("slug", "title")

    @admin.display(description=_("Versions and trail"))
    def authoring(self, problem: Problem) -> SafeString:
        """Where it is written and published."""
        address = reverse("authoring:trail", args=[problem.slug])
        return format_html('<a href="{}">{}</a>', address, _("open"))


@admin.register(ProblemVersion)
class ProblemVersionAdmin(NeverEdited, VersionAdminBase):
    """Every version that was ever loaded or published."""

    list_display = ("problem", "number", "digest", "created_at")
    list_select_related = ("problem",)
    list_filter = ("created_at", "problem")
    search_fields = ("problem__slug", "digest")
    exclude = ("files", "spec_json")


@admin.register(Submission)
class SubmissionAdmin(NeverEdited, SubmissionAdminBase):
    """Everything that was sent, with judge errors easy to find and to judge again."""

    list_display = (
        "created_at",
        "user",
        "version",
        "kind",
        "status",
        "verdict",
        "score",
        "error_id",
        "page",
    )
    list_filter = (
        "status",
        "verdict",
        "kind",
        "queue",
        "created_at",
        ("error_id", admin.EmptyFieldListFilter),
        ("rejudged_by", admin.EmptyFieldListFilter),
        "version__problem",
    )
    list_select_related = ("user", "version__problem")
    search_fields = ("id", "error_id", "user__username", "version__problem__slug")
    date_hierarchy = "created_at"
    actions = ("rejudge",)

    @admin.display(description=_("On the site"))
    def page(self, submission: Submission) -> SafeString:
        """The page with its timeline and counterexample."""
        return format_html('<a href="{}">{}</a>', submission.get_absolute_url(), _("open"))

    @admin.action(description=_("Judge again"))
    def rejudge(self, request: HttpRequest, submissions: Any) -> None:
        """Queue the finished ones among the chosen."""
        again = [submission for submission in submissions if submission.rejudge()]
        for submission in again:
            publish(submission)
            self.log_change(request, submission, "judged again")
        text = ngettext("%d submission is queued again.", "%d are queued again.", len(again))
        self.message_user(request, text % len(again), messages.SUCCESS)


@admin.register(PastVerdict)
class PastVerdictAdmin(NeverEdited, PastVerdictAdminBase):
    """Verdicts that were replaced."""

    list_display = ("submission", "version", "verdict", "score", "finished_at", "replaced_at")
    list_filter = ("verdict", "replaced_at", "version__problem")
    list_select_related = ("submission", "version__problem")
    date_hierarchy = "replaced_at"
