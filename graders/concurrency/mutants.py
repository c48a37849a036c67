"""Weakens one memory order of a C++ source at a time, by rules, to see whether the checker notices.

A mutant is the source with one written ``std::memory_order_...`` replaced by a weaker one that the
operation may have: a sequentially consistent load by acquire or relaxed, a release store by
relaxed, a fence of one order by none at all. Orders that are not written out are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ORDER = re.compile(r"std::memory_order_(seq_cst|acq_rel|acquire|release)\b")
_ANY_ORDER = re.compile(r"std::memory_order_\w+")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_CALLED = re.compile(r"([A-Za-z_]\w*)\s*$")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One weakened order.

    Attributes
    ----------
    line : int
        Of the order, from 1.
    ordinal : int
        Which of the orders written on that line, from 1.
    call : str
        The operation that it belongs to, e.g. ``compare_exchange_weak``.
    """

    line: int
    ordinal: int
    call: str
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """Tells it from all other mutants of the same source."""
        return f"{self.line}.{self.ordinal} {self.call} {self.before} -> {self.after}"


def mutants_of(source: str) -> Iterator[Mutant]:
    """All mutants, in the order of their lines."""
    code = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), source)
    for match in _ORDER.finditer(code):
        call, is_failure = _enclosing_call(code, match.start())
        line_start = code.rfind("\n", 0, match.start()) + 1
        for weaker in _weaker(match[1], call, is_failure):
            yield Mutant(
                line=code.count("\n", 0, match.start()) + 1,
                ordinal=len(_ANY_ORDER.findall(code, line_start, match.end())),
                call=call,
                before=match[1],
                after=weaker,
                source=f"{source[: match.start(1)]}{weaker}{source[match.end(1) :]}",
            )


def _weaker(order: str, call: str, is_failure: bool) -> tuple[str, ...]:
    """The weaker orders that this operation may have, strongest first."""
    if call == "load" or is_failure:
        steps: tuple[str, ...] = ("seq_cst", "acquire", "relaxed")
    elif call in ("store", "clear"):
        steps = ("seq_cst", "release", "relaxed")
    else:
        steps = ("seq_cst", "acq_rel", "acquire", "release", "relaxed")
    weaker = steps[steps.index(order) + 1 :]
    return tuple(other for other in weaker if (order, other) != ("acquire", "release"))


def _enclosing_call(code: str, position: int) -> tuple[str, bool]:
    """The function that the text at `position` is an argument of; whether it is the second order.

    The second order of a compare_exchange is the one of its failure.
    """
    depth = 0
    own_level: list[str] = []
    for at in range(position - 1, -1, -1):
        if code[at] in ")}":
            depth += 1
        elif code[at] in "({":
            if depth == 0 and code[at] == "(":
                called = _CALLED.search(code, 0, at)
                earlier = _ANY_ORDER.search("".join(reversed(own_level)))
                name = called[1] if called else ""
                return name, bool(earlier) and name.startswith("compare_exchange")
            depth = max(0, depth - 1)
        elif depth == 0:
            own_level.append(code[at])
    return "", False
