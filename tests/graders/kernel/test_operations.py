"""Bounds: no honest arithmetic is refused, and the classical shortcuts are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graders.kernel.checker import NumpyArrays, compare_results
from graders.kernel.comparison import Comparison, Fault
from graders.kernel.elements import DType, narrow, widen
from graders.kernel.operations import OPERATIONS
from graders.kernel.operations.base import Tensor, gamma

Arrays = dict[str, Any]
SEED = 20261122


def inputs(operation: str, given: Arrays) -> Arrays:
    """The tensors as float32, which holds every fp16 and bf16 exactly."""
    call = OPERATIONS[operation].call(given)
    arrays = NumpyArrays()
    return {
        one.name: np.ascontiguousarray(arrays.tensor(one, SEED, i)).astype(np.float32)
        for i, one in enumerate(call.tensors)
    }


def judge(operation: str, given: Arrays, *results: Any) -> list[Comparison]:
    call = OPERATIONS[operation].call(given)
    packed = []
    for output, result in zip(call.outputs, results, strict=True):
        words = narrow(np.ascontiguousarray(result), output.dtype)
        strides = tuple(step // words.itemsize for step in words.strides)
        packed.append((words.tobytes(), strides))
    return compare_results(NumpyArrays(), operation, given, SEED, packed)


def sequential(a: Any, b: Any, dtype: Any = np.float32) -> Any:
    """A B summed one product after the other in `dtype`: the worst order."""
    total = np.zeros((a.shape[0], b.shape[1]), dtype)
    for k in range(a.shape[1]):
        total = (total + np.outer(a[:, k], b[k]).astype(dtype)).astype(dtype)
    return total.astype(np.float32)


def tf32(values: Any) -> Any:
    """Rounded to the 11 bits that TF32 keeps."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)


@pytest.mark.parametrize("dtype", ["fp16", "bf16", "fp32"])
@pytest.mark.parametrize("values", ["normal", "integers", "huge", "tiny"])
def test_fp32_sums_in_the_worst_order_are_accepted(dtype: str, values: str) -> None:
    if dtype == "fp16" and values in ("huge", "tiny"):
        values += "-fp16"
    given = {"m": 24, "n": 20, "k": 700, "dtype": dtype, "values": values}
    data = inputs("matmul", given)
    (found,) = judge("matmul", given, sequential(data["a"], data["b"]))
    assert found.mismatch is None
    assert found.worst_ratio <= 1.0


@pytest.mark.parametrize("layout", ["row", "column", "padded"])
def test_every_layout_means_the_same_matrix(layout: str) -> None:
    given = {"m": 9, "n": 7, "k": 11, "dtype": "fp32", "a_layout": layout, "b_layout": layout}
    data = inputs("matmul", given)
    (found,) = judge("matmul", given, data["a"] @ data["b"])
    assert found.mismatch is None


def test_integers_expose_a_half_precision_accumulator() -> None:
    given = {"m": 8, "n": 8, "k": 2000, "dtype": "fp16", "values": "integers"}
    data = inputs("matmul", given)
    (found,) = judge("matmul", given, sequential(data["a"], data["b"], np.float16))
    assert found.mismatch is not None
    assert found.mismatch.fault is Fault.OUTSIDE_BOUND


def test_wide_integers_expose_tf32() -> None:
    given = {"m": 8, "n": 8, "k": 300, "dtype": "fp32", "values": "wide-integers"}
    data = inputs("matmul", given)
    (honest,) = judge("matmul", given, sequential(data["a"], data["b"]))
    (cheap,) = judge("matmul", given, tf32(data["a"]) @ tf32(data["b"]))
    assert honest.mismatch is None
    assert cheap.mismatch is not None


def test_a_partial_sum_kept_in_bf16_is_refused() -> None:
    given = {"m": 8, "n": 8, "k": 512, "dtype": "bf16", "values": "integers"}
    data = inputs("matmul", given)
    half = data["a"][:, :256] @ data["b"][:256]
    rounded = widen(narrow(half, DType.BFLOAT16), DType.BFLOAT16)
    (found,) = judge("matmul", given, rounded + data["a"][:, 256:] @ data["b"][256:])
    assert found.mismatch is not None


