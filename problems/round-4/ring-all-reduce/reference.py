"""Ring all-reduce: reduce-scatter, then all-gather, each in n - 1 steps of one chunk."""

from itertools import pairwise

import numpy as np


def all_reduce(comm, buf):
    """Sum `buf` over all ranks, in place.

    Parameters
    ----------
    comm : Comm
        This rank's view of the ring of n ranks.
    buf : ndarray, shape (length,)
        The rank's vector; on return the sum over ranks, the same bits on every rank.

    Notes
    -----
    Chunk i is summed on its way once round the ring, beginning at rank i, so its last addition is
    made on rank i - 1, which then sends the finished chunk round. Each rank sends 2(n-1) chunks,
    ``2(n-1)/n`` of the vector.
    """
    n, rank = comm.size, comm.rank
    if n == 1:
        return
    # Bounds spread evenly: chunks differ by one element at most, for any length.
    bounds = [i * len(buf) // n for i in range(n + 1)]
    chunks = [buf[first:last] for first, last in pairwise(bounds)]
    incoming = np.empty(max(map(len, chunks)), buf.dtype)  # (ceil(length / n),)

    for step in range(n - 1):  # reduce-scatter: after step k a chunk holds k + 2 parts
        outgoing = chunks[(rank - step) % n]
        summed = chunks[(rank - step - 1) % n]
        part = incoming[: len(summed)]
        exchange(comm, outgoing, part)
        summed += part

    for step in range(n - 1):  # all-gather: finished chunks only, copied unchanged
        outgoing = chunks[(rank + 1 - step) % n]
        exchange(comm, outgoing, chunks[(rank - step) % n])


def exchange(comm, outgoing, incoming):
    """Send to the right and receive from the left at the same time."""
    receive = comm.irecv(incoming, (comm.rank - 1) % comm.size)
    send = comm.isend(outgoing, (comm.rank + 1) % comm.size)
    receive.wait()
    send.wait()
