def double(n):
    return {"doubled": 2 * n