def test_an_overflow_that_rounding_gives_is_right() -> None:
    given = {"m": 4, "n": 4, "k": 4000, "dtype": "fp16", "values": "huge-fp16"}
    data = inputs("matmul", given)
    exact = data["a"].astype(np.float64) @ data["b"].astype(np.float64)
    scaled = exact * 1.0
    (found,) = judge("matmul", given, scaled)
    assert found.mismatch is None


def rows_softmax(x: Any, *, shift: bool = True, dtype: Any = np.float32) -> Any:
    top = x.max(axis=1, keepdims=True) if shift else np.zeros((x.shape[0], 1), np.float32)
    top = np.where(np.isneginf(top), 0, top)
    with np.errstate(over="ignore", invalid="ignore"):
        terms = np.exp((x - top).astype(dtype)).astype(dtype)
        total = terms.sum(axis=1, keepdims=True, dtype=dtype)
        return np.where(total > 0, terms / np.where(total > 0, total, 1), 0).astype(np.float32)


@pytest.mark.parametrize("dtype", ["fp16", "bf16", "fp32"])
@pytest.mark.parametrize(
    "values", ["normal", "huge", "tiny", "some-minus-infinity", "rows-of-minus-infinity"]
)
def test_softmax_in_fp32_is_accepted(dtype: str, values: str) -> None:
    given = {"rows": 7, "columns": 900, "dtype": dtype, "values": values, "layout": "padded"}
    (found,) = judge("softmax", given, rows_softmax(inputs("softmax", given)["x"]))
    assert found.mismatch is None


def test_softmax_without_the_maximum_is_refused_where_it_matters() -> None:
    given = {"rows": 3, "columns": 40, "dtype": "fp32", "values": "huge"}
    (found,) = judge("softmax", given, rows_softmax(inputs("softmax", given)["x"], shift=False))
    assert found.mismatch is not None


def test_softmax_with_fp16_inside_is_refused() -> None:
    given = {"rows": 3, "columns": 3000, "dtype": "fp32"}
    (found,) = judge(
        "softmax", given, rows_softmax(inputs("softmax", given)["x"], dtype=np.float16)
    )
    assert found.mismatch is not None


@pytest.mark.parametrize("dtype", ["fp16", "bf16", "fp32"])
@pytest.mark.parametrize("values", ["normal", "huge", "tiny", "zeros"])
@pytest.mark.parametrize("rounds_first", [True, False])
def test_rmsnorm_may_take_the_sum_before_or_after_rounding(
    dtype: str, values: str, rounds_first: bool
) -> None:
    given = {"rows": 6, "columns": 500, "dtype": dtype, "values": values}
    data = inputs("add-rmsnorm", given)
    h = data["x"] + data["residual"]
    used = h
    if rounds_first:
        used = widen(narrow(h, DType(dtype)), DType(dtype)).astype(np.float32)
    with np.errstate(over="ignore"):
        mean = (used * used).mean(axis=1, keepdims=True, dtype=np.float32)
    y = used / np.sqrt(mean + np.float32(1e-5)) * data["weight"]
    found = judge("add-rmsnorm", given, y, h)
    assert [one.mismatch for one in found] == [None, None]


def test_rmsnorm_of_x_alone_is_refused() -> None:
    given = {"rows": 6, "columns": 500, "dtype": "fp16"}
    data = inputs("add-rmsnorm", given)
    x = data["x"]
    y = x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-5) * data["weight"]
    found = judge("add-rmsnorm", given, y, x + data["residual"])
    assert found[0].mismatch is not None
    assert found[1].mismatch is None


