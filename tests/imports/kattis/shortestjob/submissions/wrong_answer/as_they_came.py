n = int(input())
times = list(map(int, input().split()))
print(sum(sum(times[:i]) for i in range(n)) / n)
