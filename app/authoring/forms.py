"""What an admin sends: a new problem, an upload, a file's name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from app.authoring.models import WorkingCopy
from app.authoring.uploads import MAX_UPLOAD_KIB
from app.practice.models import Problem
from app.practice.rounds import ROUNDS
from problems.folder import about_path
from problems.skeletons import EXAMPLE_OF

_SLUG = RegexValidator(
    r"^[a-z0-9]+(-[a-z0-9]+)*\Z",
    _("A slug has small letters and digits with single hyphens between, such as ring-all-reduce."),
)
KINDS = {
    "answers": _("answers: a worksheet of numbers, choices and tables"),
    "concurrency": _("concurrency: a C++ structure that threads share"),
    "function": _("function: a Python function, case by case"),
    "kernel": _("kernel: a Triton or CUDA kernel"),
    "simulation": _("simulation: a protocol that a simulator drives"),
    "design": _("design: a cluster, judged by constraints and a cost model"),
}


def unused(slug: str) -> str:
    """The slug, if no problem and no working copy has it. Raises ValidationError."""
    if WorkingCopy.objects.filter(slug=slug).exists() or Problem.objects.filter(slug=slug).exists():
        raise ValidationError(
            _("A slug must be unique, and there is a problem named “%(slug)s”. Choose another."),
            params={"slug": slug},
        )
    return slug


class NewProblemForm(forms.Form):
    """A new problem, which begins as a small one of the same kind."""

    title = forms.CharField(label=_("Title"), max_length=120)
    slug = forms.CharField(
        label=_("Slug"),
        max_length=60,
        validators=[_SLUG],
        help_text=_("Its name in addresses, for ever: ring-all-reduce"),
    )
    round = forms.TypedChoiceField(label=_("Round"), coerce=int)
    kind = forms.ChoiceField(label=_("How it is judged"))
    one_file = forms.BooleanField(
        label=_("Keep everything in one YAML file"), required=False, initial=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rounds, kinds = self.fields["round"], self.fields["kind"]
        assert isinstance(rounds, forms.ChoiceField)  # noqa: S101  for the type checker
        assert isinstance(kinds, forms.ChoiceField)  # noqa: S101
        rounds.choices = [(text.number, f"{text.number} · {text.name}") for text in ROUNDS]
        kinds.choices = [(kind, str(KINDS.get(kind, kind))) for kind in EXAMPLE_OF]
        kinds.initial = "function"

    def clean_slug(self) -> str:
        return unused(self.cleaned_data["slug"])


class UploadForm(forms.Form):
    """A package as a zip, or a problem of one file."""

    package = forms.FileField(label=_("Package (.zip or .yaml)"))
    slug = forms.CharField(
        label=_("Slug"),
        max_length=60,
        required=False,
        validators=[_SLUG],
        help_text=_("Only if the archive has no folder, or another name is wanted"),
    )

    def clean_package(self) -> UploadedFile[bytes]:
        package: UploadedFile[bytes] = self.cleaned_data["package"]
        if (package.size or 0) > MAX_UPLOAD_KIB * 1024:
            raise ValidationError(
                _("An upload may have %(limit)s KiB, this one has more. Remove files."),
                params={"limit": MAX_UPLOAD_KIB},
            )
        return package


def check_path(path: str) -> str:
    """A path inside a package. Raises ValidationError with the format's own words."""
    for message in about_path(path):
        raise ValidationError(message)
    return path
