"""C = A B with fp32 accumulation: fp16 and bf16 on tensor cores, fp32 on scalar units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graders.kernel.elements import DType
from graders.kernel.inputs import Fill, Law
from graders.kernel.operations.base import (
    ACCUMULATOR_ULP,
    EXACT_INTEGER_LIMIT,
    Array,
    Call,
    Expected,
    Namespace,
    Output,
    Tensor,
    Work,
    gamma,
    known_keys,
    one_of,
    whole_number,
)

_LAYOUTS = ("row", "column", "padded")
_PADDING_ELEMENTS = 8  # 16 bytes of fp16: rows stay aligned, and no stride is the width any more
_KEYS = ("m", "n", "k", "dtype", "a_layout", "b_layout", "values", "timed")
_FILLS = {
    "normal": Fill(),
    # Sums pass 2048, above which fp16 no longer holds odd numbers, and stay far below 2**24.
    "integers": Fill(Law.INTEGERS, low=0, high=3),
    "signs": Fill(Law.INTEGERS, low=-1, high=1),
    # 13 bits: TF32 keeps 11 of them.
    "wide-integers": Fill(Law.INTEGERS, low=-4095, high=4095),
    "huge": Fill(scale_log2=60),
    "tiny": Fill(scale_log2=-60),
    "huge-fp16": Fill(scale_log2=6),
    "tiny-fp16": Fill(scale_log2=-10),
}
_VALUES = {
    "normal": ("normal", "normal"),
    "integers": ("integers", "integers"),
    "wide-integers": ("wide-integers", "signs"),
    "huge": ("huge", "normal"),
    "tiny": ("tiny", "normal"),
    "huge-fp16": ("huge-fp16", "normal"),
    "tiny-fp16": ("tiny-fp16", "normal"),
}


class Matmul:
    """``matmul(a, b)``: (M, K) by (K, N), any layout.

    A case's input: ``m``, ``n``, ``k``; ``dtype`` fp16, bf16 or fp32; ``a_layout`` and ``b_layout``
    row, column or padded (rows lie further apart than they are long); ``values`` a key of
    `_VALUES`.
    """

    def call(self, given: Mapping[str, Any]) -> Call:
        known_keys(given, *_KEYS)
        m, n, k, dtype = _sizes(given)
        fills = _VALUES[one_of(given, "values", tuple(_VALUES), "normal")]
        layouts = [one_of(given, key, _LAYOUTS, "row") for key in ("a_layout", "b_layout")]
        return Call(
            (
                _matrix("a", (m, k), layouts[0], dtype, _FILLS[fills[0]]),
                _matrix("b", (k, n), layouts[1], dtype, _FILLS[fills[1]]),
            ),
            (Output("c", (m, n), dtype),),
        )

    def work(self, given: Mapping[str, Any]) -> Work:
        m, n, k, dtype = _sizes(given)
        return Work(
            flops=2.0 * m * n * k,
            bytes_read=float((m * k + k * n) * dtype.n_bytes),
            bytes_written=float(m * n * dtype.n_bytes),
            unit="fp32" if dtype is DType.FLOAT32 else "tensor",
        )

    def expected(
        self, xp: Namespace, given: Mapping[str, Any], tensors: Mapping[str, Array]
    ) -> list[Expected]:
        """Componentwise: |C - AB| <= gamma_K |A||B|, whatever the order of additions.

        References
        ----------
        .. [1] Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.5.
        """
        k = _sizes(given)[2]
        a, b = tensors["a"], tensors["b"]
        magnitude = xp.matmul(xp.abs(a), xp.abs(b))
        values = one_of(given, "values", tuple(_VALUES), "normal")
        whole = all(_FILLS[fill].law is Law.INTEGERS for fill in _VALUES[values])
        if whole and float(xp.max(magnitude)) <= EXACT_INTEGER_LIMIT:
            bound = magnitude * 0.0
        else:
            bound = magnitude * gamma(k, ACCUMULATOR_ULP)
        return [Expected(xp.matmul(a, b), bound)]


def _sizes(given: Mapping[str, Any]) -> tuple[int, int, int, DType]:
    dtype = DType(one_of(given, "dtype", ("fp16", "bf16", "fp32"), "fp16"))
    m, n, k = (whole_number(given, key) for key in ("m", "n", "k"))
    return m, n, k, dtype


def _matrix(name: str, shape: tuple[int, int], layout: str, dtype: DType, fill: Fill) -> Tensor:
    rows, columns = shape
    if layout == "column":
        return Tensor(name, shape, (1, rows), dtype, fill, rows * columns)
    step = columns + (_PADDING_ELEMENTS if layout == "padded" else 0)
    return Tensor(name, shape, (step, 1), dtype, fill, rows * step)
