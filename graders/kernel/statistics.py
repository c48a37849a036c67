"""Ratios of times measured in alternation: a median, how sure it is, and when to stop.

Nothing is assumed of the noise's shape: the interval comes from the order statistics of the sample
alone, by the sign test.

References
----------
.. [1] Conover, "Practical Nonparametric Statistics", 3rd ed., 1999, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MIN_PAIRS = 60
HALF_WIDTH = 0.005  # of the ratio's 95 % interval, relative
LIMIT_S = 8.0
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Ratio:
    """The time of A over the time of B.

    Attributes
    ----------
    value : float
        Median over pairs, as the exponential of the median of log ratios.
    low, high : float
        Interval that holds the true median with at least 95 % confidence.
    n_pairs : int
        Pairs of one A and one B, measured next to each other.
    """

    value: float
    low: float
    high: float
    n_pairs: int

    @property
    def half_width(self) -> float:
        """Half the interval's width on the logarithmic scale: about relative."""
        return 0.5 * math.log(self.high / self.low) if self.low > 0 else math.inf

    @property
    def noisy(self) -> bool:
        """Whether measuring ended before the interval was as narrow as it should be."""
        return self.half_width > HALF_WIDTH


def ratio(a_s: Sequence[float], b_s: Sequence[float]) -> Ratio:
    """The ratio of paired times.

    Parameters
    ----------
    a_s, b_s : sequences of float
        Seconds; the n-th of both were measured next to each other.

    Raises
    ------
    ValueError
        If there is no pair, the sequences differ in length, or a time is not positive.
    """
    if not a_s or len(a_s) != len(b_s):
        raise ValueError(f"times must come in pairs, got {len(a_s)} and {len(b_s)}")
    if min(*a_s, *b_s) <= 0.0:
        raise ValueError("times must be positive")
    logs = sorted(math.log(a / b) for a, b in zip(a_s, b_s, strict=True))
    low, high = median_interval(len(logs))
    return Ratio(
        value=math.exp(_median(logs)),
        low=math.exp(logs[low]),
        high=math.exp(logs[high]),
        n_pairs=len(logs),
    )


def median_interval(n: int, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Indices of the sorted sample between which the median lies.

    The widest symmetric pair is returned where even that is less sure than `confidence`.
    """
    # The interval from the k-th smallest to the k-th largest misses the median if at most k values
    # lie on one side of it: Binomial(n, 1/2) <= k, twice.
    below, chosen = 0.0, 0
    for k in range((n + 1) // 2):
        below += math.comb(n, k) / 2**n  # of whole numbers: neither is too large for a float
        if 2.0 * below > 1.0 - confidence:
            break
        chosen = k
    return chosen, n - 1 - chosen


def enough(a_s: Sequence[float], b_s: Sequence[float], elapsed_s: float) -> bool:
    """Whether to stop measuring: sure enough, or out of time."""
    if elapsed_s >= LIMIT_S and a_s:
        return True
    return len(a_s) >= MIN_PAIRS and not ratio(a_s, b_s).noisy


def abba(n_pairs: int) -> list[str]:
    """The order of `n_pairs` pairs: A B B A A B B A ..., so that a drift falls on both alike."""
    return [letter for pair in range(n_pairs) for letter in ("AB" if pair % 2 == 0 else "BA")]


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not values:
        raise ValueError("a median needs a value")
    return _median(sorted(values))


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return 0.5 * (ordered[middle - 1] + ordered[middle])
