"""The element types of tensors, without a library that knows bfloat16: raw words to numbers, back.

A tensor travels as raw little-endian words. `widen` makes float64 of them, which holds every value
of the others exactly, and `narrow` rounds to nearest even as the hardware's conversions do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[Any]  # unsigned 16- or 32-bit words, or int32
Float64 = NDArray[np.float64]


class DType(StrEnum):
    """An element type, by the name that plans and packages use."""

    FLOAT16 = "fp16"
    BFLOAT16 = "bf16"
    FLOAT32 = "fp32"
    INT32 = "i32"

    @property
    def n_bytes(self) -> int:
        """Bytes of one element."""
        return 2 if self in (DType.FLOAT16, DType.BFLOAT16) else 4

    @property
    def word(self) -> np.dtype[Any]:
        """The unsigned word that carries one element."""
        return np.dtype("<u2" if self.n_bytes == 2 else "<u4")

    @property
    def significand_bits(self) -> int:
        """Bits of the significand with the hidden one; of int32, all."""
        return {"fp16": 11, "bf16": 8, "fp32": 24, "i32": 32}[self.value]

    @property
    def unit_roundoff(self) -> float:
        """Largest relative error of one rounding to nearest."""
        return 0.0 if self is DType.INT32 else 2.0**-self.significand_bits

    @property
    def overflow_threshold(self) -> float:
        """The least magnitude that rounds to infinity."""
        return {
            "fp16": 65520.0,
            "bf16": (2 - 2.0**-8) * 2.0**127,
            "fp32": (2 - 2.0**-24) * 2.0**127,
            "i32": float("inf"),
        }[self.value]

    @property
    def smallest_normal(self) -> float:
        """Below this the spacing no longer shrinks, and a kernel may flush to zero."""
        return {"fp16": 2.0**-14, "bf16": 2.0**-126, "fp32": 2.0**-126, "i32": 0.0}[self.value]


def narrow(values: Float64 | NDArray[np.float32], dtype: DType) -> Words:
    """Round to nearest even; magnitudes past the largest become infinite."""
    if dtype is DType.INT32:
        return np.asarray(values).astype("<i4").view("<u4")
    with np.errstate(over="ignore"):
        if dtype is DType.FLOAT16:
            return np.asarray(values).astype("<f2").view("<u2")
        single: NDArray[np.float32] = np.asarray(values).astype("<f4")
    if dtype is DType.FLOAT32:
        return single.view("<u4")
    if values.dtype != np.float32:
        # Two roundings may differ from one: the first goes to odd, so that the second decides.
        single = _round_to_odd(np.asarray(values, np.float64), single)
    bits = single.view("<u4")
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    quiet = (bits >> np.uint32(16)) | np.uint32(0x40)
    return np.where(np.isnan(single), quiet, rounded).astype("<u2")


def _round_to_odd(values: Float64, nearest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Float32 of `values`, truncated, with the last bit set where anything was cut off."""
    exact = nearest.astype(np.float64) == values
    too_far = np.abs(nearest.astype(np.float64)) > np.abs(values)
    bits = nearest.view("<u4") - np.where(too_far, np.uint32(1), np.uint32(0))
    sticky = np.where(exact | ~np.isfinite(values), bits, bits | np.uint32(1))
    return sticky.astype("<u4").view("<f4")


def widen(words: Words, dtype: DType) -> Float64:
    """The numbers that raw words mean, in float64; exact."""
    if dtype is DType.INT32:
        return words.view("<i4").astype(np.float64)
    if dtype is DType.FLOAT16:
        return words.view("<f2").astype(np.float64)
    if dtype is DType.BFLOAT16:
        return (words.astype("<u4") << np.uint32(16)).view("<f4").astype(np.float64)
    return words.view("<f4").astype(np.float64)
