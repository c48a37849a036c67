# Statistics in one launch, shares in the next: scratch buffers, autotune, a helper function.
import torch
import triton
import triton.language as tl


@triton.jit
def join(top, total, other_top, other_total):
    new = tl.maximum(top, other_top)
    safe = tl.where(new == -float("inf"), 0.0, new)
    return new, total * tl.exp(top - safe) + other_total * tl.exp(other_top - safe)


@triton.autotune(
    configs=[
        triton.Config({"BLOCK": 64}, num_warps=2),
        triton.Config({"BLOCK": 1024}, num_warps=4),
    ],
    key=["n_columns"],
)
@triton.jit
def statistics(x, tops, totals, n_columns, x_step, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    top = -float("inf")
    total = 0.0
    for start in range(0, n_columns, BLOCK):
        columns = start + tl.arange(0, BLOCK)
        value = tl.load(x + row * x_step + columns, mask=columns < n_columns, other=-float("inf"))
        value = value.to(tl.float32)
        here = tl.max(value, axis=0)
        safe = tl.where(here == -float("inf"), 0.0, here)
        top, total = join(top, total, here, tl.sum(tl.exp(value - safe), axis=0))
    tl.store(tops + row, top)
    tl.store(totals + row, total)


@triton.jit
def shares(x, y, tops, totals, n_columns, x_step, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < n_columns
    value = tl.load(x + row * x_step + columns, mask=inside, other=-float("inf")).to(tl.float32)
    top = tl.load(tops + row)
    top = tl.where(top == -float("inf"), 0.0, top)
    total = tl.load(totals + row)
    share = tl.exp(value - top) / tl.where(total == 0.0, 1.0, total)
    tl.store(y + row * n_columns + columns, share.to(y.dtype.element_ty), mask=inside)


def softmax(x):
    n_rows, n_columns = x.shape
    y = torch.empty((n_rows, n_columns), device="cuda", dtype=x.dtype)
    scratch = torch.zeros((2, n_rows), device="cuda", dtype=torch.float32)
    tops, totals = scratch
    statistics[(n_rows,)](x, tops, totals, n_columns, x.stride(0))
    grid = lambda meta: (n_rows, triton.cdiv(n_columns, meta["BLOCK"]))
    shares[grid](x, y, tops, totals, n_columns, x.stride(0), BLOCK=256)
    return y
