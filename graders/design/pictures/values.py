"""Reading the data of a picture: numbers and texts that came out of a sandbox."""

from __future__ import annotations

import math
from typing import Any

from graders.text import MAX_INT_BITS, from_sandbox


def number(said: Any, least: float = -1e300, most: float = 1e300) -> float:
    """A finite number within bounds.

    Raises
    ------
    ValueError
        If it is none.
    """
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    if isinstance(said, int) and said.bit_length() > MAX_INT_BITS:
        is_number = False
    if not is_number or not math.isfinite(said) or not least <= said <= most:
        raise ValueError(f"a number from {least:g} to {most:g} is wanted, got {said!r:.40}")
    return float(said)


def rows(said: Any, most: int) -> list[Any]:
    """A list of at most `most` items. Raises ValueError if it is none."""
    if not isinstance(said, list) or len(said) > most:
        raise ValueError(f"a list of {most} at most is wanted, got {said!r:.80}")
    return said


def text(said: Any) -> str:
    """A text, perhaps a sentence that can be translated. Raises ValueError if it is none."""
    return from_sandbox(said)
