"""Who changed what, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User

# Typing saves itself every second: what a person changes in one sitting is one line.
SITTING = timedelta(minutes=15)


class Action(models.TextChoices):
    """What somebody did to a problem."""

    CREATED = "created", _("created it")
    UPLOADED = "uploaded", _("uploaded a package")
    OPENED = "opened", _("began to edit it")
    EDITED = "edited", _("edited")
    ADDED = "added", _("added a file")
    REMOVED = "removed", _("removed a file")
    RENAMED = "renamed", _("renamed a file")
    VERIFIED = "verified", _("had it verified")
    PUBLISHED = "published", _("published it")
    UNPUBLISHED = "unpublished", _("took it from the lists")
    RESTORED = "restored", _("brought a version back into the editor")
    DISCARDED = "discarded", _("discarded the working copy")
    REJUDGE_PREVIEWED = "previewed", _("previewed a rejudge")
    REJUDGED = "rejudged", _("rejudged its submissions")


class TrailEntry(models.Model):
    """One line of the trail. It is never changed by hand, and outlives what it tells of."""

    slug = models.SlugField(max_length=60, db_index=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=150)  # kept when the account is gone
    action = models.CharField(max_length=12, choices=Action.choices)
    # The file, or the version; and what a removed file held, so that nothing is ever lost.
    subject = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    former_text = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("line of the trail")
        verbose_name_plural = _("trail of changes to problems")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.name} {self.action} {self.slug} {self.subject}"

    @classmethod
    def add(cls, person: User, slug: str, action: Action, subject: str = "", **facts: Any) -> None:
        """Write a line, or go on with the last one where the same person goes on editing a file."""
        if action is Action.EDITED:
            last = cls.objects.filter(slug=slug).first()
            if (
                last is not None
                and (last.person_id, last.action, last.subject) == (person.pk, action, subject)
                and last.at > timezone.now() - SITTING
            ):
                cls.objects.filter(pk=last.pk).update(at=timezone.now(), **facts)
                return
        cls.objects.create(
            slug=slug,
            person=person,
            name=person.get_username(),
            action=action,
            subject=subject,
            **facts,
        )
