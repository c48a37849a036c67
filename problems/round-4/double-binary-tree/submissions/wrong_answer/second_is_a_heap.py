"""A heap has small ranks inside, even and odd ones."""

ROOT = -1


def parent_in_first(rank, n_ranks):
    if rank == 0:
        return ROOT
    bit = rank & -rank
    right = (rank ^ bit) | bit << 1
    return right if right < n_ranks else rank ^ bit


def trees(n_ranks):
    first = [parent_in_first(rank, n_ranks) for rank in range(n_ranks)]
    second = [ROOT if rank == 0 else (rank - 1) // 2 for rank in range(n_ranks)]
    return {"parents": [first, second]}
