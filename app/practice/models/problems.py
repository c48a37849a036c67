"""Problems and the versions of their packages."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from graders.verdict import JsonObject
from problems.schema import Difficulty, ProblemSpec


class Problem(models.Model):
    """A problem in the list; what it says and how it judges is in its versions."""

    uuid = models.UUIDField(unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    round = models.PositiveSmallIntegerField(db_index=True)
    title = models.CharField(max_length=200)
    summary = models.TextField()
    difficulty = models.CharField(
        max_length=10,
        choices=[
            (Difficulty.WARM_UP.value, _("Warm-up")),
            (Difficulty.MEDIUM.value, _("Medium")),
            (Difficulty.HARD.value, _("Hard")),
            (Difficulty.BRUTAL.value, _("Brutal")),
        ],
    )
    minutes = models.PositiveSmallIntegerField()
    tags: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    published = models.BooleanField(default=True)
    # An admin of this site has taken it over in the browser: folders of packages leave it alone.
    managed_here = models.BooleanField(default=False)
    current_version = models.ForeignKey(
        "ProblemVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["round", "minutes", "slug"]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("practice:problem", args=[self.slug])


class ProblemVersion(models.Model):
    """One version of a problem's package, whole, so that any worker on any host can judge it."""

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()  # `version` in problem.yaml
    digest = models.CharField(max_length=64)  # SHA-256 over the package's files
    spec_json: models.JSONField[JsonObject, JsonObject] = models.JSONField()
    files: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField()  # path -> text
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number", "-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["problem", "digest"], name="one_version_per_content")
        ]

    def __str__(self) -> str:
        return f"{self.problem.slug} v{self.number}"

    @property
    def spec(self) -> ProblemSpec:
        """problem.yaml, validated."""
        return ProblemSpec.model_validate(self.spec_json)

    @property
    def statement(self) -> str:
        """The statement as Markdown."""
        return self.files["statement.md"]

    @property
    def starter(self) -> str:
        """The code that the editor begins with."""
        return self.files[self.spec.starter_name]

    @property
    def editorial(self) -> str:
        """The editorial as Markdown."""
        return self.files.get("editorial.md", "")
