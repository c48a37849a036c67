"""C = A B in fp32 on the scalar units: 128 x 128 tiles, 8 x 8 results a thread."""

import torch
from gauntlet import RawKernel

SOURCE = r"""
constexpr int TILE_M = 128, TILE_N = 128, TILE_K = 16;
constexpr int PER_M = 8, PER_N = 8;      // results of one thread
constexpr int THREADS = 256;

// A goes to shared memory transposed, so that a thread reads its 8 rows as two float4. The row is
// 4 longer than the tile: writes of one column then spread over the banks.
struct Shared {
    float a[2][TILE_K][TILE_M + 4];
    float b[2][TILE_K][TILE_N];
};

struct Strides { long long row, column; };

template <bool WHOLE>
__device__ __forceinline__ void fetch(
    const float* a, const float* b, Strides sa, Strides sb, int m, int n, int k,
    int top, int left, int start, float (&a_piece)[8], float (&b_piece)[8])
{
    const int thread = threadIdx.x;
    #pragma unroll
    for (int i = 0; i < 8; ++i) {
        // Neighbouring threads read neighbouring addresses in whichever direction is dense.
        const int a_at = thread + i * THREADS;
        const bool a_rows = sa.column == 1;
        const int row = a_rows ? a_at / TILE_K : a_at % TILE_M;
        const int depth_a = a_rows ? a_at % TILE_K : a_at / TILE_M;
        const bool a_inside = WHOLE || (top + row < m && start + depth_a < k);
        a_piece[i] = a_inside ? a[(top + row) * sa.row + (start + depth_a) * sa.column] : 0.0f;
        const bool b_rows = sb.column == 1;
        const int depth_b = b_rows ? a_at / TILE_N : a_at % TILE_K;
        const int column = b_rows ? a_at % TILE_N : a_at / TILE_K;
        const bool b_inside = WHOLE || (start + depth_b < k && left + column < n);
        b_piece[i] = b_inside ? b[(start + depth_b) * sb.row + (left + column) * sb.column] : 0.0f;
    }
}

__device__ __forceinline__ void keep(
    Shared& shared, int stage, Strides sa, Strides sb,
    const float (&a_piece)[8], const float (&b_piece)[8])
{
    const int thread = threadIdx.x;
    #pragma unroll
    for (int i = 0; i < 8; ++i) {
        const int at = thread + i * THREADS;
        const bool a_rows = sa.column == 1;
        const int row = a_rows ? at / TILE_K : at % TILE_M;
        const int depth_a = a_rows ? at % TILE_K : at / TILE_M;
        shared.a[stage][depth_a][row] = a_piece[i];
        const bool b_rows = sb.column == 1;
        const int depth_b = b_rows ? at / TILE_N : at % TILE_K;
        const int column = b_rows ? at % TILE_N : at / TILE_K;
        shared.b[stage][depth_b][column] = b_piece[i];
    }
}

extern "C" __global__ void __launch_bounds__(256, 2) sgemm(
    const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c,
    int m, int n, int k,
    long long a_row, long long a_column, long long b_row, long long b_column)
{
    __shared__ __align__(16) Shared shared;
    const Strides sa = {a_row, a_column}, sb = {b_row, b_column};
    // Eight rows of tiles share the columns of B that are in the L2 cache.
    const int n_tile_rows = (m + TILE_M - 1) / TILE_M, n_tile_columns = (n + TILE_N - 1) / TILE_N;
    const int group = blockIdx.x / (8 * n_tile_columns), inside = blockIdx.x % (8 * n_tile_columns);
    const int rows_here = min(8, n_tile_rows - group * 8);
    const int top = (group * 8 + inside % rows_here) * TILE_M, left = inside / rows_here * TILE_N;
    const int thread = threadIdx.x;
    // A warp covers 32 x 64 results, a thread 2 x 2 pieces of 4 x 4 that lie half a tile apart:
    // reads of a warp then meet no bank twice.
    const int thread_row = thread / 16 * 4, thread_column = thread % 16 * 4;
    float total[PER_M][PER_N] = {};
    float a_piece[8], b_piece[8];
    const bool whole = top + TILE_M <= m && left + TILE_N <= n && k % TILE_K == 0;
    if (whole) fetch<true>(a, b, sa, sb, m, n, k, top, left, 0, a_piece, b_piece);
    else fetch<false>(a, b, sa, sb, m, n, k, top, left, 0, a_piece, b_piece);
    keep(shared, 0, sa, sb, a_piece, b_piece);
    __syncthreads();
    const int n_steps = (k + TILE_K - 1) / TILE_K;
    for (int step = 0; step < n_steps; ++step) {
        const int stage = step & 1;
        if (step + 1 < n_steps) {
            const int start = (step + 1) * TILE_K;
            if (whole) fetch<true>(a, b, sa, sb, m, n, k, top, left, start, a_piece, b_piece);
            else fetch<false>(a, b, sa, sb, m, n, k, top, left, start, a_piece, b_piece);
        }
        #pragma unroll
        for (int depth = 0; depth < TILE_K; ++depth) {
            float a_row_of[PER_M], b_column_of[PER_N];
            *(float4*)&a_row_of[0] = *(const float4*)&shared.a[stage][depth][thread_row];
            *(float4*)&a_row_of[4] = *(const float4*)&shared.a[stage][depth][thread_row + 64];
            *(float4*)&b_column_of[0] = *(const float4*)&shared.b[stage][depth][thread_column];
            *(float4*)&b_column_of[4] = *(const float4*)&shared.b[stage][depth][thread_column + 64];
            #pragma unroll
            for (int i = 0; i < PER_M; ++i)
                #pragma unroll
                for (int j = 0; j < PER_N; ++j)
                    total[i][j] = fmaf(a_row_of[i], b_column_of[j], total[i][j]);
        }
        // The other stage was last read before the barrier at the end of the step before.
        if (step + 1 < n_steps) keep(shared, stage ^ 1, sa, sb, a_piece, b_piece);
        __syncthreads();
    }
    #pragma unroll
    for (int i = 0; i < PER_M; ++i) {
        const int row = top + thread_row + (i < 4 ? i : 60 + i);
        #pragma unroll
        for (int j = 0; j < PER_N; ++j) {
            const int column = left + thread_column + (j < 4 ? j : 60 + j);
            if (row < m && column < n) c[(long long)row * n + column] = total[i][j];
        }
    }
}
"""

kernel = RawKernel(SOURCE, "sgemm")


def sgemm(a, b):
    m, k = a.shape
    n = b.shape[1]
    c = torch.empty((m, n), device=a.device, dtype=torch.float32)
    tiles = -(-m // 128) * -(-n // 128)
    kernel((tiles,), (256,), (a, b, c, m, n, k, *a.stride(), *b.stride()))
    return c
