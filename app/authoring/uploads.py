"""Packages that arrive as a zip: hostile until shown otherwise, and never unpacked on disk.

Every bound is on what is read, not on what the archive says of itself.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from problems.complaints import Complaint, PackageInvalid
from problems.folder import MAX_FILE_KIB, MAX_FILES, MAX_PACKAGE_KIB, about_path
from problems.single_file import SPEC, SUFFIX

MAX_UPLOAD_KIB = MAX_PACKAGE_KIB
MAX_ENTRIES = 4 * MAX_FILES  # folders and what tools leave beside the files are entries too

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_OF_TOOLS = ("__MACOSX", "__pycache__")


@dataclass(frozen=True, slots=True)
class Upload:
    """A package out of an archive; `slug` is its folder's name, empty where there is no folder."""

    slug: str
    texts: dict[str, str]


def read_zip(data: bytes) -> Upload:
    """The one package in a zip: as a folder, as its content, or as one YAML file.

    Parameters
    ----------
    data : bytes
        The archive, at most `MAX_UPLOAD_KIB`.

    Raises
    ------
    PackageInvalid
        With everything that is wrong: no zip, a link, a path out of the package, a name twice,
        encryption, too many files, too large, or no text.
    """
    if len(data) > MAX_UPLOAD_KIB * 1024:
        _refuse(f"an archive may have {MAX_UPLOAD_KIB} KiB, this one has more; remove files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise PackageInvalid(
            [_about(f"an upload must be a zip that is whole, this is not: {error}; zip it anew")]
        ) from None


def read_one_file(name: str, data: bytes) -> Upload:
    """A problem of one file, uploaded as it is. Raises PackageInvalid as `read_zip` does."""
    if len(data) > MAX_FILE_KIB * 1024:
        _refuse(f"a file may have {MAX_FILE_KIB} KiB, this one has more; shorten it")
    return Upload(name.removesuffix(SUFFIX), {SPEC: _text(data, name)})


def _read(archive: zipfile.ZipFile) -> Upload:
    entries = [entry for entry in archive.infolist() if not _is_of_a_tool(entry.filename)]
    if len(archive.infolist()) > MAX_ENTRIES:
        _refuse(f"an archive may hold {MAX_ENTRIES} entries, this one holds more; remove some")
    files = [entry for entry in entries if not entry.filename.endswith("/")]
    complaints = [
        Complaint(_shown(entry.filename), None, None, message)
        for entry in entries
        for message in _about_entry(entry)
    ]
    if complaints:
        raise PackageInvalid(complaints)
    if len(files) > MAX_FILES:
        _refuse(f"a package may hold {MAX_FILES} files, this one has {len(files)}; remove some")
    root = _root_of([entry.filename for entry in files])
    single = len(files) == 1 and files[0].filename.endswith(SUFFIX) and not root
    texts: dict[str, str] = {}
    size_bytes = 0
    for entry in files:
        path = entry.filename.removeprefix(root)
        complaints += [
            Complaint(_shown(entry.filename), None, None, message) for message in about_path(path)
        ]
        if path in texts:
            complaints.append(
                Complaint(
                    _shown(entry.filename),
                    None,
                    None,
                    "a file may stand once in an archive, this one stands twice; remove one",
                )
            )
        with archive.open(entry) as stream:
            content = stream.read(MAX_FILE_KIB * 1024 + 1)
        size_bytes += len(content)
        if len(content) > MAX_FILE_KIB * 1024:
            _refuse(
                f"a file may hold {MAX_FILE_KIB} KiB, this one is larger; shorten it",
                _shown(entry.filename),
            )
        if size_bytes > MAX_PACKAGE_KIB * 1024:
            _refuse(
                f"a package may hold {MAX_PACKAGE_KIB} KiB in all, this one is larger; shorten it"
            )
        try:
            texts[path] = _text(content, _shown(entry.filename))
        except PackageInvalid as invalid:
            complaints += invalid.complaints
    if complaints:
        raise PackageInvalid(complaints)
    if single:
        ((name, text),) = texts.items()
        slug = "" if name == SPEC else name.rsplit("/", 1)[-1].removesuffix(SUFFIX)
        return Upload(slug, {SPEC: text})
    return Upload(root.rstrip("/").rsplit("/", 1)[-1], texts)


def _about_entry(entry: zipfile.ZipInfo) -> Iterator[str]:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield "a package must hold its files itself, this is a link or a device; put the file there"
    if entry.flag_bits & 0x1:
        yield "an archive must not be encrypted, this entry is; zip it without a password"
    elif entry.compress_type not in _METHODS:
        yield "an archive must be stored or deflated, this entry is neither; zip it anew"
    name = entry.filename
    if name.startswith("/") or "\\" in name or ".." in name.split("/") or ":" in name:
        yield "a path must lead into the package, this one leads out of it; rename it"


def _root_of(names: list[str]) -> str:
    """The folders round the package, with a slash at the end: where problem.yaml lies."""
    specs = [name for name in names if name.rsplit("/", 1)[-1] == SPEC]
    if not specs:
        if len(names) == 1:  # a problem of one file may have any name
            return ""
        _refuse(f"an archive must hold one package, no {SPEC} is in it; zip the package's folder")
    root = min(specs, key=lambda name: name.count("/")).removesuffix(SPEC)
    outside = [name for name in names if not name.startswith(root)]
    if outside:
        _refuse(
            f"an archive must hold one package, {_shown(outside[0])} lies outside of "
            f"{_shown(root)}; zip the package's folder alone"
        )
    return root


def _is_of_a_tool(name: str) -> bool:
    parts = name.rstrip("/").split("/")
    return any(part in _OF_TOOLS or (part.startswith(".") and part != "..") for part in parts)


def _text(data: bytes, where: str) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = (
            f"files must be UTF-8 text, got the byte 0x{data[error.start]:02x} here; save it as "
            "UTF-8, and pictures as SVG"
        )
        raise PackageInvalid([Complaint(where, line, None, message)]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise PackageInvalid(
            [Complaint(where, line, None, "files must be text, got a NUL here; remove it")]
        )
    return text


def _shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()[:200]


def _about(message: str, where: str = "upload") -> Complaint:
    return Complaint(where, None, None, message)


def _refuse(message: str, where: str = "upload") -> NoReturn:
    raise PackageInvalid([_about(message, where)])
