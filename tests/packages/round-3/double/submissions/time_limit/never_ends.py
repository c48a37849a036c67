def double(n):
    while True:
        n += 1
