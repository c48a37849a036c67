"""Reads a package's files as text: bounded, without links, nothing from outside the folder."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from problems.complaints import Complaint

MAX_FILES = 200
MAX_FILE_KIB = 256
MAX_PACKAGE_KIB = 2048
MAX_DEPTH = 4
MAX_PATH_CHARACTERS = 120

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NAMES_RULE = (
    "names must be letters, digits, dots, hyphens and underscores, "
    f"{MAX_PATH_CHARACTERS} at most with the folders; rename it"
)


@dataclass(slots=True)
class Folder:
    """What lies in a package's folder.

    `files` maps a path inside the folder, with slashes, to the text; `found` holds every regular
    file's path, those whose text could not be taken too.
    """

    files: dict[str, str] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    complaints: list[Complaint] = field(default_factory=list)


def read_folder(root: Path, label: str) -> Folder:
    """Every file under `root`, and what is wrong with it.

    Hidden files and ``__pycache__`` belong to tools, not to the package, and are passed over.

    Parameters
    ----------
    root : Path
        The package's folder.
    label : str
        What to call the folder in complaints.
    """
    folder = Folder()
    size_bytes = 0
    for path, entry in _walk(root):
        where = f"{label}/{path}"
        if entry.is_symlink():
            _complain(
                folder,
                where,
                "a package must hold its files itself, this is a link; copy what it points to",
            )
            continue
        if not _is_name(entry.name) or len(path) > MAX_PATH_CHARACTERS:
            shown = where.encode("utf-8", "backslashreplace").decode()
            _complain(folder, shown, _NAMES_RULE)
            continue
        if entry.is_dir():
            if path.count("/") >= MAX_DEPTH - 1:
                _complain(
                    folder,
                    where,
                    f"folders may be nested {MAX_DEPTH - 1} deep, this is one more; move it up",
                )
            continue
        if not entry.is_file():
            _complain(
                folder, where, "a package holds files and folders, this is neither; remove it"
            )
            continue
        folder.found.add(path)
        if len(folder.found) > MAX_FILES:
            _complain(
                folder,
                label,
                f"a package may hold {MAX_FILES} files, this one has more; remove some",
            )
            break
        data = _read_file(Path(entry.path))
        size_bytes += len(data)
        if len(data) > MAX_FILE_KIB * 1024:
            _complain(
                folder, where, f"a file may hold {MAX_FILE_KIB} KiB, this one is larger; shorten it"
            )
            continue
        if size_bytes > MAX_PACKAGE_KIB * 1024:
            _complain(
                folder,
                label,
                f"a package may hold {MAX_PACKAGE_KIB} KiB in all, this one "
                "is larger; shorten its files",
            )
            break
        text = _decode(data, where, folder)
        if text is not None:
            folder.files[path] = text
    return folder


def about_path(path: str) -> Iterator[str]:
    """What is wrong with a path inside a package that lies on no disk: in a YAML file, in a zip."""
    parts = path.split("/")
    if not all(_is_name(part) for part in parts) or len(path) > MAX_PATH_CHARACTERS:
        yield _NAMES_RULE
    elif len(parts) > MAX_DEPTH:
        yield f"folders may be nested {MAX_DEPTH - 1} deep, this one is deeper; move the file up"


def read_single_file(path: Path, label: str) -> Folder:
    """The text of a problem of one file, as the problem.yaml of a folder without other files."""
    folder = Folder(found={"problem.yaml"})
    data = _read_file(path)
    if len(data) > MAX_FILE_KIB * 1024:
        _complain(
            folder, label, f"a file may hold {MAX_FILE_KIB} KiB, this one is larger; shorten it"
        )
        return folder
    text = _decode(data, label, folder)
    if text is not None:
        folder.files["problem.yaml"] = text
    return folder


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _walk(root: Path, inside: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Entries in order of their names, folders before what they hold; links are not followed."""
    with os.scandir(root / inside) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        path = f"{inside}{entry.name}"
        yield path, entry
        if entry.is_dir(follow_symlinks=False) and path.count("/") < MAX_DEPTH - 1:
            yield from _walk(root, f"{path}/")


def _read_file(path: Path) -> bytes:
    """The file's bytes, one more than allowed at most.

    The file may have been exchanged since it was listed, so the opened one is looked at again.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return file.read(MAX_FILE_KIB * 1024 + 1)


def _decode(data: bytes, where: str, folder: Folder) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        folder.complaints.append(
            Complaint(
                where,
                line,
                column,
                f"files must be UTF-8 text, got the byte 0x{data[error.start]:02x} here; save it "
                "as UTF-8, and pictures as SVG",
            )
        )
        return None
    if "\0" in text:
        before_nul = text[: text.index("\0")]
        folder.complaints.append(
            Complaint(
                where,
                before_nul.count("\n") + 1,
                len(before_nul) - before_nul.rfind("\n"),
                "files must be text, got a NUL here; remove it",
            )
        )
        return None
    return text


def _complain(folder: Folder, where: str, message: str) -> None:
    folder.complaints.append(Complaint(where, None, None, message))
