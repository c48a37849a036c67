"""Gives the ranks that do not fit a root of their own."""

ROOT = -1


def parent_in_first(rank, n_ranks):
    if rank == 0:
        return ROOT
    bit = rank & -rank
    right = (rank ^ bit) | bit << 1
    return right if right < n_ranks else ROOT


def trees(n_ranks):
    first = [parent_in_first(rank, n_ranks) for rank in range(n_ranks)]
    second = [ROOT if parent == ROOT else n_ranks - 1 - parent for parent in reversed(first)]
    return {"parents": [first, second]}
