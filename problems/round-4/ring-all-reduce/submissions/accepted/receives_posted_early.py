"""The ring against the usual direction, every receive posted before the first send.

Each step of the reduce-scatter has an array of its own, so no receive waits for an addition.
"""

import numpy as np


def all_reduce(comm, buf):
    n, me = comm.size, comm.rank
    if n < 2:
        return
    to, source = (me - 1) % n, (me + 1) % n
    cuts = np.linspace(0, len(buf), n + 1).round().astype(int)

    def chunk(index):
        index %= n
        return buf[cuts[index] : cuts[index + 1]]

    scratch = [np.empty_like(chunk(me + step + 1)) for step in range(n - 1)]
    reducing = [comm.irecv(array, source) for array in scratch]
    sends = []
    for step in range(n - 1):
        sends.append(comm.isend(chunk(me + step), to))
        reducing[step].wait()
        chunk(me + step + 1)[:] += scratch[step]
    # The chunks that the all-gather overwrites were sent above: those sends must end first.
    for send in sends:
        send.wait()
    gathering = [comm.irecv(chunk(me + step), source) for step in range(n - 1)]
    sends = []
    for step in range(n - 1):
        sends.append(comm.isend(chunk(me - 1 + step), to))
        gathering[step].wait()
    for send in sends:
        send.wait()
