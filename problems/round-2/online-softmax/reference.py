"""Row softmax with each element read once and written once, as far as a row fits a block."""

import torch
import triton
import triton.language as tl

WHOLE_ROW_COLUMNS = 32768  # up to here a row stays in the registers of one program


@triton.jit
def row_in_registers(x, y, n_rows, n_columns, x_step, y_step, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    inside = columns < n_columns
    for row in tl.range(tl.program_id(0), n_rows, tl.num_programs(0), num_stages=2):
        here = x + row.to(tl.int64) * x_step + columns
        value = tl.load(here, mask=inside, other=-float("inf")).to(tl.float32)
        top = tl.max(value, axis=0)
        top = tl.where(top == -float("inf"), 0.0, top)
        term = tl.exp(value - top)
        total = tl.sum(term, axis=0)
        share = term / tl.where(total == 0.0, 1.0, total)
        tl.store(y + row.to(tl.int64) * y_step + columns, share.to(y.dtype.element_ty), mask=inside)


@triton.jit
def row_in_pieces(x, y, n_columns, x_step, y_step, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    x += row * x_step
    y += row * y_step
    columns = tl.arange(0, BLOCK)
    # Each lane keeps a maximum and a sum of its own; they meet once, at the end.
    top = tl.full((BLOCK,), -float("inf"), tl.float32)
    total = tl.zeros((BLOCK,), tl.float32)
    for start in tl.range(0, n_columns, BLOCK, num_stages=3):
        inside = start + columns < n_columns
        value = tl.load(x + start + columns, mask=inside, other=-float("inf")).to(tl.float32)
        new_top = tl.maximum(top, value)
        safe = tl.where(new_top == -float("inf"), 0.0, new_top)
        total = total * tl.exp(top - safe) + tl.exp(value - safe)
        top = new_top
    row_top = tl.max(top, axis=0)
    row_top = tl.where(row_top == -float("inf"), 0.0, row_top)
    row_total = tl.sum(total * tl.exp(top - row_top), axis=0)
    factor = 1.0 / tl.where(row_total == 0.0, 1.0, row_total)
    for start in tl.range(0, n_columns, BLOCK, num_stages=3):
        inside = start + columns < n_columns
        value = tl.load(x + start + columns, mask=inside, other=-float("inf")).to(tl.float32)
        share = tl.exp(value - row_top) * factor
        tl.store(y + start + columns, share.to(y.dtype.element_ty), mask=inside)


def softmax(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    n_rows, n_columns = x.shape
    if n_columns <= WHOLE_ROW_COLUMNS:
        block = triton.next_power_of_2(n_columns)
        warps = min(max(block // 512, 1), 16)
        row_in_registers[(n_rows,)](
            x, y, n_rows, n_columns, x.stride(0), y.stride(0), block, num_warps=warps
        )
    else:
        row_in_pieces[(n_rows,)](x, y, n_columns, x.stride(0), y.stride(0), BLOCK=4096, num_warps=8)
    return y
