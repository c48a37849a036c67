"""The training job whose step is recorded: sizes, speeds and the small noise of an ordinary step.

Four ranks, a node each, train one model that is sharded as FSDP and ZeRO-3 shard it: before a
module computes, an all-gather brings its weights, and after its backward pass a reduce-scatter
takes its gradients away.

Speeds are those of an H100 node in round numbers: large bf16 matrix products reach about 620 of the
989 TFLOP/s of the data sheet [1]_, a NIC carries 400 Gbit/s, PCIe 5.0 x16 about 50 GB/s from pinned
memory and a tenth of that from pageable memory, which is staged through a small buffer [2]_.

References
----------
.. [1] NVIDIA, "H100 Tensor Core GPU Architecture", white paper, 2022.
.. [2] NVIDIA, "How to Optimize Data Transfers in CUDA C/C++", 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

N_RANKS = 4
N_CHANNELS = 4
COMPUTE_FLOP_PER_US = 620e6
MEMORY_BYTES_PER_US = 2.2e6
CHANNEL_BYTES_PER_US = 12.5e3  # of one NCCL channel: a quarter of the NIC
PINNED_BYTES_PER_US = 50e3
PAGEABLE_BYTES_PER_US = 5e3
BACKWARD = 2.0  # times the work of the forward pass
SMALL_PARAMETERS = 20e6
BYTES_PER_PARAMETER = 2  # bf16, weights and gradients

KERNEL_NOISE = 0.006  # standard deviation, a share
SEND_NOISE = 0.01
HOST_NOISE = 0.08


@dataclass(frozen=True, slots=True)
class Part:
    """One kernel of a module: its work for one token, forward."""

    name: str
    flop_per_token: float  # 0: bound by memory
    bytes_per_token: float


@dataclass(frozen=True, slots=True)
class Module:
    """A unit that is gathered and computed as a whole."""

    name: str
    parameters: float
    parts: tuple[Part, ...]

    @property
    def is_small(self) -> bool:
        """Too small to hide a collective behind: its weights come with its neighbour's."""
        return self.parameters < SMALL_PARAMETERS


@dataclass(frozen=True, slots=True)
class Workload:
    """An ordinary step; times in microseconds.

    `kernel_noise`, `host_noise` and `send_noise` are factors, a row for each rank; the last has a
    column for each collective and channel.
    """

    modules: tuple[Module, ...]
    tokens: tuple[int, ...]  # of each rank
    light_rank: int  # the one with the fewest
    step: int  # the number that the job gives it
    lead_us: tuple[float, ...]  # until a rank's step begins
    launch_us: float  # for the host to launch a module's forward pass
    fetch_us: tuple[float, ...]  # until this step's batch is there
    next_fetch_us: tuple[float, ...]  # until the next step's is
    write_us: tuple[float, ...]  # of a rank's shard of the checkpoint
    snapshot_us: float
    batch_bytes: float
    optimizer_us: float
    kernel_noise: tuple[tuple[float, ...], ...]
    host_noise: tuple[tuple[float, ...], ...]
    send_noise: tuple[tuple[float, ...], ...]

    @property
    def n_collectives(self) -> int:
        """All-gathers of both passes and reduce-scatters: the last module keeps its weights."""
        return 3 * len(self.modules) - 1

    @property
    def n_kernels(self) -> int:
        """Kernels of one rank's forward and backward pass."""
        return 2 * sum(len(module.parts) for module in self.modules)


def draw_workload(rng: Random) -> Workload:
    """A job of random size, and one of its steps."""
    unit = rng.uniform(0.17e9, 0.23e9)  # parameters of a block of width 1
    n_blocks = rng.randint(5, 7)
    wide = set(rng.sample(range(1, n_blocks), 2))
    widths = [
        rng.uniform(1.5, 1.75) if block in wide else rng.uniform(0.9, 1.1)
        for block in range(n_blocks)
    ]
    modules = [
        *(_block(f"block {index}", unit * width) for index, width in enumerate(widths)),
        Module("final norm", 0.003e9, (Part("rms_norm", 0.0, 0.05e6),)),
        _head(unit * rng.uniform(0.5, 0.7)),
    ]
    tokens = rng.choice([18432, 20480])
    light = rng.randrange(N_RANKS)
    lead_us = rng.uniform(18e3, 26e3)
    n_kernels = 2 * sum(len(module.parts) for module in modules)
    return Workload(
        modules=tuple(modules),
        tokens=tuple(
            round(tokens * (rng.uniform(0.82, 0.87) if rank == light else rng.uniform(0.985, 1.0)))
            for rank in range(N_RANKS)
        ),
        light_rank=light,
        step=rng.randint(1200, 98000),
        lead_us=_each_rank(rng, lead_us, lead_us + 400),
        launch_us=rng.uniform(1.5e3, 2.1e3),
        fetch_us=_each_rank(rng, 4e3, 0.8 * lead_us),
        next_fetch_us=_each_rank(rng, 45e3, 110e3),
        write_us=_each_rank(rng, 25e3, 60e3),
        snapshot_us=rng.uniform(1.0e3, 1.8e3),
        batch_bytes=rng.uniform(60e6, 200e6),
        optimizer_us=rng.uniform(9e3, 14e3),
        kernel_noise=_noise(rng, n_kernels, KERNEL_NOISE),
        host_noise=_noise(rng, 2 * len(modules) + 2, HOST_NOISE),
        send_noise=_noise(rng, (3 * len(modules) - 1) * N_CHANNELS, SEND_NOISE),
    )


def _block(name: str, parameters: float) -> Module:
    flop = 2 * parameters
    return Module(
        name,
        parameters,
        (
            Part("rms_norm", 0.0, 0.1e6),
            Part("flash_attention", 0.36 * flop, 0.0),
            Part("gemm_mlp", 0.64 * flop, 0.0),
        ),
    )


def _head(parameters: float) -> Module:
    return Module(
        "output head",
        parameters,
        (Part("gemm_logits", 2 * parameters, 0.0), Part("cross_entropy", 0.0, 0.2e6)),
    )


def _each_rank(rng: Random, low: float, high: float) -> tuple[float, ...]:
    return tuple(rng.uniform(low, high) for _ in range(N_RANKS))


def _noise(rng: Random, n_columns: int, deviation: float) -> tuple[tuple[float, ...], ...]:
    """Factors round 1, none below a half."""
    return tuple(
        tuple(max(0.5, rng.gauss(1.0, deviation)) for _ in range(n_columns)) for _ in range(N_RANKS)
    )
