"""The plan of one call: what a recorder noted instead of launching.

A plan comes out of a sandbox in which a stranger's code ran, so nothing of it is believed.
`graders.kernel.plan_reader.read_plan` makes a `Plan` of what the recorder sent or says which rule
is broken. A `Plan` that exists is well formed: every pointer lies inside a buffer, every launch is
within the target's limits, every cubin is an ELF file for the target and has the kernel. What a
kernel does at run time is nobody's promise: the executor fences the buffers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

POINTER_BYTES = 8
TENSOR_MAP_BYTES = 128

DTYPE_BYTES = {
    "i1": 1, "i8": 1, "u8": 1, "i16": 2, "u16": 2, "i32": 4, "u32": 4, "i64": 8, "u64": 8,
    "fp8e4nv": 1, "fp8e5": 1, "fp16": 2, "bf16": 2, "fp32": 4, "fp64": 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Limits of one launch on a chip.

    Figures: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability". `chip`,
    `multiprocessors` and `memory_gib` are what host code is told where no GPU says otherwise: the
    SXM boards of the data sheets.
    """

    name: str
    architecture: int
    chip: str
    multiprocessors: int
    memory_gib: int
    shared_bytes_per_block: int  # with the opt-in; static and dynamic together
    shared_bytes_per_multiprocessor: int
    registers_per_multiprocessor: int = 65536
    threads_per_block: int = 1024
    threads_per_multiprocessor: int = 2048
    blocks_per_multiprocessor: int = 32
    cluster: int = 1  # blocks
    grid: tuple[int, int, int] = (2**31 - 1, 65535, 65535)


TARGETS = {
    target.name: target
    for target in (
        Target("sm_80", 80, "NVIDIA A100-SXM4-80GB", 108, 80, 163 << 10, 164 << 10),
        Target("sm_90", 90, "NVIDIA H100 80GB HBM3", 132, 80, 227 << 10, 228 << 10, cluster=16),
        Target("sm_100", 100, "NVIDIA B200", 148, 180, 227 << 10, 228 << 10, cluster=16),
    )
}


@dataclass(frozen=True, slots=True)
class Buffer:
    """A piece of device memory: a given input (``IN0``) or one that the submission allocated."""

    name: str
    n_bytes: int
    is_input: bool


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel of one cubin, with what each launch of it has in common.

    `threads` is the block's extent in x, y, z. `cluster` is the number of blocks along x that form
    a cluster; a grid's x is then a multiple of it. `local_bytes` is stack and spills of a thread.
    """

    name: str
    cubin: bytes
    threads: tuple[int, int, int]
    dynamic_shared_bytes: int
    static_shared_bytes: int
    cluster: int
    cooperative: bool
    programmatic_launch: bool
    registers: int
    local_bytes: int
    parameters: tuple[tuple[int, int], ...]  # offset and size of each in the block, in bytes
    parameter_bytes: int  # of the whole block


@dataclass(frozen=True, slots=True)
class Pointer:
    """An address: `offset_bytes` into a buffer, and inside it unless the buffer is empty."""

    buffer: str
    offset_bytes: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number passed by value; `encoded` is what stands in the parameter block."""

    dtype: str
    value: int | float
    encoded: bytes


@dataclass(frozen=True, slots=True)
class NullPointer:
    """Where Triton's calling convention has a scratch pointer that this kernel does not need."""


@dataclass(frozen=True, slots=True)
class TensorMap:
    """What ``cuTensorMapEncodeTiled`` needs, outermost dimension first as in PyTorch.

    Attributes
    ----------
    element_type : int
        A ``CUtensorMapDataType``.
    swizzle : int
        A ``CUtensorMapSwizzle``.
    shape, strides : tuple of int
        In elements; the last stride is 1.
    block : tuple of int
        The box that one copy moves, in elements.
    fill_nan : bool
        What is read outside the shape: NaN instead of 0.
    """

    base: Pointer
    element_type: int
    element_bytes: int
    swizzle: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    block: tuple[int, ...]
    fill_nan: bool


Argument: TypeAlias = Pointer | Scalar | NullPointer | TensorMap


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch. `kernel` indexes `Plan.kernels`; `grid` is in blocks."""

    kernel: int
    grid: tuple[int, int, int]
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    """Repeat `pattern` (1, 2, 4 or 8 bytes) over a range of a buffer."""

    to: Pointer
    n_bytes: int
    pattern: bytes


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy bytes from one range to another, without overlap."""

    to: Pointer
    source: Pointer
    n_bytes: int


PlainStep: TypeAlias = Launch | Fill | Copy


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Configurations of one autotuned call: exactly one of them runs, the executor picks."""

    choices: tuple[tuple[PlainStep, ...], ...]


Step: TypeAlias = PlainStep | Alternatives


@dataclass(frozen=True, slots=True)
class Result:
    """A tensor that the call returned; `shape` and `strides` in elements."""

    at: Pointer
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str

    @property
    def extent_bytes(self) -> int:
        """From the first to behind the last byte that it spans; 0 if it has no element."""
        if 0 in self.shape:
            return 0
        last = sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        return (last + 1) * DTYPE_BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class Plan:
    """One call of the submission's function, ready to be executed."""

    target: Target
    buffers: tuple[Buffer, ...]  # inputs first
    kernels: tuple[Kernel, ...]
    steps: tuple[Step, ...]
    results: tuple[Result, ...]


def argument_bytes(argument: Argument) -> int:
    """How much of the parameter block it fills."""
    if isinstance(argument, Scalar):
        return len(argument.encoded)
    return TENSOR_MAP_BYTES if isinstance(argument, TensorMap) else POINTER_BYTES
