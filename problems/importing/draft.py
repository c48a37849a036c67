"""What an importer gives: the files of a package to go on from, and what its author must know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

MAX_TEXT_KIB = 256  # of one file that is read
MAX_PATHS = 5000

_NO_SLUG = re.compile(r"[^a-z0-9]+")


class CannotImport(Exception):
    """What was named is no package of the format; the message says what is missing."""


@dataclass(slots=True)
class Draft:
    """A package to go on from.

    Attributes
    ----------
    files : dict of path to text
        As in a package's folder.
    not_carried : list of str
        What the other package has and this one has not, a sentence each.
    guessed : list of str
        What had to be chosen, or is left to write.
    """

    slug: str
    files: dict[str, str] = field(default_factory=dict)
    not_carried: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of somebody else's, read without ever leaving it."""

    root: Path

    def paths(self, under: str = "") -> Iterator[str]:
        """Every file below `under`, in order of the names."""
        found = sorted(path for path in (self.root / under).rglob("*") if path.is_file())
        for path in found[:MAX_PATHS]:
            yield path.relative_to(self.root).as_posix()

    def text(self, path: str) -> str | None:
        """The file's text; None if there is none, it is too large or no UTF-8, or lies outside."""
        file = self.root / path
        if not file.resolve().is_relative_to(self.root.resolve()) or not file.is_file():
            return None
        with file.open("rb") as opened:
            data = opened.read(MAX_TEXT_KIB * 1024 + 1)
        if len(data) > MAX_TEXT_KIB * 1024:
            return None
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            return None

    def mapping(self, path: str) -> dict[str, Any]:
        """A YAML file that holds a mapping.

        Raises
        ------
        CannotImport
            If it does not.
        """
        text = self.text(path)
        try:
            value = YAML(typ="safe", pure=True).load(text) if text is not None else None
        except (YAMLError, ValueError) as error:
            raise CannotImport(f"{path} must be YAML, it is not: {error}") from None
        if not isinstance(value, dict):
            raise CannotImport(f"{path} must be a mapping of keys to values, it is none")
        return value


def slug_from(name: str) -> str:
    """A slug that resembles a name; ``untitled`` where nothing is left of it."""
    return _NO_SLUG.sub("-", name.lower()).strip("-")[:60].strip("-") or "untitled"


def yaml_of(value: Any) -> str:
    """A value on one line. JSON is YAML 1.2, and nothing in it is read in two ways."""
    return json.dumps(value, ensure_ascii=False)


def spec_text(keys: Mapping[str, Any]) -> str:
    """A problem.yaml: a key a line, the items of lists and mappings of mappings a line each."""
    lines: list[str] = []
    for key, value in keys.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{key}:", *(f"  - {yaml_of(item)}" for item in value)]
        elif isinstance(value, dict) and value and isinstance(next(iter(value.values())), dict):
            lines += [
                f"{key}:",
                *(f"  {yaml_of(name)}: {yaml_of(one)}" for name, one in value.items()),
            ]
        else:
            lines.append(f"{key}: {yaml_of(value)}")
    return "\n".join(lines) + "\n"


def stem(path: str) -> str:
    """``02-large`` of ``data/secret/02-large.in``."""
    return PurePosixPath(path).stem
