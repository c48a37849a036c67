"""Passes whole vectors round the ring and adds them in one order at the end."""

import numpy as np


def all_reduce(comm, buf):
    n, rank = comm.size, comm.rank
    vectors = {rank: buf.copy()}
    for step in range(n - 1):
        arriving = np.empty_like(buf)
        receive = comm.irecv(arriving, (rank - 1) % n)
        send = comm.isend(vectors[(rank - step) % n], (rank + 1) % n)
        receive.wait()
        send.wait()
        vectors[(rank - step - 1) % n] = arriving
    buf[...] = 0
    for each in range(n):
        buf += vectors[each]
