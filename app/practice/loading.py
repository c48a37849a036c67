"""Brings problem packages from a folder into the database; running it twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import cast

from django.db import transaction

from app.practice.judging import about_grader
from app.practice.models import Problem, ProblemVersion
from graders.verdict import JsonObject
from problems.complaints import Complaint
from problems.package import SHIPPED, Package, digest_of, find_packages, read_packages, slug_of

MANAGED_HERE = (
    "an admin of this site has taken it over in the browser, so this package was left aside; "
    "upload it there if it is to replace theirs"
)


class Change(StrEnum):
    """What loading did with one problem."""

    ADDED = "added"
    UPDATED = "updated"
    PUBLISHED = "published again"
    UNPUBLISHED = "unpublished"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Loaded:
    """One problem after loading; `notice` is what its author may want to know."""

    slug: str
    change: Change
    version: int
    notice: str = ""


@dataclass(slots=True)
class LoadReport:
    """What became of all packages."""

    problems: list[Loaded] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    warnings: list[Complaint] = field(default_factory=list)


def load_problems(roots: Sequence[Path] = (SHIPPED,)) -> LoadReport:
    """Make the database's problems those of the packages under `roots`.

    Each package is loaded in a transaction of its own, so a broken one harms no other. A problem
    whose package is gone is unpublished, not deleted: people's submissions hang on it. One whose
    package is broken stays as it was.

    Raises
    ------
    NotADirectoryError
        If a root is no folder.
    """
    folders = [folder for root in roots for folder in find_packages(root)]
    if tuple(roots) == (SHIPPED,) and (same := _as_they_are(folders)):
        return LoadReport(same)
    packages, complaints = read_packages(folders, about_grader)
    report = LoadReport(complaints=complaints)
    # Slugs that are taken come last: the problem that has one may be about to be renamed.
    for package in sorted(packages, key=lambda one: slug_belongs_to_another(one) is not None):
        report.warnings += package.warnings
        refusal = slug_belongs_to_another(package)
        if refusal is None:
            report.problems.append(bring_in(package))
        else:
            report.complaints.append(refusal)
    report.problems += _unpublish_all_but(packages, {slug_of(folder) for folder in folders})
    return report


@transaction.atomic
def bring_in(package: Package, *, managed_here: bool = False) -> Loaded:
    """Make one package the current version of its problem, and publish it.

    Parameters
    ----------
    managed_here : bool
        An admin of this site does it in the browser. From then on the problem is theirs, and a
        package on disk no longer replaces it, publishes it or takes it away.

    Raises
    ------
    IntegrityError
        If the slug belongs to another problem; see `slug_belongs_to_another`.
    """
    spec = package.spec
    problem = (
        Problem.objects.select_for_update(of=("self",))
        .select_related("current_version")
        .filter(uuid=spec.id)
        .first()
    )
    before = problem.current_version if problem else None
    if problem and problem.managed_here and not managed_here:
        number = before.number if before else 0
        notice = "" if before and before.digest == package.digest else MANAGED_HERE
        return Loaded(problem.slug, Change.UNCHANGED, number, notice)
    if problem and before and before.digest == package.digest and problem.slug == package.slug:
        if problem.published:
            return Loaded(package.slug, Change.UNCHANGED, spec.version)
        problem.published = True
        problem.managed_here = managed_here
        problem.save(update_fields=["published", "managed_here"])
        return Loaded(package.slug, Change.PUBLISHED, spec.version)
    problem, created = Problem.objects.update_or_create(
        uuid=spec.id,
        defaults={
            "slug": package.slug,
            "round": spec.round.value,
            "title": spec.title,
            "summary": spec.summary,
            "difficulty": spec.difficulty.value,
            "minutes": spec.minutes,
            "tags": list(spec.tags),
            "published": True,
            "managed_here": managed_here,
        },
    )
    problem.current_version, _ = ProblemVersion.objects.get_or_create(
        problem=problem,
        digest=package.digest,
        defaults={
            "number": spec.version,
            "spec_json": cast(JsonObject, spec.model_dump(mode="json")),
            "files": dict(package.files),
        },
    )
    problem.save(update_fields=["current_version"])
    change = Change.ADDED if created else Change.UPDATED
    return Loaded(package.slug, change, spec.version, _notice(before, package))


def _notice(before: ProblemVersion | None, package: Package) -> str:
    if before is None or before.digest == package.digest:
        return ""
    if before.number == package.spec.version:
        return (
            f"its files changed and its version is still {before.number}; raise version in "
            "problem.yaml before you publish it"
        )
    return f"version {before.number} before"


def slug_belongs_to_another(package: Package) -> Complaint | None:
    """What is wrong if another problem has the package's slug already."""
    other = Problem.objects.filter(slug=package.slug).exclude(uuid=package.spec.id).first()
    if other is None:
        return None
    return replace(
        package.at("problem.yaml", ("id",)),
        message=f"a problem keeps its id for ever, {package.slug} has been loaded as {other.uuid} "
        f"and now says {package.spec.id}; restore the id, or give the new problem another slug",
    )


def _as_they_are(folders: Sequence[Path]) -> list[Loaded]:
    """The published problems if they are those of `folders`, byte for byte; else none.

    Reading a package takes much longer than its bytes, and a site whose problems are as they were
    should start at once. Warnings are no loss, since shipped packages have none.
    """
    published = {
        problem.slug: problem.current_version
        for problem in Problem.objects.filter(published=True).select_related("current_version")
    }
    same: list[Loaded] = []
    for folder in folders:
        version = published.pop(slug_of(folder), None)
        if version is None or version.digest != digest_of(folder):
            return []
        same.append(Loaded(slug_of(folder), Change.UNCHANGED, version.number))
    return [] if published else same


def _unpublish_all_but(packages: Iterable[Package], folder_names: set[str]) -> list[Loaded]:
    vanished = (
        Problem.objects.filter(published=True, managed_here=False)
        .exclude(uuid__in=[package.spec.id for package in packages])
        .exclude(slug__in=folder_names)
        .select_related("current_version")
    )
    unpublished = []
    for problem in vanished:
        Problem.objects.filter(pk=problem.pk).update(published=False)
        number = problem.current_version.number if problem.current_version else 0
        unpublished.append(Loaded(problem.slug, Change.UNPUBLISHED, number, "its package is gone"))
    return unpublished
