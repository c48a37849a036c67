"""h = x + residual, y = h / rms(h) * weight, both returned."""

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
    Scalar,
    Tensor,
    Work,
    known_keys,
    one_of,
    packed,
    whole_number,
)

_KEYS = ("rows", "columns", "dtype", "layout", "values", "timed")
EPSILON = 1e-5


class AddRmsNorm:
    """``fused_add_rmsnorm(x, residual, weight, eps)`` to ``(y, h)``; weight has one row.

    A case's input: ``rows``, ``columns``, ``dtype``, ``layout`` row or padded (of x and residual),
    ``values`` normal, huge, tiny or zeros (every second row of x and residual is zero).
    """

    def call(self, given: Mapping[str, Any]) -> Call:
        known_keys(given, *_KEYS)
        rows, columns, dtype = _sizes(given)
        step = columns + (8 if one_of(given, "layout", ("row", "padded"), "row") != "row" else 0)
        half = dtype is DType.FLOAT16
        fill = {
            "normal": Fill(),
            "huge": Fill(scale_log2=12 if half else 40),
            "tiny": Fill(scale_log2=-12 if half else -40),
            "zeros": Fill(special=0.0, special_row_one_in=2, row_elements=step),
        }[one_of(given, "values", ("normal", "huge", "tiny", "zeros"), "normal")]
        return Call(
            (
                Tensor("x", (rows, columns), (step, 1), dtype, fill, rows * step),
                Tensor("residual", (rows, columns), (step, 1), dtype, fill, rows * step),
                packed("weight", (columns,), dtype, Fill()),
                Scalar("eps", EPSILON),
            ),
            (Output("y", (rows, columns), dtype), Output("h", (rows, columns), dtype)),
        )

    def work(self, given: Mapping[str, Any]) -> Work:
        rows, columns, dtype = _sizes(given)
        n_bytes = float(rows * columns * dtype.n_bytes)
        return Work(
            5.0 * rows * columns, 2 * n_bytes + columns * dtype.n_bytes, 2 * n_bytes, "fp32"
        )

    def expected(
        self, xp: Namespace, given: Mapping[str, Any], tensors: Mapping[str, Array]
    ) -> list[Expected]:
        """y may come from h before or after its rounding: two roundings of the type cover both."""
        _, columns, dtype = _sizes(given)
        h = tensors["x"] + tensors["residual"]
        mean = xp.sum(h * h, axis=-1, keepdims=True) / columns
        y = h / xp.sqrt(mean + EPSILON) * tensors["weight"]
        units = 2.0 * dtype.unit_roundoff + (columns + 12.0) * FP32_ROUNDOFF
        return [Expected(y, xp.abs(y) * units), Expected(h, xp.abs(h) * FP32_ROUNDOFF)]


def _sizes(given: Mapping[str, Any]) -> tuple[int, int, DType]:
    dtype = DType(one_of(given, "dtype", ("fp16", "bf16", "fp32"), "fp16"))
    return whole_number(given, "rows"), whole_number(given, "columns"), dtype
