# Loads whole tiles along the depth.
import torch
import triton
import triton.language as tl


@triton.jit
def kernel(
    a, b, c, m, n, k, a_row, a_column, b_row, b_column,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), tl.float32)
    for start in range(0, k, BK):
        depth = start + tl.arange(0, BK)
        a_tile = tl.load(
            a + rows[:, None] * a_row + depth[None, :] * a_column,
            mask=rows[:, None] < m,
            other=0.0,
        )
        b_tile = tl.load(
            b + depth[:, None] * b_row + columns[None, :] * b_column,
            mask=columns[None, :] < n,
            other=0.0,
        )
        total = tl.dot(a_tile, b_tile, total)
    c_here = c + rows[:, None] * n + columns[None, :]
    inside = (rows[:, None] < m) & (columns[None, :] < n)
    tl.store(c_here, total.to(c.dtype.element_ty), mask=inside)


def matmul(a, b):
    m, k = a.shape
    n = b.shape[1]
    c = torch.empty((m, n), device=a.device, dtype=a.dtype)
    grid = (triton.cdiv(m, 32), triton.cdiv(n, 32))
    kernel[grid](a, b, c, m, n, k, *a.stride(), *b.stride(), BM=32, BN=32, BK=32)
    return c
