"""In the first tree only even ranks are interior, so the second is a heap with odd ranks on top."""


def trees(n_ranks):
    first = [-1] * n_ranks
    for rank in range(1, n_ranks):
        step = rank & -rank
        upper = rank - step + 2 * step if (rank // step) % 4 == 1 else rank - step
        first[rank] = upper if upper < n_ranks else rank - step
    order = list(range(1, n_ranks, 2)) + list(range(0, n_ranks, 2))
    second = [-1] * n_ranks
    for place in range(1, n_ranks):
        second[order[place]] = order[(place - 1) // 2]
    return {"parents": [first, second]}
