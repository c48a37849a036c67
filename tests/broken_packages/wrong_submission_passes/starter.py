def double(n):
    return {"doubled": n << 1}
