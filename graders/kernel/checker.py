"""``python -m graders.kernel.checker``: compares what a kernel returned with what is right.

It makes the inputs again from the seed and computes the exact result in float64, on the GPU where
torch can use one, else with numpy: the same formulas. It never sees a plan, a cubin or a source,
and shares neither process nor device context with them.

One request: ``operation``, ``given`` (the case's input), ``seed``, and ``results`` with shape,
strides and dtype of each, whose raw bytes are the blobs. Answered with ``comparisons``, one for
each output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graders.harness import wire
from graders.kernel.comparison import Comparison, compare
from graders.kernel.comparison_json import comparison_to_json
from graders.kernel.elements import DType, widen
from graders.kernel.inputs import draw
from graders.kernel.operations import OPERATIONS
from graders.kernel.operations.base import Array, Call, Tensor
from graders.kernel.streams import adopt_standard_streams

POISON_WORD = {2: 0xFFFF, 4: 0xFFFFFFFF}


class NumpyArrays:
    """Arrays in this process's memory."""

    xp: Any = np

    def tensor(self, tensor: Tensor, seed: int, stream: int) -> Array:
        """An input in float64, with the shape and layout that the candidate saw."""
        words = draw(tensor.fill, tensor.dtype, tensor.storage_elements, seed, stream)
        return _strided(widen(words, tensor.dtype), tensor.offset, tensor.shape, tensor.strides)

    def result(
        self, data: bytes, dtype: DType, shape: Sequence[int], strides: Sequence[int]
    ) -> tuple[Array, Array]:
        """A returned tensor in float64, and where it still holds the poison."""
        words = _strided(np.frombuffer(data, dtype.word), 0, shape, strides)
        return widen(np.ascontiguousarray(words), dtype), words == POISON_WORD[dtype.n_bytes]


class TorchArrays:
    """Arrays on the GPU; the inputs are made there by the executor's own kernel."""

    def __init__(self, *, open_device: bool = True) -> None:
        import torch

        from graders.kernel.device.driver import Device
        from graders.kernel.device.trusted import Trusted, compile_trusted

        if not torch.cuda.is_available():
            raise ImportError("torch sees no GPU")
        self.xp = torch
        self.device = Device()
        cubin = compile_trusted(self.device.properties.architecture)

        def start() -> Trusted:
            self.device.open()
            return Trusted(self.device, cubin)

        self._start = start
        if open_device:
            self.open()
        self._types = {
            DType.FLOAT16: torch.float16,
            DType.BFLOAT16: torch.bfloat16,
            DType.FLOAT32: torch.float32,
            DType.INT32: torch.int32,
        }

    def open(self) -> None:
        """Make the context: the GPU is in use from here on."""
        self.trusted = self._start()

    def tensor(self, tensor: Tensor, seed: int, stream: int) -> Array:
        """As `NumpyArrays.tensor`."""
        return self.raw(tensor, seed, stream).double()

    def raw(self, tensor: Tensor, seed: int, stream: int) -> Array:
        """An input in its own type."""
        storage = self.xp.empty(
            tensor.storage_elements, dtype=self._types[tensor.dtype], device="cuda"
        )
        made = storage.as_strided(tensor.shape, tensor.strides, tensor.offset)
        self.xp.cuda.synchronize()  # the memory may have been somebody's until now
        self.draw_into(made, tensor, seed, stream)
        self.device.wait(60.0)
        return made

    def draw_into(self, made: Array, tensor: Tensor, seed: int, stream: int) -> None:
        """Enqueue the drawing of an input into what `raw` returned."""
        address = made.untyped_storage().data_ptr()
        self.trusted.drawing(
            address, tensor.fill, tensor.dtype, tensor.storage_elements, seed, stream
        ).enqueue()

    def result(
        self, data: bytes, dtype: DType, shape: Sequence[int], strides: Sequence[int]
    ) -> tuple[Array, Array]:
        """As `NumpyArrays.result`."""
        signed = self.xp.int16 if dtype.n_bytes == 2 else self.xp.int32  # all ones is -1
        words = self.xp.frombuffer(bytearray(data), dtype=signed).cuda()
        numbers = words.view(self._types[dtype]).as_strided(tuple(shape), tuple(strides))
        return numbers.double(), words.as_strided(tuple(shape), tuple(strides)) == -1


Arrays = NumpyArrays | TorchArrays


def make_arrays() -> Arrays:
    """The faster kind that this machine has."""
    try:
        return TorchArrays(open_device=False)
    except ImportError:
        return NumpyArrays()


def compare_results(
    arrays: Arrays,
    operation_name: str,
    given: Mapping[str, Any],
    seed: int,
    results: Sequence[tuple[bytes, Sequence[int]]],
) -> list[Comparison]:
    """Compare each output of a call.

    Parameters
    ----------
    results : sequence of (raw bytes, strides)
        Shape and type have been seen to be those of the call's outputs.
    """
    operation = OPERATIONS[operation_name]
    call: Call = operation.call(given)
    tensors = {one.name: arrays.tensor(one, seed, i) for i, one in enumerate(call.tensors)}
    with np.errstate(all="ignore"):
        expected = operation.expected(arrays.xp, given, tensors)
        found = []
        for output, right, (data, strides) in zip(call.outputs, expected, results, strict=True):
            got, not_written = arrays.result(data, output.dtype, output.shape, strides)
            found.append(compare(arrays.xp, right, output.dtype, got, not_written))
    return found


def _strided(
    flat: np.ndarray[Any, Any], offset: int, shape: Sequence[int], strides: Sequence[int]
) -> np.ndarray[Any, Any]:
    needed = sum((n - 1) * step for n, step in zip(shape, strides, strict=True)) + 1
    if 0 in shape:
        return np.empty(tuple(shape), flat.dtype)
    if offset + needed > flat.size:
        raise ValueError(f"a tensor must lie in its storage, it ends at {offset + needed}")
    steps = tuple(step * flat.itemsize for step in strides)
    return np.lib.stride_tricks.as_strided(flat[offset:], tuple(shape), steps, writeable=False)


def main() -> None:
    """Answer requests until the grader hangs up."""
    adopt_standard_streams()
    # Importing takes seconds, so it comes first; the GPU is ours with the first request only.
    arrays = make_arrays()
    opened = False
    while (request := wire.read_request()) is not None:
        message, blobs = request
        if not opened and isinstance(arrays, TorchArrays):
            arrays.open()
        opened = True
        comparisons = compare_results(
            arrays,
            message["operation"],
            message["given"],
            int(message["seed"]),
            list(zip(blobs, message["strides"], strict=True)),
        )
        wire.write_answer({"comparisons": [comparison_to_json(one) for one in comparisons]})


if __name__ == "__main__":
    main()
