"""Exchanges ranks 0 and 1, 2 and 3: the last of an odd number has no partner."""

ROOT = -1


def parent_in_first(rank, n_ranks):
    if rank == 0:
        return ROOT
    bit = rank & -rank
    right = (rank ^ bit) | bit << 1
    return right if right < n_ranks else rank ^ bit


def trees(n_ranks):
    first = [parent_in_first(rank, n_ranks) for rank in range(n_ranks)]
    n_even = n_ranks - n_ranks % 2
    swap = [rank ^ 1 if rank < n_even else rank for rank in range(n_ranks)]
    second = [ROOT if first[swap[rank]] == ROOT else swap[first[swap[rank]]] for rank in range(n_ranks)]
    return {"parents": [first, second]}
