"""Problem packages: a folder with problem.yaml and the files beside it, read and checked whole.

``find_packages`` finds the folders, ``read_package`` reads one, ``read_packages`` reads all and
compares them. A package is either valid as a whole or told everything that is wrong with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from problems import strict_yaml
from problems.checks import AboutSpec, about_entry_points, about_missing_files, about_the_name
from problems.complaints import Complaint, PackageInvalid
from problems.folder import read_folder
from problems.schema import ProblemSpec
from problems.spec_errors import complaints_about
from problems.strict import Location
from problems.translations import about_texts, about_what_is_said

SHIPPED = Path(__file__).resolve().parent  # the packages that come with the project


# What a grader says is wrong with its section beyond the shape: (place in problem.yaml, message).
SettingsCheck = Callable[[ProblemSpec], Iterable[tuple[Location, str]]]


def _takes_any(spec: ProblemSpec) -> Iterable[tuple[Location, str]]:
    return ()


@dataclass(frozen=True, slots=True)
class Package:
    """A valid package.

    Attributes
    ----------
    files : mapping of path to text
        Every file of the folder, problem.yaml too; paths are relative and have slashes.
    digest : str
        SHA-256, in hex, over the files' paths and contents.
    warnings : tuple of Complaint
        What a package that ships with the project must not have, and others may.
    """

    slug: str
    spec: ProblemSpec
    files: Mapping[str, str]
    digest: str
    folder: Path
    warnings: tuple[Complaint, ...] = ()

    @property
    def label(self) -> str:
        """The folder's name with its round, as complaints call it."""
        return _label(self.folder)


def find_packages(root: Path) -> list[Path]:
    """The folders under `root` that are, or should be, packages: ``round-<n>/<slug>``.

    A folder with a problem.yaml in another place is found too, so that it gets a complaint and is
    not passed over in silence.

    Raises
    ------
    NotADirectoryError
        If `root` is no folder.
    """
    if not root.is_dir():
        raise NotADirectoryError(f"packages are read from a folder, {root} is none; name another")
    in_rounds = {
        path
        for path in root.glob("round-*/*")
        if path.is_dir() and not path.name.startswith((".", "__"))
    }
    elsewhere = {path.parent for path in root.glob("*/problem.yaml")}
    return sorted(in_rounds | elsewhere | {path.parent for path in root.glob("*/*/problem.yaml")})


def read_packages(
    folders: Iterable[Path], about_grader: SettingsCheck = _takes_any
) -> tuple[list[Package], list[Complaint]]:
    """The valid packages among `folders`, and what is wrong with the others.

    A slug or an id that two packages share makes both invalid: which one is meant, only their
    author knows.
    """
    packages: list[Package] = []
    complaints: list[Complaint] = []
    for folder in folders:
        try:
            packages.append(read_package(folder, about_grader=about_grader))
        except PackageInvalid as invalid:
            complaints += invalid.complaints
    shared = list(_shared(packages))
    refused = {package.folder for package, _ in shared}
    complaints += [complaint for _, complaint in shared]
    return [package for package in packages if package.folder not in refused], complaints


def read_package(
    folder: Path, *, shipped: bool | None = None, about_grader: SettingsCheck = _takes_any
) -> Package:
    """Read and check one package.

    Parameters
    ----------
    folder : Path
        ``.../round-<n>/<slug>``.
    shipped : bool, optional
        Whether too few submissions are an error, as they are for packages that ship with the
        project, or a warning. By default as the folder lies.
    about_grader : callable, optional
        Checks the grader's section further; left out, its shape is enough.

    Raises
    ------
    PackageInvalid
        With everything that is wrong.
    """
    folder = folder.absolute()
    label = _label(folder)
    if folder.is_symlink() or not folder.is_dir():
        raise PackageInvalid(
            [Complaint(label, None, None, "a package must be a folder, this is none; make one")]
        )
    content = read_folder(folder, label)
    complaints = content.complaints
    complaints += about_the_name(folder, label)
    if "problem.yaml" not in content.files:
        complaints += about_missing_files(content.found, None, label)
        raise PackageInvalid(complaints)
    where = f"{label}/problem.yaml"
    document = strict_yaml.read(content.files["problem.yaml"])
    written = document.value if isinstance(document.value, dict) else {}
    complaints += about_missing_files(content.found, written.get("language"), label)
    complaints += [
        Complaint(where, fault.position.line, fault.position.column, fault.message)
        for fault in document.faults
    ]
    about = AboutSpec(document, where, content.found)
    complaints += about.written_paths()
    complaints += about_texts(content.files, label)
    spec = None
    if isinstance(document.value, dict):
        try:
            spec = ProblemSpec.model_validate(document.value)
        except ValidationError as error:
            complaints += complaints_about(error, document, where)
    elif not document.faults:
        complaints.append(
            Complaint(
                where,
                1,
                1,
                "problem.yaml must be a mapping of keys to values, got none; "
                "see problems/README.md for the keys",
            )
        )
    warnings: list[Complaint] = []
    if spec is not None:
        complaints += about.round_of(folder, spec)
        for place, message in about_grader(spec):
            position = document.position(place)
            complaints.append(Complaint(where, position.line, position.column, message))
        complaints += about_entry_points(spec, content.files, label)
        if shipped if shipped is not None else folder.resolve().is_relative_to(SHIPPED):
            complaints += about.number_of_submissions(spec)
            complaints += about_what_is_said(spec, content.files, label)
        else:
            warnings += about.number_of_submissions(spec)
            warnings += about_what_is_said(spec, content.files, label)
    if complaints or spec is None:
        raise PackageInvalid(complaints)
    return Package(
        slug=folder.name,
        spec=spec,
        files=content.files,
        digest=digest(content.files),
        folder=folder,
        warnings=tuple(warnings),
    )


def digest(files: Mapping[str, str]) -> str:
    """SHA-256, in hex, over the files in order of their paths; lengths keep them apart."""
    sha256 = hashlib.sha256()
    for path, text in sorted(files.items()):
        for part in (path.encode(), text.encode()):
            sha256.update(len(part).to_bytes(8, "little") + part)
    return sha256.hexdigest()


def _label(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def _shared(packages: list[Package]) -> Iterator[tuple[Package, Complaint]]:
    for name, value_of in (
        ("slug", lambda package: package.slug),
        ("id", lambda package: str(package.spec.id)),
    ):
        owners: dict[str, list[Package]] = {}
        for package in packages:
            owners.setdefault(value_of(package), []).append(package)
        for value, sharers in owners.items():
            for package in sharers if len(sharers) > 1 else []:
                others = ", ".join(other.label for other in sharers if other is not package)
                what = f"the {name} {value} is that of {others} too"
                if name == "slug":
                    yield (
                        package,
                        Complaint(
                            package.label,
                            None,
                            None,
                            f"a slug must be unique, {what}; rename a folder",
                        ),
                    )
                    continue
                document = strict_yaml.read(package.files["problem.yaml"])
                place = document.position(("id",))
                yield (
                    package,
                    Complaint(
                        f"{package.label}/problem.yaml",
                        place.line,
                        place.column,
                        f"an id must be unique, {what}; give the newer package an id of its own",
                    ),
                )
