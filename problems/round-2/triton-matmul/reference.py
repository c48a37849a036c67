"""C = A B in tiles: grouped for the L2 cache, pipelined, descriptors where the layout allows."""

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor


@triton.jit
def tile_of(program, m, n, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, GROUP: tl.constexpr):
    # GROUP rows of tiles share the columns of B that are in the L2 cache.
    n_rows = tl.cdiv(m, BLOCK_M)
    n_columns = tl.cdiv(n, BLOCK_N)
    group = program // (GROUP * n_columns)
    first = group * GROUP
    size = min(n_rows - first, GROUP)
    inside = program % (GROUP * n_columns)
    return first + inside % size, inside // size


@triton.jit
def by_pointers(
    a, b, c, m, n, k, a_row, a_column, b_row, b_column, c_row, c_column,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    tile_m, tile_n = tile_of(tl.program_id(0), m, n, BLOCK_M, BLOCK_N, GROUP)
    rows = tile_m * BLOCK_M + tl.arange(0, BLOCK_M)
    columns = tile_n * BLOCK_N + tl.arange(0, BLOCK_N)
    depth = tl.arange(0, BLOCK_K)
    # Rows past the end read row 0 and are not stored; only the depth needs a mask in the loop.
    safe_rows = tl.where(rows < m, rows, 0).to(tl.int64)
    safe_columns = tl.where(columns < n, columns, 0).to(tl.int64)
    a_here = a + safe_rows[:, None] * a_row + depth[None, :] * a_column
    b_here = b + depth[:, None] * b_row + safe_columns[None, :] * b_column
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, k, BLOCK_K):
        left = k - start
        a_tile = tl.load(a_here, mask=depth[None, :] < left, other=0.0)
        b_tile = tl.load(b_here, mask=depth[:, None] < left, other=0.0)
        total = tl.dot(a_tile, b_tile, total, input_precision="ieee")
        a_here += BLOCK_K * a_column
        b_here += BLOCK_K * b_row
    c_here = c + rows.to(tl.int64)[:, None] * c_row + columns.to(tl.int64)[None, :] * c_column
    inside = (rows[:, None] < m) & (columns[None, :] < n)
    tl.store(c_here, total.to(c.dtype.element_ty), mask=inside)


@triton.jit
def by_descriptors(
    a, b, c, m, n, k,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
    DTYPE: tl.constexpr,
):  # fmt: skip
    n_tiles = tl.cdiv(m, BLOCK_M) * tl.cdiv(n, BLOCK_N)
    for tile in tl.range(tl.program_id(0), n_tiles, tl.num_programs(0), flatten=True):
        tile_m, tile_n = tile_of(tile, m, n, BLOCK_M, BLOCK_N, GROUP)
        total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
        for start in range(0, k, BLOCK_K):
            a_tile = a.load([tile_m * BLOCK_M, start])
            b_tile = b.load([start, tile_n * BLOCK_N])
            total = tl.dot(a_tile, b_tile, total)
        c.store([tile_m * BLOCK_M, tile_n * BLOCK_N], total.to(DTYPE))


def copies_in_bulk(*tensors):
    """The copy engine wants rows without gaps between elements, and starts at 16 bytes."""
    return all(
        t.stride(1) == 1 and t.stride(0) * t.element_size() % 16 == 0 and t.data_ptr() % 16 == 0
        for t in tensors
    )


def matmul(a, b):
    m, k = a.shape
    n = b.shape[1]
    c = torch.empty((m, n), device=a.device, dtype=a.dtype)
    capability = torch.cuda.get_device_capability()
    large = m >= 1024 and n >= 1024 and k >= 512
    if large and capability >= (9, 0) and a.element_size() == 2 and copies_in_bulk(a, b, c):
        block = (128, 256, 64)
        programs = torch.cuda.get_device_properties(a.device).multi_processor_count
        by_descriptors[(min(programs, triton.cdiv(m, block[0]) * triton.cdiv(n, block[1])),)](
            TensorDescriptor.from_tensor(a, [block[0], block[2]]),
            TensorDescriptor.from_tensor(b, [block[2], block[1]]),
            TensorDescriptor.from_tensor(c, [block[0], block[1]]),
            m, n, k, *block, GROUP=8,
            DTYPE=tl.bfloat16 if a.dtype == torch.bfloat16 else tl.float16,
            num_warps=8, num_stages=3,
        )  # fmt: skip
        return c
    block = (128, 128, 64) if large else (64, 64, 32)
    by_pointers[(triton.cdiv(m, block[0]) * triton.cdiv(n, block[1]),)](
        a, b, c, m, n, k, *a.stride(), *b.stride(), *c.stride(), *block,
        GROUP=8, num_warps=8 if large else 4, num_stages=3,
    )  # fmt: skip
    return c
