# Programs of their own take pieces of the keys, and a second kernel joins them.
import math

import torch
import triton
import triton.language as tl


@triton.jit
def pieces(
    q, k, v, partial_o, partial_top, partial_sum, scale, group, q_heads, q_len, k_len, piece,
    HEAD: tl.constexpr, PADDED: tl.constexpr, CAUSAL: tl.constexpr,
    BQ: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * BQ + tl.arange(0, BQ)
    pair = tl.program_id(1)
    split = tl.program_id(2)
    features = tl.arange(0, PADDED)
    q_at = pair * q_len * HEAD + rows[:, None] * HEAD + features[None, :]
    q_mask = (rows[:, None] < q_len) & (features[None, :] < HEAD)
    q_tile = tl.load(q + q_at, mask=q_mask, other=0.0)
    kv = (pair // q_heads * (q_heads // group) + pair % q_heads // group) * k_len * HEAD
    top = tl.full((BQ,), -float("inf"), tl.float32)
    total = tl.zeros((BQ,), tl.float32)
    output = tl.zeros((BQ, PADDED), tl.float32)
    end = min((split + 1) * piece, k_len)
    for start in range(split * piece, end, BK):
        columns = start + tl.arange(0, BK)
        inside = (columns[:, None] < end) & (features[None, :] < HEAD)
        at = kv + columns[:, None] * HEAD + features[None, :]
        keys = tl.load(k + at, mask=inside, other=0.0)
        values = tl.load(v + at, mask=inside, other=0.0)
        score = tl.dot(q_tile, tl.trans(keys), input_precision="ieee") * scale
        seen = columns[None, :] < end
        if CAUSAL:
            seen = seen & (columns[None, :] <= rows[:, None] + k_len - q_len)
        score = tl.where(seen, score, -float("inf"))
        new_top = tl.maximum(top, tl.max(score, axis=1))
        safe = tl.where(new_top == -float("inf"), 0.0, new_top)
        weight = tl.exp(score - safe[:, None])
        rescale = tl.exp(top - safe)
        total = total * rescale + tl.sum(weight, axis=1)
        output = output * rescale[:, None]
        output += tl.dot(weight.to(values.dtype), values, input_precision="ieee")
        top = new_top
    at = (split * tl.num_programs(1) + pair) * q_len + rows
    tl.store(partial_top + at, top, mask=rows < q_len)
    tl.store(partial_sum + at, total, mask=rows < q_len)
    tl.store(partial_o + at[:, None] * HEAD + features[None, :], output, mask=q_mask)


@triton.jit
def join(
    partial_o, partial_top, partial_sum, o, lse, n_rows, n_splits,
    HEAD: tl.constexpr, PADDED: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0)
    features = tl.arange(0, PADDED)
    top = -float("inf")
    for split in range(0, n_splits):
        top = tl.maximum(top, tl.load(partial_top + split * n_rows + row))
    safe = tl.where(top == -float("inf"), 0.0, top)
    total = 0.0
    output = tl.zeros((PADDED,), tl.float32)
    for split in range(0, n_splits):
        at = split * n_rows + row
        factor = tl.exp(tl.load(partial_top + at) - safe)
        total += tl.load(partial_sum + at) * factor
        output += tl.load(partial_o + at * HEAD + features, mask=features < HEAD, other=0.0) * factor
    divisor = tl.where(total > 0.0, total, 1.0)
    tl.store(
        o + row * HEAD + features, (output / divisor).to(o.dtype.element_ty), mask=features < HEAD
    )
    tl.store(lse + row, tl.where(total > 0.0, top + tl.log(divisor), -float("inf")))


def attention(q, k, v, causal):
    batch, q_heads, q_len, head = q.shape
    kv_heads, k_len = k.shape[1:3]
    n_rows = batch * q_heads * q_len
    n_splits = 2
    o = torch.empty_like(q)
    lse = torch.empty(batch, q_heads, q_len, device=q.device, dtype=torch.float32)
    partial_o = torch.empty(n_splits, n_rows, head, device=q.device, dtype=torch.float32)
    partial_top, partial_sum = torch.empty(
        2, n_splits, n_rows, device=q.device, dtype=torch.float32
    )
    padded = max(16, triton.next_power_of_2(head))
    pieces[(triton.cdiv(q_len, 32), batch * q_heads, n_splits)](
        q, k, v, partial_o, partial_top, partial_sum, 1.0 / math.sqrt(head), q_heads // kv_heads,
        q_heads, q_len, k_len, triton.cdiv(k_len, n_splits),
        HEAD=head, PADDED=padded, CAUSAL=causal, BQ=32, BK=32,
    )  # fmt: skip
    join[(n_rows,)](
        partial_o, partial_top, partial_sum, o, lse, n_rows, n_splits, HEAD=head, PADDED=padded
    )
    return o, lse
