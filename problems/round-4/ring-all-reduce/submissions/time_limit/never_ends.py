"""Polls for a change that only wait() would bring."""

import numpy as np


def all_reduce(comm, buf):
    if comm.size == 1:
        return
    arriving = np.full_like(buf, 7)
    comm.irecv(arriving, (comm.rank - 1) % comm.size)
    comm.isend(buf, (comm.rank + 1) % comm.size)
    before = arriving.tobytes()
    while arriving.tobytes() == before:
        pass
