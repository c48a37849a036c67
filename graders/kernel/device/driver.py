"""The CUDA driver API, with errors as exceptions and numbers as ints."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from typing import Any

from cuda.bindings import driver

POLL_S = 20e-6
_STAGING_BYTES = 32 << 20  # page-locked, so that copies from the device run at the bus's speed


class DeviceFault(Exception):
    """A call or a kernel failed on the device.

    `code` is the driver's name for it, e.g. ``CUDA_ERROR_ILLEGAL_ADDRESS``.
    """

    def __init__(self, code: str, what: str) -> None:
        super().__init__(f"{what}: {code}")
        self.code = code


class Endless(DeviceFault):
    """Work did not end in time. The context is lost: only the end of the process stops a kernel."""

    def __init__(self, limit_s: float) -> None:
        super().__init__("ENDLESS", f"work did not end within {limit_s} s")


def call(function: Any, *arguments: Any) -> Any:
    """Call a driver function; what it returns without the status.

    Raises
    ------
    DeviceFault
        If the status is not success.
    """
    status, *values = function(*arguments)
    if status != driver.CUresult.CUDA_SUCCESS:
        name = status.name if hasattr(status, "name") else str(status)
        raise DeviceFault(name, function.__name__)
    if not values:
        return None
    return values[0] if len(values) == 1 else tuple(values)


@dataclass(frozen=True, slots=True)
class Properties:
    """What the driver says about a GPU."""

    name: str
    uuid: str
    architecture: int  # 90 for compute capability 9.0
    multiprocessors: int
    clock_khz: int  # the highest
    memory_clock_khz: int
    memory_bus_bits: int
    memory_bytes: int
    l2_bytes: int
    shared_bytes_per_block: int
    driver_version: int

    @property
    def target(self) -> str:
        """The name that plans give it."""
        return f"sm_{self.architecture}"


class Device:
    """One GPU with its primary context current in this thread, and one stream.

    The primary context is the one that torch uses, so that a process with torch has one context.
    """

    def __init__(self, ordinal: int = 0) -> None:
        call(driver.cuInit, 0)
        self._device = call(driver.cuDeviceGet, ordinal)
        self.properties = _properties(self._device)
        self._stream: Any = None
        self._staging = 0

    def open(self) -> None:
        """Make the context: the GPU is in use from here on."""
        context = call(driver.cuDevicePrimaryCtxRetain, self._device)
        call(driver.cuCtxSetCurrent, context)
        self._stream = call(driver.cuStreamCreate, driver.CUstream_flags.CU_STREAM_NON_BLOCKING)

    @property
    def stream(self) -> Any:
        """The stream that all work goes to."""
        return self._stream

    def allocate(self, n_bytes: int) -> int:
        """Address of `n_bytes` of device memory."""
        return int(call(driver.cuMemAlloc, max(n_bytes, 1)))

    def free(self, address: int) -> None:
        call(driver.cuMemFree, address)

    def fill(self, address: int, n_bytes: int, pattern: bytes) -> None:
        """Repeat `pattern` (1, 2, 4 or 8 bytes), in stream order."""
        if not n_bytes:
            return
        value = int.from_bytes(pattern, "little")
        count = n_bytes // len(pattern)
        if len(pattern) == 8:
            for word in (0, 1):
                half = (value >> (32 * word)) & 0xFFFFFFFF
                call(driver.cuMemsetD2D32Async, address + 4 * word, 8, half, 1, count, self._stream)
            return
        functions = {
            1: driver.cuMemsetD8Async,
            2: driver.cuMemsetD16Async,
            4: driver.cuMemsetD32Async,
        }
        call(functions[len(pattern)], address, value, count, self._stream)

    def copy(self, to: int, source: int, n_bytes: int) -> None:
        """Copy on the device, in stream order."""
        if n_bytes:
            call(driver.cuMemcpyDtoDAsync, to, source, n_bytes, self._stream)

    def read(self, address: int, n_bytes: int, limit_s: float = 60.0) -> bytes:
        """Bytes of device memory, after all work before."""
        if not self._staging:
            self._staging = int(call(driver.cuMemHostAlloc, _STAGING_BYTES, 0))
        parts = []
        for start in range(0, n_bytes, _STAGING_BYTES):
            size = min(_STAGING_BYTES, n_bytes - start)
            call(driver.cuMemcpyDtoHAsync, self._staging, address + start, size, self._stream)
            self.wait(limit_s)
            parts.append(ctypes.string_at(self._staging, size))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def event(self) -> Any:
        """An event that notes the time."""
        return call(driver.cuEventCreate, driver.CUevent_flags.CU_EVENT_DEFAULT)

    def record(self, event: Any) -> None:
        call(driver.cuEventRecord, event, self._stream)

    def elapsed_s(self, start: Any, end: Any) -> float:
        """Seconds between two recorded events that are over."""
        return float(call(driver.cuEventElapsedTime, start, end)) / 1e3

    def wait(self, limit_s: float) -> None:
        """Wait for all work.

        Raises
        ------
        Endless
            If it takes longer than `limit_s`.
        DeviceFault
            If some of it failed.
        """
        deadline = time.monotonic() + limit_s
        while True:
            (status,) = driver.cuStreamQuery(self._stream)
            if status == driver.CUresult.CUDA_SUCCESS:
                return
            if status != driver.CUresult.CUDA_ERROR_NOT_READY:
                raise DeviceFault(status.name, "a kernel")
            if time.monotonic() > deadline:
                raise Endless(limit_s)
            time.sleep(POLL_S)


def _properties(device: Any) -> Properties:
    names = driver.CUdevice_attribute

    def attribute(name: str) -> int:
        return int(
            call(driver.cuDeviceGetAttribute, getattr(names, f"CU_DEVICE_ATTRIBUTE_{name}"), device)
        )

    uuid = call(driver.cuDeviceGetUuid, device).bytes
    return Properties(
        name=call(driver.cuDeviceGetName, 128, device).split(b"\0")[0].decode(),
        uuid=bytes(uuid).hex(),
        architecture=10 * attribute("COMPUTE_CAPABILITY_MAJOR")
        + attribute("COMPUTE_CAPABILITY_MINOR"),
        multiprocessors=attribute("MULTIPROCESSOR_COUNT"),
        clock_khz=attribute("CLOCK_RATE"),
        memory_clock_khz=attribute("MEMORY_CLOCK_RATE"),
        memory_bus_bits=attribute("GLOBAL_MEMORY_BUS_WIDTH"),
        memory_bytes=int(call(driver.cuDeviceTotalMem, device)),
        l2_bytes=attribute("L2_CACHE_SIZE"),
        shared_bytes_per_block=attribute("MAX_SHARED_MEMORY_PER_BLOCK_OPTIN"),
        driver_version=int(call(driver.cuDriverGetVersion)),
    )
