def trees(n_ranks: int) -> dict:
    """{"parents": [first, second]}: for each rank its parent in the tree, -1 for the root."""
    first = [-1] * n_ranks
    second = [-1] * n_ranks
    return {"parents": [first, second]}
