def double(n):
    """Right for what is not negative."""
    return {"doubled": 2 * abs(n)}
