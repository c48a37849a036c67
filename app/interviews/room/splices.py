"""What an edit did to the text, as one replacement: enough to play it again without a document.

A merged update may change several places; the replacement then spans them all. Texts on both sides
of it are exact in any case, and a replay needs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Splice:
    """At `at` take away `gone`, put `new` there; counted in UTF-16 units, as browsers do."""

    at: int
    gone: int
    new: str

    @property
    def as_json(self) -> list[int | str]:
        """``[at, gone, new]``, as the timeline keeps it."""
        return [self.at, self.gone, self.new]


def splice_between(before: str, after: str) -> Splice:
    """The shortest single replacement that makes `after` of `before`."""
    start = common_prefix(before, after)
    end = common_prefix(before[start:][::-1], after[start:][::-1])
    gone = before[start : len(before) - end]
    return Splice(utf16_units(before[:start]), utf16_units(gone), after[start : len(after) - end])


def common_prefix(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # halving compares whole slices, which is far quicker than each character
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def utf16_units(text: str) -> int:
    """How long browsers call this text."""
    return len(text.encode("utf-16-le")) // 2
