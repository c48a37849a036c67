"""Problem packages: a folder with problem.yaml and the files beside it, read and checked whole.

``find_packages`` finds them, ``read_package`` reads one, ``read_packages`` reads all and compares
them; ``read_files`` reads one that lies on no disk. A package is either valid as a whole or told
everything that is wrong with it. A problem of one file is a package too (`problems.single_file`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from problems import single_file, strict_yaml
from problems.checks import AboutSpec, about_entry_points, about_missing_files, about_the_name
from problems.complaints import Complaint, PackageInvalid
from problems.content_checks import (
    about_checker,
    about_figures,
    about_modules,
    about_placeholders,
)
from problems.folder import Folder, about_path, read_folder, read_single_file
from problems.schema import ProblemSpec, Round, SingleFileSpec
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
        Every file of the folder, problem.yaml too; paths are relative and have slashes. The
        problem.yaml of a problem of one file is that file, the others are what it holds.
    folder : Path
        Where the package was read, the file itself for a problem of one file; where it would lie,
        for one that lies on no disk.
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
        """The folder's or file's name with its round, as complaints call it."""
        return _label(self.folder)

    @property
    def is_single_file(self) -> bool:
        """Whether it is a problem of one file."""
        return self.folder.suffix == single_file.SUFFIX

    def at(self, path: str, location: Location = (), line: int | None = None) -> Complaint:
        """A complaint without a message yet, at a place in one of the package's files.

        Parameters
        ----------
        path : str
            One of `files`.
        location : tuple, optional
            With problem.yaml: the key that is meant.
        line : int, optional
            With another file: the line, from 1.
        """
        label = self.label.removesuffix(single_file.SUFFIX) if self.is_single_file else self.label
        text = self.files[single_file.SPEC]
        document = strict_yaml.read(text)
        column = None
        if path == single_file.SPEC:
            position = document.position(location, of_key=location[:1] == ("expected",))
            line, column = position.line, position.column
        complaint = Complaint(f"{label}/{path}", line, column, "")
        if not self.is_single_file:
            return complaint
        return single_file.SingleFile(text, document, self.label, label).place(complaint)


def find_packages(root: Path) -> list[Path]:
    """What under `root` is, or should be, a package: ``round-<n>/<slug>`` or ``...<slug>.yaml``.

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
        if (path.is_dir() or path.suffix == single_file.SUFFIX)
        and not path.name.startswith((".", "__"))
    }
    elsewhere = {path.parent for path in root.glob("*/problem.yaml")}
    return sorted(in_rounds | elsewhere | {path.parent for path in root.glob("*/*/problem.yaml")})


def slug_of(path: Path) -> str:
    """The slug of the package at `path`, which is a folder or one file."""
    return path.name.removesuffix(single_file.SUFFIX)


def read_packages(
    paths: Iterable[Path], about_grader: SettingsCheck = _takes_any
) -> tuple[list[Package], list[Complaint]]:
    """The valid packages among `paths`, and what is wrong with the others.

    A slug or an id that two packages share makes both invalid: which one is meant, only their
    author knows.
    """
    packages: list[Package] = []
    complaints: list[Complaint] = []
    for path in paths:
        try:
            packages.append(read_package(path, about_grader=about_grader))
        except PackageInvalid as invalid:
            complaints += invalid.complaints
    shared = list(_shared(packages))
    refused = {package.folder for package, _ in shared}
    complaints += [complaint for _, complaint in shared]
    return [package for package in packages if package.folder not in refused], complaints


def read_package(
    path: Path, *, shipped: bool | None = None, about_grader: SettingsCheck = _takes_any
) -> Package:
    """Read and check one package.

    Parameters
    ----------
    path : Path
        ``.../round-<n>/<slug>``, a folder, or ``.../round-<n>/<slug>.yaml``.
    shipped : bool, optional
        Whether too few submissions are an error, as they are for packages that ship with the
        project, or a warning. By default as the package lies.
    about_grader : callable, optional
        Checks the grader's section further; left out, its shape is enough.

    Raises
    ------
    PackageInvalid
        With everything that is wrong.
    """
    path = path.absolute()
    where = _label(path)
    is_file = path.suffix == single_file.SUFFIX and path.is_file()
    if path.is_symlink() or not (is_file or path.is_dir()):
        raise PackageInvalid(
            [
                Complaint(
                    where,
                    None,
                    None,
                    "a package must be a folder or a .yaml file, this is neither; make one",
                )
            ]
        )
    content = read_single_file(path, where) if is_file else read_folder(path, where)
    if is_file and content.complaints:
        raise PackageInvalid(content.complaints)
    return _check(
        path,
        content,
        single=is_file,
        shipped=path.resolve().is_relative_to(SHIPPED) if shipped is None else shipped,
        about_grader=about_grader,
    )


