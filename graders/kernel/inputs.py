"""Inputs drawn from a secret seed: the same words from numpy here and from a kernel on the device.

The generator is counter-based, so element i of a tensor depends on nothing but (seed, stream, i):
the executor makes inputs on the device just before a call, and the checker makes the same again in
another process, without a byte between them. Everything after the random words is integer
arithmetic, one float32 multiplication and one rounding, which both sides do alike to the last bit.
`device/generator.cu` is the twin of this file.

References
----------
.. [1] Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Philox4x32-10).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from graders.kernel.elements import DType, Words, narrow

Uint32 = NDArray[np.uint32]

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
ROUNDS = 10
_CHUNK = 1 << 18  # elements at a time: their intermediate words stay in the cache

# Four uniform 16-bit numbers, summed and centred, have this variance; 1/sqrt of it as float32.
NORMAL_SCALE = np.float32(1.0 / math.sqrt((2.0**32 - 1.0) / 3.0))


class Law(StrEnum):
    """How a random word becomes a number."""

    NORMAL = "normal"  # sum of four uniforms: mean 0, variance 1, at most 3.47 in magnitude
    UNIFORM = "uniform"  # in [0, 1)
    INTEGERS = "integers"  # low..high, each alike


@dataclass(frozen=True, slots=True)
class Fill:
    """What a tensor is filled with, by position in its storage.

    Attributes
    ----------
    scale_log2 : int
        Numbers are multiplied by 2 to this; exact unless it leaves the type's range.
    low, high : int
        Bounds of INTEGERS, both included.
    special : float
        Written instead of the drawn number, to one element in `special_one_in` at random and to
        every row whose index is -1 modulo `special_row_one_in`; 0 for none.
    row_elements : int
        Elements of a row, for the rows of `special`.
    """

    law: Law = Law.NORMAL
    scale_log2: int = 0
    low: int = 0
    high: int = 0
    special: float = 0.0
    special_one_in: int = 0
    special_row_one_in: int = 0
    row_elements: int = 1


def philox(counter: Uint32, stream: int, seed: int) -> tuple[Uint32, Uint32, Uint32, Uint32]:
    """Four random words for each counter.

    Parameters
    ----------
    counter : uint32 array
        Low word of the counter; the second word is `stream`, the others are 0.
    seed : int
        64 bits: the key.
    """
    words = [
        counter.astype(np.uint64),
        np.full(counter.shape, stream, np.uint64),
        np.zeros(counter.shape, np.uint64),
        np.zeros(counter.shape, np.uint64),
    ]
    keys = [seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF]
    for _ in range(ROUNDS):
        first = words[0] * np.uint64(_MULTIPLIERS[0])
        second = words[2] * np.uint64(_MULTIPLIERS[1])
        words = [
            (second >> np.uint64(32)) ^ words[1] ^ np.uint64(keys[0]),
            second & _MASK,
            (first >> np.uint64(32)) ^ words[3] ^ np.uint64(keys[1]),
            first & _MASK,
        ]
        keys = [(key + step) & 0xFFFFFFFF for key, step in zip(keys, _WEYL, strict=True)]
    one, two, three, four = (word.astype(np.uint32) for word in words)
    return one, two, three, four


def draw(fill: Fill, dtype: DType, n_elements: int, seed: int, stream: int) -> Words:
    """The raw words of a tensor's storage.

    Parameters
    ----------
    n_elements : int
        Elements in storage order, below 2**33.
    seed : int
        64 secret bits, one seed for all tensors of a call.
    stream : int
        Tells the tensors of a call apart: the position among the function's arguments.

    Raises
    ------
    ValueError
        If `n_elements` needs a longer counter.
    """
    if not 0 <= n_elements < 1 << 33:
        raise ValueError(f"a tensor may have fewer than 2**33 elements, got {n_elements}")
    parts = [_chunk(fill, dtype, start, stop, seed, stream) for start, stop in _spans(n_elements)]
    return np.concatenate(parts) if parts else np.empty(0, dtype.word)


def _spans(n_elements: int) -> Iterator[tuple[int, int]]:
    for start in range(0, n_elements, _CHUNK):
        yield start, min(start + _CHUNK, n_elements)


def _chunk(fill: Fill, dtype: DType, start: int, stop: int, seed: int, stream: int) -> Words:
    # Two words an element, so one block of four serves a pair; a chunk starts at an even element.
    blocks = np.arange(start // 2, (stop + 1) // 2, dtype=np.uint64).astype(np.uint32)
    a, b, c, d = philox(blocks, stream, seed)
    count = stop - start
    first = np.stack([a, c], axis=-1).reshape(-1)[:count]
    second = np.stack([b, d], axis=-1).reshape(-1)[:count]
    numbers = _numbers(fill, first, second)
    if fill.special_one_in:
        numbers[second % np.uint32(fill.special_one_in) == 0] = fill.special
    if fill.special_row_one_in:
        rows = np.arange(start, stop) // fill.row_elements
        chosen = rows % fill.special_row_one_in == fill.special_row_one_in - 1
        numbers[chosen] = fill.special
    return narrow(numbers, dtype)


def _numbers(fill: Fill, first: Uint32, second: Uint32) -> NDArray[np.float32]:
    half = np.uint32(0xFFFF)
    sixteen = np.uint32(16)
    if fill.law is Law.NORMAL:
        halves = (first & half) + (first >> sixteen) + (second & half) + (second >> sixteen)
        numbers = (halves.astype(np.int64) - 131070).astype(np.float32) * NORMAL_SCALE
    elif fill.law is Law.UNIFORM:
        numbers = (first >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    else:
        span = np.uint32(fill.high - fill.low + 1)
        numbers = ((first % span).astype(np.int64) + fill.low).astype(np.float32)
    with np.errstate(over="ignore", under="ignore"):
        scaled: NDArray[np.float32] = np.ldexp(numbers, fill.scale_log2).astype(np.float32)
    return scaled
