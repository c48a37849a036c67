"""What is wrong with a package: where, which rule, what is there instead, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong at one place.

    Attributes
    ----------
    path : str
        The file, from the folder that holds the rounds: ``round-4/ring-all-reduce/problem.yaml``.
    line, column : int or None
        From 1; None where the file as a whole is meant, or where it is missing.
    message : str
        The rule, then the fact, then what to do.
    """

    path: str
    line: int | None
    column: int | None
    message: str

    def __str__(self) -> str:
        place = [str(number) for number in (self.line, self.column) if number is not None]
        return f"{':'.join([self.path, *place])}: {self.message}"

    @property
    def sort_key(self) -> tuple[str, int, int]:
        """Files in order of their names, and each from top to bottom."""
        return self.path, self.line or 0, self.column or 0


class PackageInvalid(Exception):
    """A package breaks rules of the format; `complaints` are all of them, in reading order."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(sorted(complaints, key=lambda complaint: complaint.sort_key))
        super().__init__("\n".join(str(complaint) for complaint in self.complaints))


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that `word` was most likely meant to be; `cutoff` 1 allows no difference."""
    matches = difflib.get_close_matches(word, sorted(known), n=1, cutoff=cutoff)
    return matches[0] if matches else None
