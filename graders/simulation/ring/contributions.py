"""Which ranks' parts are in a number that should be their sum."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from graders.simulation.ring.inputs import Vector
from graders.text import Text, say, say_list

MAX_RANKS_TRIED_FULLY = 7


def rounding_bound(parts: Vector) -> Vector:
    """How far a sum may be from the exact one when every addition rounds, in any order.

    Parameters
    ----------
    parts : ndarray, shape (n_ranks, length)
        What is summed over the first axis.

    Returns
    -------
    ndarray, shape (length,), float64
        ``n * u * sum(abs(x))`` with the unit roundoff u of the dtype: it covers Higham's
        ``gamma(n-1) * sum(abs(x))`` and the rounding of the exact sum itself. Zero for integers
        and for a single rank, which have nothing to round.

    References
    ----------
    .. [1] Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., section 4.2.
    """
    n_ranks = len(parts)
    if parts.dtype.kind != "f" or n_ranks == 1:
        return np.zeros(parts.shape[1])
    unit_roundoff = float(np.finfo(parts.dtype).eps) / 2
    bound: Vector = n_ranks * unit_roundoff * np.abs(parts.astype(np.float64)).sum(axis=0)
    return bound


def count_parts(value: float, parts: Vector) -> list[int] | None:
    """How often each rank's part is in `value`, or None if no such counts make it.

    Parameters
    ----------
    value : float
        One element of a rank's vector or of a message.
    parts : ndarray, shape (n_ranks,)
        The ranks' own elements there.

    Returns
    -------
    list of int or None
        Counts of 0, 1 or 2 a rank. Up to 7 ranks all of them are tried; for more, the parts of a
        stretch of the ring, once each or one time more often than the others.
    """
    n_ranks = len(parts)
    counts = _counts_tried(n_ranks)
    sums = counts @ parts.astype(np.float64)
    slack = 2 * rounding_bound(np.concatenate([parts, parts])[:, None])[0]
    found = np.flatnonzero(np.abs(sums - value) <= slack)
    return [int(count) for count in counts[found[0]]] if len(found) else None


def describe_parts(counts: list[int] | None) -> str:
    """``it lacks the part of rank 1``, as the end of a sentence; empty if all is right."""
    if counts is None:
        return say("it is no sum of the ranks' parts")
    lacking = [rank for rank, count in enumerate(counts) if count == 0]
    doubled = [rank for rank, count in enumerate(counts) if count == 2]
    if lacking and doubled:
        return say(
            "it lacks the part of {lacking} and has the part of {doubled} twice",
            lacking=name_ranks(lacking),
            doubled=name_ranks(doubled),
        )
    if lacking:
        return say("it lacks the part of {ranks}", ranks=name_ranks(lacking))
    return say("it has the part of {ranks} twice", ranks=name_ranks(doubled)) if doubled else ""


def name_ranks(ranks: list[int]) -> Text:
    """``rank 1`` or ``ranks 0, 2 and 3``."""
    if len(ranks) == 1:
        return say("rank {rank}", rank=ranks[0])
    return say("ranks {ranks}", ranks=say_list([str(rank) for rank in ranks]))


@cache
def _counts_tried(n_ranks: int) -> Vector:
    """Counts to try, shape (tries, n_ranks), the likeliest first."""
    if n_ranks <= MAX_RANKS_TRIED_FULLY:
        return np.array(list(product((1, 0, 2), repeat=n_ranks)))
    return np.array(_stretches(n_ranks))


def _stretches(n_ranks: int) -> list[list[int]]:
    all_once = [1] * n_ranks
    stretches = [all_once]
    for base, inside in ((0, 1), (1, 2), (1, 0)):
        for first in range(n_ranks):
            for size in range(1, n_ranks):
                counts = [base] * n_ranks
                for step in range(size):
                    counts[(first + step) % n_ranks] = inside
                stretches.append(counts)
    return stretches
