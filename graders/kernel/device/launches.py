"""Launches with everything packed beforehand, so that one costs one call of the driver."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from cuda.bindings import driver

from graders.kernel.device.driver import Device, call
from graders.kernel.plan import (
    TENSOR_MAP_BYTES,
    Argument,
    Kernel,
    Launch,
    NullPointer,
    Pointer,
    Scalar,
    TensorMap,
)

_ALIGNMENT = 64  # of a tensor map
_SHARED_BYTES_WITHOUT_ASKING = 48 << 10


class Module:
    """A cubin on the device."""

    def __init__(self, cubin: bytes) -> None:
        self._module = call(driver.cuModuleLoadData, cubin)

    def function(self, name: str, shared_bytes: int = 0) -> Any:
        """A kernel, allowed to use `shared_bytes` of dynamic shared memory."""
        function = call(driver.cuModuleGetFunction, self._module, name.encode())
        if shared_bytes > _SHARED_BYTES_WITHOUT_ASKING:
            attribute = driver.CUfunction_attribute
            call(
                driver.cuFuncSetAttribute,
                function,
                attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                shared_bytes,
            )
        return function

    def unload(self) -> None:
        call(driver.cuModuleUnload, self._module)


class Parameters:
    """A parameter block in host memory, and the array of addresses into it that a launch takes."""

    def __init__(self, encoded: Sequence[bytes], offsets: Sequence[int], n_bytes: int) -> None:
        self._memory = ctypes.create_string_buffer(n_bytes + _ALIGNMENT)
        start = -(-ctypes.addressof(self._memory) // _ALIGNMENT) * _ALIGNMENT
        for data, offset in zip(encoded, offsets, strict=True):
            ctypes.memmove(start + offset, data, len(data))
        self._pointers = (ctypes.c_void_p * max(len(offsets), 1))(
            *(start + offset for offset in offsets)
        )

    @property
    def address(self) -> int:
        return ctypes.addressof(self._pointers)


class PackedLaunch:
    """One launch, ready to go."""

    def __init__(
        self,
        device: Device,
        function: Any,
        grid: tuple[int, int, int],
        threads: tuple[int, int, int],
        parameters: Parameters,
        shared_bytes: int = 0,
        attributes: Sequence[Any] = (),
    ) -> None:
        self._function = function
        self._parameters = parameters
        config = driver.CUlaunchConfig()
        config.gridDimX, config.gridDimY, config.gridDimZ = grid
        config.blockDimX, config.blockDimY, config.blockDimZ = threads
        config.sharedMemBytes = shared_bytes
        config.hStream = device.stream
        config.attrs = list(attributes)
        config.numAttrs = len(attributes)
        self._config = config
        self._empty = 0 in grid

    def enqueue(self) -> None:
        """Launch it. An empty grid launches nothing, as Triton's own launcher has it."""
        if not self._empty:
            call(driver.cuLaunchKernelEx, self._config, self._function, self._parameters.address, 0)


def pack(
    device: Device,
    function: Any,
    kernel: Kernel,
    launch: Launch,
    addresses: Mapping[str, int],
    *,
    first: bool,
) -> PackedLaunch:
    """A launch of a plan. `first` launches wait for all that went before, whatever they ask for."""
    arguments = launch.arguments
    parameters = Parameters(
        [_encoded(argument, addresses) for argument in arguments],
        [offset for offset, _ in kernel.parameters],
        max((offset + size for offset, size in kernel.parameters), default=0),
    )
    attributes = []
    ids = driver.CUlaunchAttributeID
    if kernel.cluster > 1:
        attribute = driver.CUlaunchAttribute()
        attribute.id = ids.CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
        extent = attribute.value.clusterDim
        extent.x, extent.y, extent.z = kernel.cluster, 1, 1
        attributes.append(attribute)
        if kernel.cluster > 8:
            name = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED
            call(driver.cuFuncSetAttribute, function, name, 1)
    if kernel.cooperative:
        attribute = driver.CUlaunchAttribute()
        attribute.id = ids.CU_LAUNCH_ATTRIBUTE_COOPERATIVE
        attribute.value.cooperative = 1
        attributes.append(attribute)
    if kernel.programmatic_launch and not first:
        attribute = driver.CUlaunchAttribute()
        attribute.id = ids.CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
        attribute.value.programmaticStreamSerializationAllowed = 1
        attributes.append(attribute)
    return PackedLaunch(
        device,
        function,
        launch.grid,
        kernel.threads,
        parameters,
        kernel.dynamic_shared_bytes,
        attributes,
    )


def _encoded(argument: Argument, addresses: Mapping[str, int]) -> bytes:
    if isinstance(argument, Scalar):
        return argument.encoded
    if isinstance(argument, NullPointer):
        return bytes(8)
    if isinstance(argument, Pointer):
        return struct.pack("<Q", addresses[argument.buffer] + argument.offset_bytes)
    return _tensor_map(argument, addresses[argument.base.buffer] + argument.base.offset_bytes)


def _tensor_map(given: TensorMap, address: int) -> bytes:
    """Encode a descriptor as Triton's launcher does, innermost dimension first."""
    rank = len(given.shape)
    encoded = call(
        driver.cuTensorMapEncodeTiled,
        driver.CUtensorMapDataType(given.element_type),
        rank,
        address,
        [driver.cuuint64_t(size) for size in reversed(given.shape)],
        [
            driver.cuuint64_t(step * given.element_bytes)
            for step in tuple(reversed(given.strides))[1:]
        ]
        or [driver.cuuint64_t(given.shape[0] * given.element_bytes)],
        [driver.cuuint32_t(size) for size in reversed(given.block)],
        [driver.cuuint32_t(1)] * rank,
        driver.CUtensorMapInterleave.CU_TENSOR_MAP_INTERLEAVE_NONE,
        driver.CUtensorMapSwizzle(given.swizzle),
        driver.CUtensorMapL2promotion.CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
        driver.CUtensorMapFloatOOBfill(int(given.fill_nan)),
    )
    return ctypes.string_at(int(encoded.getPtr()), TENSOR_MAP_BYTES)
