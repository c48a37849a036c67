import sys

n = int(input())
times = sorted(map(int, sys.stdin.readline().split()))
waits = [sum(times[:i]) for i in range(n)]
print("%.9f\n" % (sum(waits) / n), end="")
sys.exit(0)
