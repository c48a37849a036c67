# Scores without 1/sqrt(d).
import math

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(
    q, k, v, o, lse, scale, group, q_heads, kv_heads, q_len, k_len,
    HEAD: tl.constexpr, PADDED: tl.constexpr, CAUSAL: tl.constexpr,
    BQ: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * BQ + tl.arange(0, BQ)
    batch = tl.program_id(1) // q_heads
    head = tl.program_id(1) % q_heads
    features = tl.arange(0, PADDED)
    known = features < HEAD
    q_base = q + tl.program_id(1) * q_len * HEAD
    kv_offset = (batch * kv_heads + head // group) * k_len * HEAD
    q_at = rows[:, None] * HEAD + features[None, :]
    q_mask = (rows[:, None] < q_len) & known[None, :]
    q_tile = tl.load(q_base + q_at, mask=q_mask, other=0.0)
    top = tl.full((BQ,), -float("inf"), tl.float32)
    total = tl.zeros((BQ,), tl.float32)
    output = tl.zeros((BQ, PADDED), tl.float32)
    for start in range(0, k_len, BK):
        columns = start + tl.arange(0, BK)
        at = columns[:, None] * HEAD + features[None, :]
        inside = (columns[:, None] < k_len) & known[None, :]
        keys = tl.load(k + kv_offset + at, mask=inside, other=0.0)
        values = tl.load(v + kv_offset + at, mask=inside, other=0.0)
        score = tl.dot(q_tile, tl.trans(keys), input_precision="ieee")
        seen = columns[None, :] < k_len
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
    some = total > 0.0
    divisor = tl.where(some, total, 1.0)
    output = output / divisor[:, None]
    logs = tl.where(some, top + tl.log(divisor), -float("inf"))
    tl.store(o + tl.program_id(1) * q_len * HEAD + q_at, output.to(o.dtype.element_ty), mask=q_mask)
    tl.store(lse + tl.program_id(1) * q_len + rows, logs, mask=rows < q_len)


def attention(q, k, v, causal):
    batch, q_heads, q_len, head = q.shape
    kv_heads, k_len = k.shape[1], k.shape[2]
    o = torch.empty(q.shape, device=q.device, dtype=q.dtype)
    lse = torch.empty((batch, q_heads, q_len), device=q.device, dtype=torch.float32)
    padded = max(16, triton.next_power_of_2(head))
    kernel[(triton.cdiv(q_len, 32), batch * q_heads)](
        q, k, v, o, lse, 1.0 / math.sqrt(head), q_heads // kv_heads, q_heads, kv_heads,
        q_len, k_len, HEAD=head, PADDED=padded, CAUSAL=causal, BQ=32, BK=32,
    )  # fmt: skip
    return o, lse