def read_files(
    slug: str, files: Mapping[str, str], *, about_grader: SettingsCheck = _takes_any
) -> Package:
    """Read and check a package that lies on no disk: one from an upload, an editor, the database.

    Parameters
    ----------
    slug : str
        The folder's name that it would have. Its round is what its problem.yaml says.
    files : mapping of path to text
        Bounded by who brought them. A problem of one file is its problem.yaml alone; texts that
        stand beside a problem.yaml with ``files`` are what was read out of it before.

    Raises
    ------
    PackageInvalid
        With everything that is wrong.
    """
    single = single_file.is_single_file(files)
    if single:
        files = {single_file.SPEC: files[single_file.SPEC]}
    value = strict_yaml.read(files.get(single_file.SPEC, "")).value
    written = value.get("round") if isinstance(value, dict) else None
    number = written if type(written) is int and written in set(Round) else Round(1).value
    if "/" in slug:  # which would name another folder than it says
        raise PackageInvalid(about_the_name(f"round-{number}", slug, slug))
    path = Path(f"round-{number}") / (f"{slug}{single_file.SUFFIX}" if single else slug)
    content = Folder(files=dict(files), found=set(files))
    label = _label(path)
    for name in files:
        content.complaints += [
            Complaint(f"{label}/{name}", None, None, message) for message in about_path(name)
        ]
    return _check(path, content, single=single, shipped=False, about_grader=about_grader)


def _check(
    path: Path, content: Folder, *, single: bool, shipped: bool, about_grader: SettingsCheck
) -> Package:
    """The package that a folder's, or one file's, content is. Raises PackageInvalid."""
    label = _label(path).removesuffix(single_file.SUFFIX) if single else _label(path)
    complaints = content.complaints
    complaints += about_the_name(path.parent.name, slug_of(path), label)
    if single_file.SPEC not in content.files:
        complaints += about_missing_files(content.found, None, label)
        raise PackageInvalid(complaints)
    where = f"{label}/{single_file.SPEC}"
    document = strict_yaml.read(content.files[single_file.SPEC])
    one = single_file.SingleFile(content.files[single_file.SPEC], document, _label(path), label)
    files, found = content.files, content.found
    if single:
        files = one.files()
        found = set(files)
    written = document.value if isinstance(document.value, dict) else {}
    complaints += about_missing_files(found, written.get("language"), label)
    complaints += [
        Complaint(where, fault.position.line, fault.position.column, fault.message)
        for fault in document.faults
    ]
    about = AboutSpec(document, where, found)
    complaints += about.written_paths()
    complaints += about_texts(files, label)
    complaints += about_modules(files, label)
    complaints += about_figures(files, label)
    spec = None
    if isinstance(document.value, dict):
        model = SingleFileSpec if single else ProblemSpec
        try:
            whole = model.model_validate(document.value)
            spec = whole.problem if isinstance(whole, SingleFileSpec) else whole
        except ValidationError as error:
            complaints += complaints_about(error, document, where, model)
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
        complaints += about.round_of(path.parent.name, spec)
        for place, message in about_grader(spec):
            position = document.position(place)
            complaints.append(Complaint(where, position.line, position.column, message))
        complaints += about.language(spec)
        complaints += about_entry_points(spec, files, label)
        complaints += about_checker(spec, files, label)
        complaints += about_placeholders(spec, files, label)
        further = complaints if shipped else warnings
        further += about.number_of_submissions(spec)
        further += about_what_is_said(spec, files, label)
    if single:
        complaints = [*one.placed(complaints), *one.complaints()]
        warnings = list(one.placed(warnings))
    if complaints or spec is None:
        raise PackageInvalid(complaints)
    return Package(
        slug=slug_of(path),
        spec=spec,
        files=files,
        digest=digest(files),
        folder=path,
        warnings=tuple(warnings),
    )


def digest_of(folder: Path) -> str | None:
    """The digest of a folder's files, whatever they say; None if one cannot be read."""
    content = read_folder(folder, _label(folder))
    return None if content.complaints else digest(content.files)


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
                message = f"an id must be unique, {what}; give the newer package an id of its own"
                yield package, replace(package.at(single_file.SPEC, ("id",)), message=message)
