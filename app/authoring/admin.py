"""The trail of changes to problems, proofs and rejudges: looked at here, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from app.accounts.admin import NeverEdited
from app.authoring.models import Rejudge, TrailEntry, Verification

if TYPE_CHECKING:
    TrailAdminBase = admin.ModelAdmin[TrailEntry]
    VerificationAdminBase = admin.ModelAdmin[Verification]
    RejudgeAdminBase = admin.ModelAdmin[Rejudge]
else:
    TrailAdminBase = VerificationAdminBase = RejudgeAdminBase = admin.ModelAdmin


@admin.register(TrailEntry)
class TrailEntryAdmin(NeverEdited, TrailAdminBase):
    """Who changed what of which problem, and when."""

    list_display = ("at", "name", "action", "slug", "subject", "digest")
    list_filter = ("action", "at", "name")
    search_fields = ("slug", "name", "subject", "digest")
    date_hierarchy = "at"


@admin.register(Verification)
class VerificationAdmin(NeverEdited, VerificationAdminBase):
    """Every proof of a package."""

    list_display = ("started_at", "slug", "status", "started_by", "digest", "finished_at")
    list_filter = ("status", "started_at")
    list_select_related = ("started_by",)
    search_fields = ("slug", "digest")
    exclude = ("texts", "seed")


@admin.register(Rejudge)
class RejudgeAdmin(NeverEdited, RejudgeAdminBase):
    """Every rejudge by a newer version."""

    list_display = ("started_at", "version", "status", "started_by", "applied_by", "finished_at")
    list_filter = ("status", "started_at", "version__problem")
    list_select_related = ("version__problem", "started_by")
