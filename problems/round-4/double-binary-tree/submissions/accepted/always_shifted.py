"""Moving everybody by one works for even numbers of ranks as well as for odd ones."""


def parent(rank, n):
    if rank == 0:
        return None
    low = 1
    while not rank & low:
        low *= 2
    up = (rank - low) | (low * 2)
    return up if up < n else rank - low


def trees(n_ranks):
    first = [parent(rank, n_ranks) for rank in range(n_ranks)]
    second = []
    for rank in range(n_ranks):
        up = first[(rank - 1) % n_ranks]
        second.append(-1 if up is None else (up + 1) % n_ranks)
    return {"parents": [[-1 if up is None else up for up in first], second]}
