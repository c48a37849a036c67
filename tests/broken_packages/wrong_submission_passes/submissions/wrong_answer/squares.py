def double(n):
    return {"doubled": n + n}
