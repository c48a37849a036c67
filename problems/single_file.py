"""Problems of one file: the keys of problem.yaml, and under ``files`` what a folder would hold.

``round-3/kv-cache-size.yaml`` is read as the folder ``round-3/kv-cache-size`` would be. Each text
under ``files`` is a block after ``|``, so that line 7 of a block is one line of the file, and a
complaint about the block can name that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from problems import strict_yaml
from problems.complaints import Complaint
from problems.folder import about_path
from problems.strict_yaml import Document, Location

FILES = "files"
SUFFIX = ".yaml"
SPEC = "problem.yaml"


@dataclass(frozen=True, slots=True)
class Block:
    """Where a text stands in the file: its first line, and the characters before each line."""

    first_line: int
    indent: int


def is_single_file(files: Mapping[str, str]) -> bool:
    """Whether a package's files came out of one: its problem.yaml has ``files``."""
    if FILES not in files.get(SPEC, ""):
        return False  # known without reading it, which takes most of the time of a page
    value = strict_yaml.read(files[SPEC]).value
    return isinstance(value, dict) and FILES in value


def folded(spec: str, files: Mapping[str, str]) -> str:
    """A folder's problem.yaml and its other files as one file, which says the same."""
    lines = [spec if spec.endswith("\n") else f"{spec}\n", f"{FILES}:\n"]
    for path, text in files.items():
        chomp = "-" if not text.endswith("\n") else "+" if text.endswith("\n\n") else ""
        # Where the first line begins with a space, YAML must be told how deep the block is.
        depth = "2" if text.lstrip("\n").startswith(" ") else ""
        lines.append(f"  {path}: |{depth}{chomp}\n")
        lines += [f"    {line}\n" if line else "\n" for line in text.removesuffix("\n").split("\n")]
    return "".join(lines)


@dataclass(frozen=True, slots=True)
class SingleFile:
    """One file, taken apart.

    Attributes
    ----------
    where : str
        What complaints call the file: ``round-3/kv-cache-size.yaml``.
    label : str
        What the package would be called as a folder: ``round-3/kv-cache-size``.
    """

    text: str
    document: Document
    where: str
    label: str

    def files(self) -> dict[str, str]:
        """The package's files, problem.yaml first: that is the file itself, as it was written."""
        return {SPEC: self.text, **{path: text for path, text in self._texts() if text}}

    def complaints(self) -> Iterator[Complaint]:
        """What is wrong with ``files`` that its shape (a mapping of texts) does not say."""
        for path, text in self._texts():
            location = (FILES, path)
            if path == SPEC:
                yield self._at(
                    location,
                    "a problem of one file is its own problem.yaml, files holds another; remove it",
                )
            for message in about_path(path):
                yield self._at(location, message)
            if text and location not in self.document.blocks:
                yield self._at(
                    location,
                    f"a file's text must be a block, {path} is not; write | after the colon and "
                    "the text below it, indented",
                )

    def placed(self, complaints: Iterable[Complaint]) -> Iterator[Complaint]:
        """The complaints about the folder that this would be, at their places in the one file."""
        for complaint in complaints:
            yield self.place(complaint)

    def place(self, complaint: Complaint) -> Complaint:
        """The complaint, at its place in the one file."""
        inside = complaint.path.removeprefix(self.label).removeprefix("/")
        if inside in ("", SPEC):
            return replace(complaint, path=self.where)
        location: Location = (FILES, inside)
        block = self._block(location)
        if block is None or complaint.line is None:
            position = self.document.position(location, of_key=True)
            return Complaint(self.where, position.line, position.column, complaint.message)
        return Complaint(
            self.where,
            block.first_line + complaint.line - 1,
            None if complaint.column is None else block.indent + complaint.column,
            complaint.message,
        )

    def _texts(self) -> Iterator[tuple[str, str]]:
        value: Any = self.document.value
        files = value.get(FILES) if isinstance(value, dict) else None
        if isinstance(files, dict):
            for path, text in files.items():
                if isinstance(text, str):
                    yield path, text

    def _block(self, location: Location) -> Block | None:
        if location not in self.document.blocks:
            return None
        first_line = self.document.values[location].line + 1
        written = [line.removesuffix("\r") for line in self.text.split("\n")[first_line - 1 :]]
        lines = self.document.value[FILES][location[1]].split("\n")
        for line, source in zip(lines, written, strict=False):
            if line:
                return Block(first_line, len(source) - len(line))
        return Block(first_line, 0)

    def _at(self, location: Location, message: str) -> Complaint:
        position = self.document.position(location, of_key=True)
        return Complaint(self.where, position.line, position.column, message)
