def double(n):
    if n < 0:
        raise ValueError("n is negative")
    return {"doubled": 2 * n}
