"""Attention in one pass over the keys: the scores of a tile never leave the chip."""

import math

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor


@triton.jit
def fold(
    total, top, output, q, k_here, v_here, start, k_len, last, scale,
    k_row, v_row, rows, columns,
    MASKED: tl.constexpr, CAUSAL: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """One tile of keys: scores, the running maximum, and what was summed before, rescaled."""
    if MASKED:
        inside = start + columns < k_len
        keys = tl.load(k_here + start * k_row, mask=inside[None, :], other=0.0)
        values = tl.load(v_here + start * v_row, mask=inside[:, None], other=0.0)
    else:
        keys = tl.load(k_here + start * k_row)
        values = tl.load(v_here + start * v_row)
    score = tl.dot(q, keys, input_precision="ieee") * scale
    if MASKED:
        seen = inside[None, :]
        if CAUSAL:
            seen = seen & (start + columns[None, :] <= last[:, None])
        score = tl.where(seen, score, -float("inf"))
    new_top = tl.maximum(top, tl.max(score, axis=1))
    safe = tl.where(new_top == -float("inf"), 0.0, new_top)
    weight = tl.exp2(score - safe[:, None])
    rescale = tl.exp2(top - safe)
    total = total * rescale + tl.sum(weight, axis=1)
    output = output * rescale[:, None]
    output = tl.dot(weight.to(values.dtype), values, output, input_precision="ieee")
    return total, new_top, output


@triton.jit
def attention_forward(
    q, k, v, o, lse, scale,
    q_batch, q_head, q_row, k_batch, k_head, k_row, v_batch, v_head, v_row,
    o_batch, o_head, o_row, q_heads, group, q_len, k_len,
    CAUSAL: tl.constexpr, HEAD: tl.constexpr, HEAD_PADDED: tl.constexpr,
    BLOCK_Q: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    # The last rows see the most keys under a causal mask: they start first.
    tile = tl.num_programs(0) - 1 - tl.program_id(0)
    batch = (tl.program_id(1) // q_heads).to(tl.int64)
    head = (tl.program_id(1) % q_heads).to(tl.int64)
    rows = tile * BLOCK_Q + tl.arange(0, BLOCK_Q)
    columns = tl.arange(0, BLOCK_K)
    features = tl.arange(0, HEAD_PADDED)
    q += batch * q_batch + head * q_head
    k += batch * k_batch + (head // group) * k_head
    v += batch * v_batch + (head // group) * v_head
    q_mask = (rows[:, None] < q_len) & (features[None, :] < HEAD)
    q_here = q + rows[:, None].to(tl.int64) * q_row + features[None, :]
    q_tile = tl.load(q_here, mask=q_mask, other=0.0)
    if HEAD == HEAD_PADDED:
        k_here = k + columns[None, :].to(tl.int64) * k_row + features[:, None]
        v_here = v + columns[:, None].to(tl.int64) * v_row + features[None, :]
    else:
        # A feature past the end meets a zero of q; reading the last one again is safe.
        narrow = tl.minimum(features, HEAD - 1)
        k_here = k + columns[None, :].to(tl.int64) * k_row + narrow[:, None]
        v_here = v + columns[:, None].to(tl.int64) * v_row + narrow[None, :]
    total = tl.zeros((BLOCK_Q,), tl.float32)
    top = tl.full((BLOCK_Q,), -float("inf"), tl.float32)
    output = tl.zeros((BLOCK_Q, HEAD_PADDED), tl.float32)
    last = rows + k_len - q_len  # the last key that a query sees
    whole_end = (k_len // BLOCK_K) * BLOCK_K
    end = k_len
    if CAUSAL:
        first_last = tile * BLOCK_Q + k_len - q_len  # what the tile's first query sees last
        whole_end = min(whole_end, tl.maximum((first_last + 1) // BLOCK_K * BLOCK_K, 0))
        end = min(k_len, tl.maximum(first_last + BLOCK_Q, 0))
    for start in range(0, whole_end, BLOCK_K):
        total, top, output = fold(
            total, top, output, q_tile, k_here, v_here, start, k_len, last, scale, k_row, v_row,
            rows, columns, False, CAUSAL, BLOCK_K,
        )  # fmt: skip
    for start in range(whole_end, end, BLOCK_K):
        total, top, output = fold(
            total, top, output, q_tile, k_here, v_here, start, k_len, last, scale, k_row, v_row,
            rows, columns, True, CAUSAL, BLOCK_K,
        )  # fmt: skip
    some = total > 0.0
    output = output / tl.where(some, total, 1.0)[:, None]
    base_2 = top + tl.log2(tl.where(some, total, 1.0))
    natural = tl.where(some, base_2 * 0.6931471805599453, -float("inf"))
    tl.store(lse + tl.program_id(1).to(tl.int64) * q_len + rows, natural, mask=rows < q_len)
    o += batch * o_batch + head * o_head
    o_here = o + rows[:, None].to(tl.int64) * o_row + features[None, :]
    tl.store(o_here, output.to(o.dtype.element_ty), mask=q_mask)


@triton.jit
def fold_in_bulk(
    total, top, output, q, k, v, pair, first, end, rows, shift, k_len, scale,
    MASKED: tl.constexpr, CAUSAL: tl.constexpr, HEAD: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """The tiles of keys from `first` to `end`, brought by the copy engine."""
    for start in tl.range(first, end, BLOCK_K):
        keys = k.load([pair, start, 0]).reshape(BLOCK_K, HEAD)
        score = tl.dot(q, keys.T)
        if MASKED:
            columns = start + tl.arange(0, BLOCK_K)
            seen = columns[None, :] < k_len
            if CAUSAL:
                seen = seen & (columns[None, :] <= rows[:, None] + shift)
            score = tl.where(seen, score, -float("inf"))
        # The scale goes into the exponent: one multiply-add for each score.
        new_top = tl.maximum(top, tl.max(score, axis=1) * scale)
        safe = tl.where(new_top == -float("inf"), 0.0, new_top) if MASKED else new_top
        weight = tl.exp2(score * scale - safe[:, None])
        rescale = tl.exp2(top - safe)
        total = total * rescale + tl.sum(weight, axis=1)
        values = v.load([pair, start, 0]).reshape(BLOCK_K, HEAD)
        output = tl.dot(weight.to(q.dtype), values, output * rescale[:, None])
        top = new_top
    return total, top, output


@triton.jit
def attention_in_bulk(
    q, k, v, o, lse, scale, q_heads, group, q_len, k_len,
    CAUSAL: tl.constexpr, HEAD: tl.constexpr, BLOCK_Q: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    # The last rows see the most keys under a causal mask: they start first.
    tile = tl.num_programs(0) - 1 - tl.program_id(0)
    pair = tl.program_id(1)  # of batch and query head
    kv_pair = pair // q_heads * (q_heads // group) + pair % q_heads // group
    rows = tile * BLOCK_Q + tl.arange(0, BLOCK_Q)
    shift = k_len - q_len
    q_tile = q.load([pair, tile * BLOCK_Q, 0]).reshape(BLOCK_Q, HEAD)
    total = tl.zeros((BLOCK_Q,), tl.float32)
    top = tl.full((BLOCK_Q,), -float("inf"), tl.float32)
    output = tl.zeros((BLOCK_Q, HEAD), tl.float32)
    whole_end = k_len // BLOCK_K * BLOCK_K
    end = k_len
    if CAUSAL:
        whole_end = max(min(whole_end, (tile * BLOCK_Q + shift + 1) // BLOCK_K * BLOCK_K), 0)
        end = max(min(end, (tile + 1) * BLOCK_Q + shift), 0)
    total, top, output = fold_in_bulk(
        total, top, output, q_tile, k, v, kv_pair, 0, whole_end, rows, shift, k_len, scale,
        False, CAUSAL, HEAD, BLOCK_K,
    )  # fmt: skip
    total, top, output = fold_in_bulk(
        total, top, output, q_tile, k, v, kv_pair, whole_end, end, rows, shift, k_len, scale,
        True, CAUSAL, HEAD, BLOCK_K,
    )  # fmt: skip
    some = total > 0.0
    divisor = tl.where(some, total, 1.0)
    output = output / divisor[:, None]
    o.store([pair, tile * BLOCK_Q, 0], output.to(q_tile.dtype).reshape(1, BLOCK_Q, HEAD))
    natural = tl.where(some, (top + tl.log2(divisor)) * 0.6931471805599453, -float("inf"))
    tl.store(lse + pair.to(tl.int64) * q_len + rows, natural, mask=rows < q_len)


def copies_in_bulk(*tensors):
    """Dense tensors of a head size that the copy engine takes whole."""
    return all(t.is_contiguous() and t.shape[3] in (64, 128) for t in tensors)


def attention(q, k, v, causal):
    batch, q_heads, q_len, head = q.shape
    kv_heads, k_len = k.shape[1], k.shape[2]
    o = torch.empty(q.shape, device=q.device, dtype=q.dtype)
    lse = torch.empty((batch, q_heads, q_len), device=q.device, dtype=torch.float32)
    capability = torch.cuda.get_device_capability()
    large = q.element_size() == 2 and q_len >= 1024 and k_len >= 64
    if large and capability >= (9, 0) and copies_in_bulk(q, k, v):
        # One warp group and small tiles: two blocks share a multiprocessor, and while one waits
        # for its exponentials the other has the tensor cores.
        described = [
            TensorDescriptor.from_tensor(t.view(-1, t.shape[2], head), [1, 64, head])
            for t in (q, k, v, o)
        ]
        attention_in_bulk[(triton.cdiv(q_len, 64), batch * q_heads)](
            *described, lse, 1.4426950408889634 / math.sqrt(head),
            q_heads, q_heads // kv_heads, q_len, k_len,
            CAUSAL=causal, HEAD=head, BLOCK_Q=64, BLOCK_K=64, num_warps=4, num_stages=3,
        )  # fmt: skip
        return o, lse
    padded = max(16, triton.next_power_of_2(head))
    wide = q.element_size() == 2 and q_len >= 1024
    block_q, block_k = (128, 64 if padded > 64 else 128) if wide else (32, 32)
    attention_forward[(triton.cdiv(q_len, block_q), batch * q_heads)](
        q, k, v, o, lse, 1.4426950408889634 / math.sqrt(head),
        *q.stride()[:3], *k.stride()[:3], *v.stride()[:3], *o.stride()[:3],
        q_heads, q_heads // kv_heads, q_len, k_len,
        CAUSAL=causal, HEAD=head, HEAD_PADDED=padded, BLOCK_Q=block_q, BLOCK_K=block_k,
        num_warps=8 if wide else 4, num_stages=3 if wide else 2,
    )  # fmt: skip
    return o, lse
