"""Two binary trees over the same ranks, so that no rank forwards in both: as NCCL builds them."""

from __future__ import annotations

ROOT = -1


def trees(n_ranks: int) -> dict[str, list[list[int]]]:
    first = [parent_in_first(rank, n_ranks) for rank in range(n_ranks)]
    if n_ranks % 2 == 0:
        # Mirrored: rank r plays the part of n - 1 - r, and even ranks change places with odd ones.
        second = [ROOT if parent == ROOT else n_ranks - 1 - parent for parent in reversed(first)]
    else:
        # Mirroring would keep even ranks even; moving everybody by one does not.
        moved = [ROOT if parent == ROOT else (parent + 1) % n_ranks for parent in first]
        second = [moved[rank - 1] for rank in range(n_ranks)]
    return {"parents": [first, second]}


def parent_in_first(rank: int, n_ranks: int) -> int:
    """Odd ranks are leaves; a rank whose lowest set bit is b has the parent with lowest bit 2b."""
    if rank == 0:
        return ROOT
    bit = rank & -rank
    right = (rank ^ bit) | bit << 1
    return right if right < n_ranks else rank ^ bit
