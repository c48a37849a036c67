"""A package while it is written: its files, each with a revision, as drafts have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils import timezone

from app.accounts.models import User
from app.authoring.models.trail import Action, TrailEntry
from app.practice.models import Problem, ProblemVersion
from problems.package import digest
from problems.single_file import SPEC, is_single_file


class SizeInBytes(models.Func):
    """Bytes of a text as UTF-8, counted by the database: an upload is measured in bytes too."""

    function = "OCTET_LENGTH"  # PostgreSQL; SQLite has it since 3.43 only
    arity = 1
    output_field = models.IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context
        )


class StaleFile(Exception):
    """Another tab or person saved a newer text; `file` holds it, nothing was overwritten."""

    def __init__(self, file: WorkingFile) -> None:
        super().__init__(f"the file is at revision {file.revision} already")
        self.file = file


class WorkingCopy(models.Model):
    """The package that admins work on together, under the slug that it has or will have.

    Judging never sees it: only publishing makes a version of it.
    """

    slug = models.SlugField(max_length=60, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["slug"]
        verbose_name_plural = "working copies"

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("authoring:workbench", args=[self.slug])

    @classmethod
    def make(
        cls,
        person: User,
        slug: str,
        texts: Mapping[str, str],
        action: Action,
        subject: str = "",
    ) -> WorkingCopy:
        """A new working copy with these files. Raises IntegrityError if the slug has one."""
        with transaction.atomic():
            copy = cls.objects.create(slug=slug, created_by=person, changed_by=person)
            copy._put(texts)
            TrailEntry.add(person, slug, action, subject, digest=copy.digest)
        return copy

    @classmethod
    def of_version(cls, person: User, version: ProblemVersion) -> WorkingCopy:
        """The problem's working copy; if it has none, one that begins with `version`."""
        slug = version.problem.slug
        existing = cls.objects.filter(slug=slug).first()
        if existing is not None:
            return existing
        try:
            return cls.make(person, slug, texts_of(version), Action.OPENED, f"v{version.number}")
        except IntegrityError:  # another admin was first
            return cls.objects.get(slug=slug)

    def replace(self, person: User, texts: Mapping[str, str], action: Action, subject: str) -> None:
        """Exchange all files. The trail keeps what the former ones held where it differs."""
        with transaction.atomic():
            former = self.texts
            for path, text in former.items():
                if texts.get(path) != text:
                    TrailEntry.add(person, self.slug, Action.REMOVED, path, former_text=text)
            revisions = {file.path: file.revision for file in self.files.all()}
            self.files.all().delete()
            self._put(texts, revisions)
            self.touch(person)
            TrailEntry.add(person, self.slug, action, subject, digest=self.digest)

    def discard(self, person: User) -> None:
        """Throw it away; the trail keeps what its files held."""
        with transaction.atomic():
            for path, text in self.texts.items():
                TrailEntry.add(person, self.slug, Action.REMOVED, path, former_text=text)
            TrailEntry.add(person, self.slug, Action.DISCARDED)
            self.delete()

    def _put(self, texts: Mapping[str, str], revisions: Mapping[str, int] | None = None) -> None:
        # A tab that is still open must find a newer revision, not one that it takes for its own.
        known = revisions or {}
        WorkingFile.objects.bulk_create(
            WorkingFile(copy=self, path=path, text=text, revision=known.get(path, 0) + 1)
            for path, text in texts.items()
        )

    def touch(self, person: User) -> None:
        """Note who changed something last."""
        self.changed_by, self.changed_at = person, timezone.now()
        self.save(update_fields=["changed_by", "changed_at"])

    @property
    def texts(self) -> dict[str, str]:
        """Path -> text."""
        return dict(self.files.values_list("path", "text"))

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over the files as they are written."""
        return digest(self.texts)

    @property
    def problem(self) -> Problem | None:
        """The problem on the site that has this slug."""
        return Problem.objects.filter(slug=self.slug).select_related("current_version").first()


def texts_of(version: ProblemVersion) -> dict[str, str]:
    """A version's files as its author wrote them: of a problem of one file, that one."""
    if is_single_file(version.files):
        return {SPEC: version.files[SPEC]}
    return dict(version.files)


class WorkingFile(models.Model):
    """One file of a working copy, with a revision that only grows."""

    copy = models.ForeignKey(WorkingCopy, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["copy", "path"], name="one_file_per_path")]

    def __str__(self) -> str:
        return f"{self.copy}/{self.path} r{self.revision}"

    def save_text(self, person: User, text: str, base_revision: int) -> WorkingFile:
        """Save `text`, written on top of `base_revision`.

        Raises
        ------
        StaleFile
            If the file has another revision by now. Saving the same text twice is no conflict.
        """
        with transaction.atomic():
            file = WorkingFile.objects.select_for_update().get(pk=self.pk)
            if file.text == text:
                return file
            if file.revision != base_revision:
                raise StaleFile(file)
            file.text = text
            file.revision += 1
            file.save()
            file.copy.touch(person)
            TrailEntry.add(person, file.copy.slug, Action.EDITED, file.path)
        return file
