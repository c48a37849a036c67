"""A chain over the odd ranks first: few children, and a depth of n."""

ROOT = -1


def parent_in_first(rank, n_ranks):
    if rank == 0:
        return ROOT
    bit = rank & -rank
    right = (rank ^ bit) | bit << 1
    return right if right < n_ranks else rank ^ bit


def trees(n_ranks):
    first = [parent_in_first(rank, n_ranks) for rank in range(n_ranks)]
    order = list(range(1, n_ranks, 2)) + list(range(0, n_ranks, 2))
    second = [ROOT] * n_ranks
    for place in range(1, n_ranks):
        second[order[place]] = order[place - 1]
    return {"parents": [first, second]}
