"""Each rank adds the vectors in the order in which they reach it."""

import numpy as np


def all_reduce(comm, buf):
    n, rank = comm.size, comm.rank
    passing = buf.copy()
    for _ in range(n - 1):
        arriving = np.empty_like(buf)
        receive = comm.irecv(arriving, (rank - 1) % n)
        send = comm.isend(passing, (rank + 1) % n)
        receive.wait()
        send.wait()
        buf += arriving
        passing = arriving