def attend(
    data: Arrays,
    given: Arrays,
    *,
    aligned_at_end: bool = True,
    weights_dtype: DType | None = None,
    first: Callable[[int], int] = lambda head: head,
) -> tuple[Any, Any]:
    """Attention in float32, with the choices that candidates get wrong."""
    q, k, v = data["q"], data["k"], data["v"]
    group = given["q_heads"] // given["kv_heads"]
    o, lse = np.zeros(q.shape, np.float32), np.zeros(q.shape[:3], np.float32)
    for i in range(q.shape[0]):
        for h in range(q.shape[1]):
            g = first(h) // group
            s = (q[i, h] @ k[i, g].T) / np.float32(np.sqrt(q.shape[3]))
            if given.get("causal"):
                shift = s.shape[1] - s.shape[0] if aligned_at_end else 0
                s = np.where(np.tril(np.ones(s.shape, bool), shift), s, -np.inf)
            top = s.max(axis=1, keepdims=True)
            safe = np.where(np.isneginf(top), 0, top)
            p = np.exp(s - safe)
            total = p.sum(axis=1, keepdims=True)
            if weights_dtype is not None:
                p = widen(narrow(p, weights_dtype), weights_dtype).astype(np.float32)
            some = total > 0
            o[i, h] = np.where(some, p @ v[i, g] / np.where(some, total, 1), 0)
            log = np.log(np.where(some, total, 1)) + safe
            lse[i, h] = np.where(some, log, -np.inf)[:, 0]
    return o, lse


ATTENTION = {"batch": 1, "q_heads": 4, "kv_heads": 2, "head_dim": 32, "dtype": "fp16"}


@pytest.mark.parametrize(("q_len", "k_len"), [(40, 40), (17, 60), (60, 17)])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("values", ["normal", "huge"])
def test_attention_with_rounded_weights_is_accepted(
    q_len: int, k_len: int, causal: bool, values: str
) -> None:
    given = {**ATTENTION, "q_len": q_len, "k_len": k_len, "causal": causal, "values": values}
    data = inputs("attention", given)
    found = judge("attention", given, *attend(data, given, weights_dtype=DType.FLOAT16))
    assert [one.mismatch for one in found] == [None, None]


def test_a_mask_aligned_at_the_beginning_is_refused() -> None:
    given = {**ATTENTION, "q_len": 17, "k_len": 60, "causal": True}
    data = inputs("attention", given)
    found = judge("attention", given, *attend(data, given, aligned_at_end=False))
    assert found[0].mismatch is not None


def test_heads_that_read_the_wrong_keys_are_refused() -> None:
    given = {**ATTENTION, "q_len": 20, "k_len": 20}
    data = inputs("attention", given)
    found = judge("attention", given, *attend(data, given, first=lambda head: 0))
    assert found[0].mismatch is not None
    assert found[0].mismatch.index[:2] == (0, 2)  # the first head of the second group


def test_not_a_number_on_a_query_without_keys_is_refused() -> None:
    given = {**ATTENTION, "q_len": 60, "k_len": 17, "causal": True}
    data = inputs("attention", given)
    o, lse = attend(data, given)
    o[0, 0, 0] = np.nan
    found = judge("attention", given, o, lse)
    assert found[0].mismatch is not None
    assert found[0].mismatch.fault is Fault.NOT_A_NUMBER


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_mistyped_key_is_refused(operation: str) -> None:
    with pytest.raises(ValueError, match="keys must be among"):
        OPERATIONS[operation].call({"rows": 1, "colums": 2})


def test_tensors_lie_inside_their_storage() -> None:
    given = {"m": 5, "n": 6, "k": 7, "dtype": "fp16", "a_layout": "padded", "b_layout": "column"}
    for one in OPERATIONS["matmul"].call(given).arguments:
        assert isinstance(one, Tensor)
        last = sum((n - 1) * step for n, step in zip(one.shape, one.strides, strict=True))
        assert one.offset + last < one.storage_elements


def test_so_many_roundings_that_nothing_is_bounded_are_refused() -> None:
    with pytest.raises(ValueError, match=r"below 0\.5"):
        gamma(1 << 23, 2.0**-23)


def test_causal_work_counts_the_pairs_that_are_seen() -> None:
    given = {**ATTENTION, "q_len": 4, "k_len": 6, "causal": True}
    seen = 3 + 4 + 5 + 6
    assert OPERATIONS["attention"].work(given).flops == 4.0 * 4 * 32 * seen
