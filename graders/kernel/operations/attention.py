"""Attention forward with grouped heads: output and log-sum-exp."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graders.kernel.elements import DType
from graders.kernel.inputs import Fill
from graders.kernel.operations.base import (
    ACCUMULATOR_ULP,
    FP32_ROUNDOFF,
    Array,
    Call,
    Expected,
    Namespace,
    Output,
    Scalar,
    Work,
    gamma,
    known_keys,
    one_of,
    packed,
    whole_number,
)

_KEYS = ("batch", "q_heads", "kv_heads", "q_len", "k_len", "head_dim", "causal", "dtype", "values")
_MINUS_INFINITY = float("-inf")


class Attention:
    """``attention(q, k, v, causal)`` to ``(o, lse)``.

    q is (batch, q_heads, q_len, head_dim), k and v (batch, kv_heads, k_len, head_dim); head h reads
    key head h // (q_heads / kv_heads). Scores are scaled by 1/sqrt(head_dim). The causal mask is
    aligned at the end: query i sees keys up to i + k_len - q_len. A query that sees no key gives
    zeros and a log-sum-exp of -inf. lse is fp32, (batch, q_heads, q_len), in natural logarithm.

    A case's input: those sizes, ``causal``, ``dtype`` fp16 or bf16 (fp32 too, for small cases) and
    ``values`` normal or huge (scores up to some thousands).
    """

    def call(self, given: Mapping[str, Any]) -> Call:
        known_keys(given, *_KEYS, "timed")
        batch, q_heads, kv_heads, q_len, k_len, head_dim, dtype = _sizes(given)
        scale_log2 = {"normal": 0, "huge": 4}[one_of(given, "values", ("normal", "huge"), "normal")]
        score = Fill(scale_log2=scale_log2)
        return Call(
            (
                packed("q", (batch, q_heads, q_len, head_dim), dtype, score),
                packed("k", (batch, kv_heads, k_len, head_dim), dtype, score),
                packed("v", (batch, kv_heads, k_len, head_dim), dtype, Fill()),
                Scalar("causal", bool(given.get("causal", False))),
            ),
            (
                Output("o", (batch, q_heads, q_len, head_dim), dtype),
                Output("lse", (batch, q_heads, q_len), DType.FLOAT32),
            ),
        )

    def work(self, given: Mapping[str, Any]) -> Work:
        batch, q_heads, kv_heads, q_len, k_len, head_dim, dtype = _sizes(given)
        seen = float(q_len * k_len)
        if given.get("causal", False):
            seen = float(sum(_visible(i, q_len, k_len) for i in range(q_len)))
        q_bytes = batch * q_heads * q_len * head_dim * dtype.n_bytes
        kv_bytes = 2 * batch * kv_heads * k_len * head_dim * dtype.n_bytes
        return Work(
            flops=4.0 * batch * q_heads * head_dim * seen,
            bytes_read=float(q_bytes + kv_bytes),
            bytes_written=float(q_bytes + batch * q_heads * q_len * 4),
            unit="fp32" if dtype is DType.FLOAT32 else "tensor",
        )

    def expected(
        self, xp: Namespace, given: Mapping[str, Any], tensors: Mapping[str, Array]
    ) -> list[Expected]:
        """One head at a time, so that the scores of one head are all that is held.

        A score is wrong by gamma_d |q||k|, which moves its exponential by as much, above and below
        the fraction. The weights are rounded to the inputs' type before they meet v, as tensor
        cores want it. The rest is softmax and a matrix product: see there.
        """
        batch, q_heads, kv_heads, *_ = _sizes(given)
        q, k, v = tensors["q"], tensors["k"], tensors["v"]
        parts = [
            _head(xp, given, q[i, h], k[i, g], v[i, g])
            for i in range(batch)
            for h in range(q_heads)
            for g in (h // (q_heads // kv_heads),)
        ]
        shapes = [output.shape for output in self.call(given).outputs]
        values = [xp.stack([part[n] for part in parts]) for n in range(4)]
        o, o_bound, lse, lse_bound = values
        return [
            Expected(o.reshape(shapes[0]), o_bound.reshape(shapes[0])),
            Expected(lse.reshape(shapes[1]), lse_bound.reshape(shapes[1])),
        ]


def _head(
    xp: Namespace, given: Mapping[str, Any], q: Array, k: Array, v: Array
) -> tuple[Array, Array, Array, Array]:
    """Output, its bound, log-sum-exp and its bound of one head."""
    *_, q_len, k_len, head_dim, dtype = _sizes(given)
    scale = 1.0 / math.sqrt(head_dim)
    scores = xp.matmul(q, k.T) * scale
    error = xp.matmul(xp.abs(q), xp.abs(k).T) * scale * gamma(head_dim + 2, ACCUMULATOR_ULP)
    seen = scores == scores
    if given.get("causal", False):
        seen = xp.tril(seen, k_len - q_len)
    top = xp.amax(xp.where(seen, scores, _MINUS_INFINITY), axis=-1, keepdims=True)
    top = xp.where(top > _MINUS_INFINITY, top, 0.0)
    distance = xp.where(seen, top - scores, 0.0)
    terms = xp.where(seen, xp.exp(-distance), 0.0)
    total = xp.sum(terms, axis=-1, keepdims=True)
    some = total > 0.0
    weights = terms / xp.where(some, total, 1.0)
    worst = xp.amax(xp.where(seen, error, 0.0), axis=-1, keepdims=True)
    units = 6.0 * xp.amax(distance, axis=-1, keepdims=True) + 7.0 * k_len + 16.0
    softmax_error = 2.0 * worst + units * FP32_ROUNDOFF
    relative = softmax_error + dtype.unit_roundoff + gamma(k_len, ACCUMULATOR_ULP)
    o_bound = xp.matmul(weights, xp.abs(v)) * xp.exp(relative) * relative
    lse = xp.where(some, top + xp.log(xp.where(some, total, 1.0)), _MINUS_INFINITY)
    lse_bound = softmax_error + 4.0 * FP32_ROUNDOFF * (
        xp.abs(top) + xp.log(xp.where(some, total, 1.0))
    )
    return xp.matmul(weights, v), o_bound, lse[:, 0], xp.where(some, lse_bound, 0.0)[:, 0]


def _visible(query: int, q_len: int, k_len: int) -> int:
    return min(max(query + k_len - q_len + 1, 0), k_len)


def _sizes(given: Mapping[str, Any]) -> tuple[int, int, int, int, int, int, DType]:
    names = ("batch", "q_heads", "kv_heads", "q_len", "k_len", "head_dim")
    batch, q_heads, kv_heads, q_len, k_len, head_dim = (whole_number(given, key) for key in names)
    if q_heads % kv_heads:
        raise ValueError(f"q_heads must be a multiple of kv_heads, got {q_heads} and {kv_heads}")
    dtype = DType(one_of(given, "dtype", ("fp16", "bf16", "fp32"), "fp16"))
    return batch, q_heads, kv_heads, q_len, k_len, head_dim, dtype
