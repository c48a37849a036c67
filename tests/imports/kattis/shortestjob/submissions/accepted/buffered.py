import sys
numbers = sys.stdin.buffer.read().split()
times = sorted(int(word) for word in numbers[1:])
waited = total = 0
for time in times:
    total += waited
    waited += time
sys.stdout.buffer.write(str(total / len(times)).encode())
