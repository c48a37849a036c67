"""Row-wise softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graders.kernel.elements import DType
from graders.kernel.inputs import Fill
from graders.kernel.operations.base import (
    FP32_ROUNDOFF,
    Array,
    Call,
    Expected,
    Namespace,
    Output,
    Tensor,
    Work,
    known_keys,
    one_of,
    whole_number,
)

_KEYS = ("rows", "columns", "dtype", "layout", "values", "timed")
_MINUS_INFINITY = float("-inf")
_VALUES = ("normal", "huge", "tiny", "some-minus-infinity", "rows-of-minus-infinity")


class Softmax:
    """``softmax(x)``: (rows, columns) to the same shape; a row of -inf alone gives zeros.

    A case's input: ``rows``, ``columns``, ``dtype``, ``layout`` row or padded, and ``values``:
    normal, huge (up to some thousands), tiny, some-minus-infinity (one element in four) or
    rows-of-minus-infinity (every third row as well).
    """

    def call(self, given: Mapping[str, Any]) -> Call:
        known_keys(given, *_KEYS)
        rows, columns, dtype = _sizes(given)
        step = columns + (8 if one_of(given, "layout", ("row", "padded"), "row") != "row" else 0)
        fill = {
            "normal": Fill(scale_log2=1),
            "huge": Fill(scale_log2=12),
            "tiny": Fill(scale_log2=-12),
            "some-minus-infinity": Fill(special=_MINUS_INFINITY, special_one_in=4),
            "rows-of-minus-infinity": Fill(
                special=_MINUS_INFINITY,
                special_one_in=4,
                special_row_one_in=3,
                row_elements=step,
            ),
        }[one_of(given, "values", _VALUES, "normal")]
        return Call(
            (Tensor("x", (rows, columns), (step, 1), dtype, fill, rows * step),),
            (Output("y", (rows, columns), dtype),),
        )

    def work(self, given: Mapping[str, Any]) -> Work:
        rows, columns, dtype = _sizes(given)
        n_bytes = float(rows * columns * dtype.n_bytes)
        return Work(5.0 * rows * columns, n_bytes, n_bytes, "fp32")

    def expected(
        self, xp: Namespace, given: Mapping[str, Any], tensors: Mapping[str, Array]
    ) -> list[Expected]:
        """Relative error of exp(x - m) / sum with fp32 inside.

        The subtraction and the factor log2(e) move the exponent by |x - m| units each, the sum of
        positive terms adds at most one unit a term, and a running maximum that moves rescales with
        the same errors once more.
        """
        x = tensors["x"]
        finite = x > _MINUS_INFINITY
        top = xp.amax(x, axis=-1, keepdims=True)
        top = xp.where(top > _MINUS_INFINITY, top, 0.0)
        terms = xp.where(finite, xp.exp(xp.where(finite, x - top, 0.0)), 0.0)
        total = xp.sum(terms, axis=-1, keepdims=True)
        value = xp.where(total > 0.0, terms / xp.where(total > 0.0, total, 1.0), 0.0)
        distance = xp.where(finite, top - x, 0.0)
        span = xp.amax(distance, axis=-1, keepdims=True)
        units = 3.0 * distance + 3.0 * span + 7.0 * x.shape[-1] + 16.0
        # What exp flushes to zero in fp32 counts as zero, however it is divided later.
        return [Expected(value, value * units * FP32_ROUNDOFF + finite * 2.0**-125)]


def _sizes(given: Mapping[str, Any]) -> tuple[int, int, DType]:
    dtype = DType(one_of(given, "dtype", ("fp16", "bf16", "fp32"), "fp16"))
    return whole_number(given, "rows"), whole_number(given, "columns"), dtype
