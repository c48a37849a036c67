def triple(n):
    return {"doubled": n + n}
