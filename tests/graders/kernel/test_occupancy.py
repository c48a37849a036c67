"""Occupancy beside figures that others published."""

from __future__ import annotations

import pytest

from graders.kernel.occupancy import occupancy
from graders.kernel.plan import TARGETS, Kernel


def kernel(threads: int, registers: int, shared_bytes: int) -> Kernel:
    return Kernel(
        name="k", cubin=b"", threads=(threads, 1, 1), dynamic_shared_bytes=shared_bytes,
        static_shared_bytes=0, cluster=1, cooperative=False, programmatic_launch=False,
        registers=registers, local_bytes=0, parameters=(), parameter_bytes=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("threads", "registers", "shared_bytes", "blocks", "limiter"),
    [
        (1024, 32, 0, 2, "registers"),  # 65536 / 32 = 2048 threads, all of them
        (1024, 33, 0, 1, "registers"),  # one register more, and half of them
        (128, 255, 0, 2, "registers"),
        (256, 168, 0, 1, "registers"),  # 5376 registers a warp: 3 of 8 warps on each scheduler
        (32, 16, 0, 32, "blocks"),
        (256, 32, 100 << 10, 2, "shared memory"),
        (256, 32, 227 << 10, 1, "shared memory"),
        (2 * 32, 32, 0, 32, "registers"),
    ],
)
def test_what_limits_a_kernel_on_hopper(
    threads: int, registers: int, shared_bytes: int, blocks: int, limiter: str
) -> None:
    found = occupancy(kernel(threads, registers, shared_bytes), TARGETS["sm_90"])
    assert (found.blocks, found.limiter) == (blocks, limiter)
    assert found.share == blocks * threads / 2048


def test_an_ampere_has_less_shared_memory() -> None:
    small = kernel(256, 32, 100 << 10)
    assert occupancy(small, TARGETS["sm_80"]).blocks == 1
