"""Our own kernels on the device: inputs from a seed, a cold cache, scrubbed shared memory."""

from __future__ import annotations

import ctypes
import secrets
import struct
from collections.abc import Sequence
from importlib import resources

import numpy as np
from cuda.bindings import nvrtc

from graders.kernel.device.driver import Device
from graders.kernel.device.launches import Module, PackedLaunch, Parameters
from graders.kernel.elements import DType
from graders.kernel.inputs import NORMAL_SCALE, Fill, Law

_THREADS = 256
_DTYPES = {DType.FLOAT16: 0, DType.BFLOAT16: 1, DType.FLOAT32: 2, DType.INT32: 3}
_LAWS = {Law.NORMAL: 0, Law.UNIFORM: 1, Law.INTEGERS: 2}
_FILL = struct.Struct("<QQIIIIIIiiiif4x")


def compile_trusted(architecture: int) -> bytes:
    """The cubin of `trusted.cu`. Needs no context, so it is made before a GPU is taken.

    Raises
    ------
    RuntimeError
        If our own source does not compile.
    """
    source = resources.files("graders.kernel.device").joinpath("trusted.cu").read_bytes()
    status, program = nvrtc.nvrtcCreateProgram(source, b"trusted.cu", 0, [], [])
    if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        raise RuntimeError(f"NVRTC made no program: {status.name}")
    bits = int(np.float32(NORMAL_SCALE).view(np.int32))
    options = [f"--gpu-architecture=sm_{architecture}", f"-DNORMAL_SCALE_BITS={bits}"]
    (status,) = nvrtc.nvrtcCompileProgram(
        program, len(options), [option.encode() for option in options]
    )
    if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        _, size = nvrtc.nvrtcGetProgramLogSize(program)
        log = b" " * size
        nvrtc.nvrtcGetProgramLog(program, log)
        raise RuntimeError(f"trusted.cu does not compile: {log.decode(errors='replace')}")
    _, size = nvrtc.nvrtcGetCUBINSize(program)
    cubin = b" " * size
    nvrtc.nvrtcGetCUBIN(program, cubin)
    return bytes(cubin)


class Trusted:
    """The kernels of `trusted.cu`, loaded on an open device."""

    def __init__(self, device: Device, cubin: bytes) -> None:
        self._device = device
        properties = device.properties
        module = Module(cubin)
        self._draw = module.function("draw")
        self._count = module.function("count_differences")
        self._copy = module.function("copy_words")
        self._digest = module.function("digest")
        self._key = secrets.token_bytes(8)
        self._blocks = 8 * properties.multiprocessors
        self._counter = device.allocate(16)
        flush_bytes = 2 * properties.l2_bytes
        self._flush_address = device.allocate(flush_bytes)
        device.fill(self._flush_address, flush_bytes // 4 * 4, b"\x5a\x5a\x5a\x5a")
        self._flush = self._packed(
            module.function("read_all"),
            struct.pack("<QQQ", self._flush_address, flush_bytes // 16, self._counter),
            (0, 8, 16),
        )
        shared = properties.shared_bytes_per_block
        self._scrub = PackedLaunch(
            device,
            module.function("scrub_shared", shared),
            (properties.multiprocessors, 1, 1),
            (_THREADS, 1, 1),
            Parameters([struct.pack("<I", shared // 4)], [0], 4),
            shared,
        )

    def drawing(
        self, address: int, fill: Fill, dtype: DType, n_elements: int, seed: int, stream: int
    ) -> PackedLaunch:
        """A launch that fills a tensor's storage as `graders.kernel.inputs.draw` would."""
        data = _FILL.pack(
            n_elements,
            max(fill.row_elements, 1),
            seed & 0xFFFFFFFF,
            (seed >> 32) & 0xFFFFFFFF,
            stream,
            fill.high - fill.low + 1,
            fill.special_one_in,
            fill.special_row_one_in,
            _DTYPES[dtype],
            _LAWS[fill.law],
            fill.scale_log2,
            fill.low,
            fill.special,
        )
        parameters = Parameters([struct.pack("<Q", address), data], [0, 8], 8 + len(data))
        return PackedLaunch(
            self._device, self._draw, (self._blocks, 1, 1), (_THREADS, 1, 1), parameters
        )

    def flush_l2(self) -> None:
        """Fill the L2 cache with clean lines of a buffer that nobody else reads."""
        self._flush.enqueue()

    def scrub_shared(self) -> None:
        """Overwrite the shared memory of every multiprocessor."""
        self._scrub.enqueue()

    def count_differences(self, one: int, other: int, n_bytes: int) -> int:
        """How many 4-byte words of two ranges differ; a rest below 4 bytes is not looked at."""
        self._device.fill(self._counter, 8, b"\0")
        self._packed(
            self._count,
            struct.pack("<QQQQ", one, other, n_bytes // 4, self._counter),
            (0, 8, 16, 24),
        ).enqueue()
        return int.from_bytes(self._device.read(self._counter, 8), "little")

    def digest(self, ranges: Sequence[tuple[int, int]]) -> bytes:
        """16 bytes for each (address, bytes): alike for like bytes, with a key of this process."""
        found = []
        for address, n_bytes in ranges:
            self._device.fill(self._counter, 16, b"\0")
            self._packed(
                self._digest,
                struct.pack("<QQ", address, n_bytes) + self._key + struct.pack("<Q", self._counter),
                (0, 8, 16, 24),
            ).enqueue()
            found.append(self._device.read(self._counter, 16))
        return b"".join(found)

    def copying(self, to: int, source: int, n_bytes: int) -> PackedLaunch:
        """A launch that copies: what memory bandwidth a kernel can reach here."""
        return self._packed(self._copy, struct.pack("<QQQ", source, to, n_bytes // 16), (0, 8, 16))

    def _packed(self, function: object, block: bytes, offsets: tuple[int, ...]) -> PackedLaunch:
        fields = [block[offset : offset + 8] for offset in offsets]
        parameters = Parameters(fields, offsets, len(block))
        return PackedLaunch(
            self._device, function, (self._blocks, 1, 1), (_THREADS, 1, 1), parameters
        )


assert ctypes.sizeof(ctypes.c_void_p) == 8  # noqa: S101  # addresses are packed as 8 bytes
