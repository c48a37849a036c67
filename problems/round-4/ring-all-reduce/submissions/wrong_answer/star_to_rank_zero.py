"""Everybody talks to rank 0: fine on a switch, but on a ring rank 2 of 4 is no neighbour of it."""

import numpy as np


def all_reduce(comm, buf):
    if comm.rank > 0:
        comm.isend(buf, 0).wait()
        comm.irecv(buf, 0).wait()
        return
    parts = [np.empty_like(buf) for _ in range(1, comm.size)]
    for request in [comm.irecv(part, rank) for rank, part in enumerate(parts, 1)]:
        request.wait()
    for part in parts:
        buf += part
    for request in [comm.isend(buf, rank) for rank in range(1, comm.size)]:
        request.wait()
