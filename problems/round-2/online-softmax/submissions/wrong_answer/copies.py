# Writes the input.
import torch
import triton
import triton.language as tl


@triton.jit
def kernel(x, y, n_columns, x_step, y_step, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    inside = columns < n_columns
    value = tl.load(x + row * x_step + columns, mask=inside, other=-float("inf")).to(tl.float32)
    share = value
    tl.store(y + row * y_step + columns, share.to(y.dtype.element_ty), mask=inside)


def softmax(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    n_rows, n_columns = x.shape
    block = triton.next_power_of_2(n_columns)
    kernel[(n_rows,)](x, y, n_columns, x.stride(0), y.stride(0), block)
    return y
