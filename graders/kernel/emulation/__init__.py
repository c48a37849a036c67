"""CUDA C++ kernels on the processor: every thread a fiber, every access looked at.

A kernel that came to us through `RawKernel` is compiled a second time, by g++ with
``runtime/cuda.h``, and runs in a sandbox without a GPU on the small inputs of a case. Threads of a
block go one after the other from barrier to barrier, so a result depends on no schedule. Races are
found all the same: two threads that meet one byte without a barrier between them, one of them
writing, are a fault, whatever came of it here.

What it is not: a model of the GPU's arithmetic. Additions may be contracted differently, and
instructions that only a GPU has (inline PTX, tensor cores) are refused with a sentence.
"""

from __future__ import annotations

from graders.kernel.emulation.run import Emulator, Ran, Stopped, ThreadFault

__all__ = ["Emulator", "Ran", "Stopped", "ThreadFault"]
