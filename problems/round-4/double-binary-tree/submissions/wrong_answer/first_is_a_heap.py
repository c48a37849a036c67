"""A binary heap in place of the tree that the statement fixes."""

ROOT = -1


def parent_in_first(rank, n_ranks):
    if rank == 0:
        return ROOT
    bit = rank & -rank
    right = (rank ^ bit) | bit << 1
    return right if right < n_ranks else rank ^ bit


def trees(n_ranks):
    first = [parent_in_first(rank, n_ranks) for rank in range(n_ranks)]
    first = [ROOT if rank == 0 else (rank - 1) // 2 for rank in range(n_ranks)]
    second = [ROOT if parent == ROOT else n_ranks - 1 - parent for parent in reversed(first)]
    return {"parents": [first, second]}
