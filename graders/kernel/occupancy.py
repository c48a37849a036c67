"""How many warps of a kernel a multiprocessor can hold, and what keeps it from holding more.

Figures and granularities: CUDA C++ Programming Guide, "Technical Specifications per Compute
Capability", and the sheet "Data" of NVIDIA's occupancy calculator for 8.0, 9.0 and 10.0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from graders.kernel.plan import Kernel, Target

WARP = 32
REGISTERS_TOGETHER = 256  # a warp's registers are handed out in such pieces
WARPS_TOGETHER = 4  # each scheduler has a quarter of the registers
SHARED_BYTES_TOGETHER = 128
RESERVED_SHARED_BYTES = 1024  # the system's own part of each block


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Resident blocks and warps of one multiprocessor.

    `limiter` is ``registers``, ``shared memory``, ``threads`` or ``blocks``; `share` is of the
    warps that the multiprocessor could hold.
    """

    blocks: int
    warps: int
    share: float
    limiter: str


def occupancy(kernel: Kernel, target: Target) -> Occupancy:
    """Theoretical occupancy: what fits, not what is reached."""
    warps = -(-math.prod(kernel.threads) // WARP)
    registers_a_warp = _up(kernel.registers * WARP, REGISTERS_TOGETHER)
    registers_a_scheduler = target.registers_per_multiprocessor // WARPS_TOGETHER
    warps_by_registers = registers_a_scheduler // max(registers_a_warp, 1) * WARPS_TOGETHER
    shared = kernel.dynamic_shared_bytes + kernel.static_shared_bytes + RESERVED_SHARED_BYTES
    fits = {
        "registers": warps_by_registers // warps,
        "shared memory": target.shared_bytes_per_multiprocessor
        // _up(shared, SHARED_BYTES_TOGETHER),
        "threads": target.threads_per_multiprocessor // (warps * WARP),
        "blocks": target.blocks_per_multiprocessor,
    }
    blocks = min(fits.values())
    limiter = next(name for name in fits if fits[name] == blocks)
    return Occupancy(
        blocks,
        blocks * warps,
        blocks * warps * WARP / target.threads_per_multiprocessor,
        limiter,
    )


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
