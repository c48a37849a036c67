def double(n):
    """Give back {"doubled": twice n}."""
    return {"doubled": 2 * n}
