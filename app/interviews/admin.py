"""Interviews for admins: to look at, never to edit by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from app.accounts.admin import NeverEdited
from app.interviews.models import Interview, Link

if TYPE_CHECKING:
    InterviewAdminBase = admin.ModelAdmin[Interview]
    LinkAdminBase = admin.ModelAdmin[Link]
else:
    InterviewAdminBase = LinkAdminBase = admin.ModelAdmin


@admin.register(Interview)
class InterviewAdmin(NeverEdited, InterviewAdminBase):
    """Who sat what, and where it stands; the debrief has the rest."""

    list_display = ("id", "created_at", "candidate", "title", "status", "started_at", "ended_at")
    list_filter = ("status", "with_interviewer", "template")
    list_select_related = ("candidate",)
    search_fields = ("id", "candidate__username", "title")


@admin.register(Link)
class LinkAdmin(NeverEdited, LinkAdminBase):
    """Who was let in, and until when; the tokens themselves are kept nowhere."""

    list_display = ("interview", "scope", "created_at", "expires_at", "used_at", "revoked_at")
    list_filter = ("scope",)
    list_select_related = ("interview",)
    exclude = ("token_hash",)
