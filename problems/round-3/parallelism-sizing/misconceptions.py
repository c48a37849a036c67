"""The catalogue of named mistakes, and the one that explains a wrong number."""

from __future__ import annotations

from memory_mistakes import MEMORY
from mistakes import Config, Misconception, Sizes
from speed_mistakes import SPEED

CATALOGUE: tuple[Misconception, ...] = MEMORY + SPEED  # of equal numbers the first is named
RELATIVE_DISTANCE = 1e-4  # wider than what passes: a name is a hint and decides nothing


def explanation(config: Config, right: Sizes, item: str, got: float) -> Misconception | None:
    """The mistake whose number is nearest to `got`, if one comes within `RELATIVE_DISTANCE`.

    It must also be ten times nearer than the right number, since some mistakes are that small.
    Of equally near ones the first in the catalogue.
    """
    nearest: Misconception | None = None
    limit = RELATIVE_DISTANCE * abs(got)
    for mistake in CATALOGUE:
        if item not in mistake.items or not mistake.applies(config):
            continue
        wrong = mistake.value(config, right, item)
        distance = abs(wrong - got)
        if distance <= limit and distance < 0.1 * abs(right[item] - got):
            # Equal formulas in another order differ in the last bits; that must not decide.
            nearest, limit = mistake, min(limit, distance) - 1e-9 * abs(got)
    return nearest
