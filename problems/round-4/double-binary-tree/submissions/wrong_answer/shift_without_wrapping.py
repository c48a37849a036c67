"""Moves everybody by one and forgets that the last becomes the first."""

ROOT = -1


def parent_in_first(rank, n_ranks):
    if rank == 0:
        return ROOT
    bit = rank & -rank
    right = (rank ^ bit) | bit << 1
    return right if right < n_ranks else rank ^ bit


def trees(n_ranks):
    first = [parent_in_first(rank, n_ranks) for rank in range(n_ranks)]
    second = [ROOT if first[rank - 1] == ROOT else first[rank - 1] + 1 for rank in range(n_ranks)]
    return {"parents": [first, second]}
