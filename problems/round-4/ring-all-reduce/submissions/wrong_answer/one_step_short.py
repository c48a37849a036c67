"""The all-gather makes one step too few."""

import numpy as np


def all_reduce(comm, buf):
    n, rank = comm.size, comm.rank
    right, left = (rank + 1) % n, (rank - 1) % n
    chunks = np.array_split(buf, n)
    for step in range(n - 1):
        total = chunks[(rank - step - 1) % n]
        part = np.empty_like(total)
        receive = comm.irecv(part, left)
        send = comm.isend(chunks[(rank - step) % n], right)
        receive.wait()
        send.wait()
        total += part
    for step in range(n - 2):
        receive = comm.irecv(chunks[(rank - step) % n], left)
        send = comm.isend(chunks[(rank + 1 - step) % n], right)
        receive.wait()
        send.wait()
