# The depth is shared by several programs, which meet in fp32 by atomics; a second launch rounds.
import torch
import triton
import triton.language as tl


@triton.jit
def partial_products(
    a, b, sums, m, n, k, a_row, a_column, b_row, b_column,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), tl.float32)
    for start in range(tl.program_id(2) * BK, k, BK * tl.num_programs(2)):
        depth = start + tl.arange(0, BK)
        a_tile = tl.load(
            a + rows[:, None] * a_row + depth[None, :] * a_column,
            mask=(rows[:, None] < m) & (depth[None, :] < k),
            other=0.0,
        )
        b_tile = tl.load(
            b + depth[:, None] * b_row + columns[None, :] * b_column,
            mask=(depth[:, None] < k) & (columns[None, :] < n),
            other=0.0,
        )
        total = tl.dot(a_tile, b_tile, total)
    inside = (rows[:, None] < m) & (columns[None, :] < n)
    tl.atomic_add(sums + rows[:, None] * n + columns[None, :], total, mask=inside)


@triton.jit
def round_sums(sums, c, count, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(sums + at, mask=at < count)
    tl.store(c + at, value.to(c.dtype.element_ty), mask=at < count)


def matmul(a, b):
    m, k = a.shape
    n = b.shape[1]
    sums = torch.zeros(m, n, device="cuda", dtype=torch.float32)
    c = a.new_empty((m, n))
    grid = (triton.cdiv(m, 64), triton.cdiv(n, 64), 4)
    partial_products[grid](
        a, b, sums, m, n, k, *a.stride(), *b.stride(), BM=64, BN=64, BK=32, num_stages=4
    )
    round_sums[(triton.cdiv(m * n, 1024),)](sums, c, m * n, BLOCK=1024)
    return c
