def double(n):
    return {"doubled": 2 * abs(n)}
