"""Sums along the chain to rank 0, which sends the sum back along it."""

import numpy as np


def all_reduce(comm, buf):
    n, rank = comm.size, comm.rank
    if rank + 1 < n:
        part = np.empty_like(buf)
        comm.irecv(part, rank + 1).wait()
        buf += part
    if rank > 0:
        comm.isend(buf, rank - 1).wait()
        comm.irecv(buf, rank - 1).wait()
    if rank + 1 < n:
        comm.isend(buf, rank + 1).wait()
