"""What the programs on the GPU speak over: frames on standard input and output.

A request holds ``do`` where a program knows several; an answer holds what was asked for, or
``fault`` with the driver's name for it. While a program waits for the GPU it sends
``{"waiting": true}``.
"""

from __future__ import annotations

import ctypes
import os
import signal

from graders.harness import wire

_PR_SET_PDEATHSIG = 1


def adopt_standard_streams() -> None:
    """Speak over standard input and output; what libraries print goes to standard error."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Out of the way first: a pipe's end may already be number 3 or 4.
    spare = [os.dup(0), os.dup(1)]
    high = [os.dup2(one, 100 + i) for i, one in enumerate(spare)]
    os.dup2(high[0], wire.REQUEST_FD)
    os.dup2(high[1], wire.ANSWER_FD)
    os.dup2(2, 1)
    for one in {*spare, *high} - {wire.REQUEST_FD, wire.ANSWER_FD}:
        os.close(one)
