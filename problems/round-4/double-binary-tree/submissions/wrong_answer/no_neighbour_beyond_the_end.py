"""Does not notice that the parent on the right may be beyond the last rank."""

ROOT = -1


def parent_in_first(rank, n_ranks):
    if rank == 0:
        return ROOT
    bit = rank & -rank
    return (rank ^ bit) | bit << 1


def trees(n_ranks):
    first = [parent_in_first(rank, n_ranks) for rank in range(n_ranks)]
    second = [ROOT if parent == ROOT else n_ranks - 1 - parent for parent in reversed(first)]
    return {"parents": [first, second]}
