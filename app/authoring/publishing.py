"""From a working copy to a version that people are judged by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from django.db import transaction
from django.utils.translation import gettext as _

from app.accounts.models import User
from app.authoring.models import Action, TrailEntry, Verification, WorkingCopy
from app.practice.judging import about_grader
from app.practice.loading import bring_in, slug_belongs_to_another
from app.practice.models import Problem, ProblemVersion
from problems.complaints import Complaint, PackageInvalid
from problems.package import Package, read_files
from problems.single_file import SPEC, SUFFIX


class NotPublishable(Exception):
    """The package cannot be published as it is; the message says the rule and what to do."""


def read_texts(slug: str, texts: Mapping[str, str]) -> Package:
    """The package that these files are, held against the other problems of the site too.

    Raises
    ------
    PackageInvalid
        With everything that is wrong.
    """
    package = read_files(slug, texts, about_grader=about_grader)
    taken = [*_about_the_site(package)]
    if taken:
        raise PackageInvalid(taken)
    return package


def _about_the_site(package: Package) -> Iterator[Complaint]:
    refusal = slug_belongs_to_another(package)
    if refusal is not None:
        yield refusal
    other = Problem.objects.filter(uuid=package.spec.id).exclude(slug=package.slug).first()
    if other is not None:
        yield replace(
            package.at(SPEC, ("id",)),
            message=f"an id must be unique, {package.spec.id} is that of {other.slug} too; give "
            "the newer problem an id of its own",
        )


def file_of(complaint: Complaint) -> str:
    """Which of the package's files a complaint is about; "" for the package as a whole."""
    parts = PurePosixPath(complaint.path).parts
    if len(parts) == 2:
        return SPEC if parts[1].endswith(SUFFIX) else ""
    return "/".join(parts[2:])


def why_not(copy: WorkingCopy, package: Package) -> str:
    """Why this content cannot be published; empty if it can."""
    problem = copy.problem
    current = problem.current_version if problem else None
    if problem and current and current.digest == package.digest:
        return "" if not problem.published else _("This is what is published already.")
    if problem:
        highest = problem.versions.exclude(digest=package.digest).order_by("-number").first()
        if highest is not None and package.spec.version <= highest.number:
            return _(
                "A version's number must grow, and %(number)s has been published. Write "
                "“version: %(next)s” in problem.yaml."
            ) % {"number": highest.number, "next": highest.number + 1}
    if not Verification.has_passed(package.slug, package.digest):
        return _(
            "Only what has been verified can be published, and this text has not been. Verify it."
        )
    return ""


def publish(person: User, copy: WorkingCopy) -> ProblemVersion:
    """Make the working copy's content the problem's current version.

    Raises
    ------
    NotPublishable
        If it is invalid, not verified as it stands, or its version's number does not grow.
    """
    with transaction.atomic():
        # The lock keeps a save of another tab from coming between the check and the version.
        copy = WorkingCopy.objects.select_for_update().get(pk=copy.pk)
        try:
            package = read_texts(copy.slug, copy.texts)
        except PackageInvalid as invalid:
            raise NotPublishable(
                _("A package must be without faults, this one has some: %(first)s")
                % {"first": invalid.complaints[0]}
            ) from None
        refusal = why_not(copy, package)
        if refusal:
            raise NotPublishable(refusal)
        bring_in(package, managed_here=True)
        version = ProblemVersion.objects.get(problem__slug=copy.slug, digest=package.digest)
        TrailEntry.add(
            person, copy.slug, Action.PUBLISHED, f"v{version.number}", digest=version.digest
        )
    return version


def unpublish(person: User, problem: Problem) -> None:
    """Take a problem out of the lists; submissions to it stay readable."""
    with transaction.atomic():
        Problem.objects.filter(pk=problem.pk).update(published=False, managed_here=True)
        TrailEntry.add(person, problem.slug, Action.UNPUBLISHED)
