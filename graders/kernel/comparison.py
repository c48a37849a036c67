"""What a kernel returned beside what is right: every element, and the first that is wrong.

The error of each element is divided by the largest error that correct arithmetic can make there.
Above 1 it is wrong, whatever it looks like; there is no tolerance to guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from graders.kernel.elements import DType
from graders.kernel.operations.base import Array, Expected, Namespace

MAP_CELLS = 32  # the error map has at most so many rows and columns


class Fault(StrEnum):
    """What is wrong with an element, worst first."""

    NOT_WRITTEN = "not_written"  # it still holds the poison
    NOT_A_NUMBER = "not_a_number"
    OUTSIDE_BOUND = "outside_bound"


@dataclass(frozen=True, slots=True)
class ErrorMap:
    """The largest error over its bound in each tile of an output, seen as a matrix.

    `ratios` has a row for each band of `tile_rows` rows; infinite where a number is missing.
    """

    tile_rows: int
    tile_columns: int
    ratios: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first wrong element of an output, and where the others lie."""

    fault: Fault
    index: tuple[int, ...]
    expected: float
    got: float
    bound: float  # the largest |got - expected| that correct arithmetic gives
    n_wrong: int
    n_not_written: int
    n_elements: int
    map: ErrorMap


@dataclass(frozen=True, slots=True)
class Comparison:
    """One output compared. `worst_ratio` is the largest error over its bound."""

    worst_ratio: float
    calc_diff: float  # DeepGEMM's global measure, 1 - 2<x,y>/(<x,x>+<y,y>); reported, not judged
    mismatch: Mismatch | None


def compare(
    xp: Namespace, expected: Expected, dtype: DType, got: Array, not_written: Array
) -> Comparison:
    """Compare one output.

    Parameters
    ----------
    got : float64 array
        What was returned, widened; of the expected shape.
    not_written : bool array
        Where the raw words are still the poison.
    """
    bound = rounded_bound(xp, expected, dtype)
    infinite = xp.isinf(expected.value)
    error = xp.where(infinite, 0.0, xp.abs(got - xp.where(infinite, 0.0, expected.value)))
    wrong_infinity = infinite & (got != expected.value)
    allowed_infinity = _may_overflow(xp, expected, dtype, got)
    # A comparison with NaN is false, so the test is for being right.
    right = ((error <= bound) | allowed_infinity) & ~wrong_infinity & ~not_written
    ratio = xp.where(allowed_infinity, 0.0, error / xp.where(bound > 0.0, bound, 1e-300))
    ratio = xp.where(right, xp.clip(xp.where(ratio == ratio, ratio, 0.0), 0.0, 1.0), ratio)
    ratio = xp.where(right | (ratio > 1.0), ratio, math.inf)
    wrong = ~right
    n_wrong = int(xp.sum(wrong))
    finite = xp.isfinite(got) & xp.isfinite(expected.value)
    diff = _calc_diff(xp, xp.where(finite, got, 0.0), xp.where(finite, expected.value, 0.0))
    worst = float(xp.max(ratio)) if math.prod(ratio.shape) else 0.0
    if not n_wrong:
        return Comparison(worst, diff, None)
    flat = int(xp.argmax(xp.where(wrong, 1.0, 0.0).reshape(-1)))
    index = _unravel(flat, tuple(got.shape))
    value = float(got[index])
    if bool(not_written[index]):
        fault = Fault.NOT_WRITTEN
    else:
        fault = Fault.NOT_A_NUMBER if value != value else Fault.OUTSIDE_BOUND
    return Comparison(
        worst,
        diff,
        Mismatch(
            fault=fault,
            index=index,
            expected=float(expected.value[index]),
            got=value,
            bound=float(bound[index]),
            n_wrong=n_wrong,
            n_not_written=int(xp.sum(not_written)),
            n_elements=math.prod(got.shape),
            map=error_map(xp, ratio),
        ),
    )


def rounded_bound(xp: Namespace, expected: Expected, dtype: DType) -> Array:
    """The bound with the last rounding to `dtype` added; it may flush what is below normal."""
    magnitude = xp.abs(xp.where(xp.isinf(expected.value), 0.0, expected.value))
    spacing = dtype.smallest_normal * dtype.unit_roundoff
    rounding = (magnitude + expected.bound) * dtype.unit_roundoff + spacing
    # Only fp16 has gradual underflow that kernels keep; the others share fp32's exponents.
    flushed = 0.0 if dtype is DType.FLOAT16 else dtype.smallest_normal
    return expected.bound + rounding + xp.where(magnitude < dtype.smallest_normal, flushed, 0.0)


def error_map(xp: Namespace, ratio: Array) -> ErrorMap:
    """The largest ratio in each tile; leading dimensions are laid one under the other."""
    columns = int(ratio.shape[-1]) if len(ratio.shape) else 1
    matrix = ratio.reshape(-1, columns)
    rows = int(matrix.shape[0])
    tile_rows, tile_columns = (_tile(size) for size in (rows, columns))
    bands = []
    for top in range(0, rows, tile_rows):
        band = xp.amax(matrix[top : top + tile_rows], axis=0)
        bands.append(
            tuple(
                float(xp.max(band[left : left + tile_columns]))
                for left in range(0, columns, tile_columns)
            )
        )
    return ErrorMap(tile_rows, tile_columns, tuple(bands))


def _tile(size: int) -> int:
    """A power of two, as kernels' tiles are, that gives at most MAP_CELLS tiles."""
    tile = 1
    while tile * MAP_CELLS < size:
        tile *= 2
    return tile


def _may_overflow(xp: Namespace, expected: Expected, dtype: DType, got: Array) -> Array:
    """Where an infinity of the right sign is what rounding gives, or may give."""
    reach = xp.abs(expected.value) + expected.bound
    same_sign = xp.sign(got) == xp.sign(expected.value)
    return xp.isinf(got) & same_sign & (reach >= dtype.overflow_threshold)


def _calc_diff(xp: Namespace, got: Array, expected: Array) -> float:
    total = float(xp.sum(got * got) + xp.sum(expected * expected))
    return 1.0 - 2.0 * float(xp.sum(got * expected)) / total if total > 0.0 else 0.0


def _unravel(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index = []
    for size in reversed(shape):
        index.append(flat % size)
        flat //= size
    return tuple(reversed(index))
