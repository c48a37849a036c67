"""C = A B in fp32 on the scalar units: 128 x 128 tiles, 8 x 8 results a thread."""

import torch
from gauntlet import RawKernel

SOURCE = r"""
constexpr int TILE_M = 128, TILE_N = 128, TILE_K = 8;
constexpr int PIECE = 4;                 // elements of each operand that a thread brings a step

struct Shared {
    float a[2][TILE_K][TILE_M];          // A transposed: a thread's rows lie side by side
    float b[2][TILE_K][TILE_N];
};

// Which element of the tile is piece i of this thread. Neighbouring threads read neighbouring
// addresses, so it depends on the direction in which the operand is dense.
template <bool ALONG_DEPTH>
__device__ __forceinline__ void place(int i, int& across, int& depth)
{
    const int thread = threadIdx.x;
#if VECTOR
    across = ALONG_DEPTH ? thread / 2 : thread % 32 * 4 + i;
    depth = ALONG_DEPTH ? thread % 2 * 4 + i : thread / 32;
#else
    const int at = thread + i * 256;
    across = ALONG_DEPTH ? at / TILE_K : at % 128;
    depth = ALONG_DEPTH ? at % TILE_K : at / 128;
#endif
}

template <bool ALONG_DEPTH>
__device__ __forceinline__ void fetch(
    const float* from, long long step_across, long long step_depth,
    int across_left, int depth_left, float (&piece)[PIECE])
{
#if VECTOR
    int across, depth;
    place<ALONG_DEPTH>(0, across, depth);
    const float* here = ALONG_DEPTH ? from + across * step_across + depth
                                    : from + depth * step_depth + across;
    *(float4*)&piece[0] = *(const float4*)here;
#else
    #pragma unroll
    for (int i = 0; i < PIECE; ++i) {
        int across, depth;
        place<ALONG_DEPTH>(i, across, depth);
        const bool inside = across < across_left && depth < depth_left;
        piece[i] = inside ? from[across * step_across + depth * step_depth] : 0.0f;
    }
#endif
}

template <bool ALONG_DEPTH>
__device__ __forceinline__ void keep(float (&tile)[TILE_K][128], const float (&piece)[PIECE])
{
    #pragma unroll
    for (int i = 0; i < PIECE; ++i) {
        int across, depth;
        place<ALONG_DEPTH>(i, across, depth);
        // Threads that write one column of the tile would all meet one bank: turn each depth's row.
        tile[depth][across ^ (ALONG_DEPTH ? (depth / 4) * 16 : 0)] = piece[i];
    }
}

template <bool ALONG_DEPTH>
__device__ __forceinline__ float4 quad(const float (&tile)[TILE_K][128], int depth, int across)
{
    return *(const float4*)&tile[depth][across ^ (ALONG_DEPTH ? (depth / 4) * 16 : 0)];
}

extern "C" __global__ void __launch_bounds__(256, 2) sgemm(
    const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c,
    int m, int n, int k,
    long long a_row, long long a_column, long long b_row, long long b_column)
{
    __shared__ __align__(16) Shared shared;
    // Eight rows of tiles share the columns of B that are in the L2 cache.
    const int n_tile_rows = (m + TILE_M - 1) / TILE_M, n_tile_columns = (n + TILE_N - 1) / TILE_N;
    const int group = blockIdx.x / (8 * n_tile_columns), inside = blockIdx.x % (8 * n_tile_columns);
    const int rows_here = min(8, n_tile_rows - group * 8);
    const int top = (group * 8 + inside % rows_here) * TILE_M, left = inside / rows_here * TILE_N;
    // A thread has 2 x 2 pieces of 4 x 4 results, half a tile apart: the reads of a warp then
    // meet no bank twice.
    const int thread_row = threadIdx.x / 16 * 4, thread_column = threadIdx.x % 16 * 4;
    float total[8][8] = {};
    float a_piece[PIECE], b_piece[PIECE];
    a += top * a_row;
    b += left * b_column;
    fetch<A_ALONG_DEPTH>(a, a_row, a_column, m - top, k, a_piece);
    fetch<B_ALONG_DEPTH>(b, b_column, b_row, n - left, k, b_piece);
    keep<A_ALONG_DEPTH>(shared.a[0], a_piece);
    keep<B_ALONG_DEPTH>(shared.b[0], b_piece);
    __syncthreads();
    for (int start = 0; start < k; start += TILE_K) {
        const int stage = start / TILE_K & 1;
        const bool more = start + TILE_K < k;
        if (more) {
            // These loads are in flight while the tile in shared memory is multiplied.
            a += TILE_K * a_column;
            b += TILE_K * b_row;
            fetch<A_ALONG_DEPTH>(a, a_row, a_column, m - top, k - start - TILE_K, a_piece);
            fetch<B_ALONG_DEPTH>(b, b_column, b_row, n - left, k - start - TILE_K, b_piece);
        }
        #pragma unroll
        for (int depth = 0; depth < TILE_K; ++depth) {
            float rows[8], columns[8];
            *(float4*)&rows[0] = quad<A_ALONG_DEPTH>(shared.a[stage], depth, thread_row);
            *(float4*)&rows[4] = quad<A_ALONG_DEPTH>(shared.a[stage], depth, thread_row + 64);
            *(float4*)&columns[0] = quad<B_ALONG_DEPTH>(shared.b[stage], depth, thread_column);
            *(float4*)&columns[4] = quad<B_ALONG_DEPTH>(shared.b[stage], depth, thread_column + 64);
            #pragma unroll
            for (int i = 0; i < 8; ++i)
                #pragma unroll
                for (int j = 0; j < 8; ++j)
                    total[i][j] = fmaf(rows[i], columns[j], total[i][j]);
        }
        // The other stage was last read before the barrier at the end of the step before.
        if (more) {
            keep<A_ALONG_DEPTH>(shared.a[stage ^ 1], a_piece);
            keep<B_ALONG_DEPTH>(shared.b[stage ^ 1], b_piece);
        }
        __syncthreads();
    }
    #pragma unroll
    for (int i = 0; i < 8; ++i) {
        const long long row = top + thread_row + (i < 4 ? i : 60 + i);
        #pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int column = left + thread_column + half * 64;
            float* here = c + row * n + column;
#if VECTOR
            *(float4*)here = *(float4*)&total[i][half * 4];
#else
            #pragma unroll
            for (int j = 0; j < 4; ++j)
                if (row < m && column + j < n) here[j] = total[i][half * 4 + j];
#endif
        }
    }
}
"""


def kernel_for(a_along_depth, b_along_depth, vector):
    defines = (
        f"#define A_ALONG_DEPTH {a_along_depth:d}\n"
        f"#define B_ALONG_DEPTH {b_along_depth:d}\n"
        f"#define VECTOR {vector:d}\n"
    )
    return RawKernel(defines + SOURCE, "sgemm")


def in_fours(t, dense, step):
    """Four neighbours along `dense` can be read as one: they start at 16 bytes."""
    return t.stride(dense) == 1 and t.stride(step) % 4 == 0 and t.data_ptr() % 16 == 0


def sgemm(a, b):
    m, k = a.shape
    n = b.shape[1]
    c = torch.empty((m, n), device=a.device, dtype=torch.float32)
    a_along_depth, b_along_depth = a.stride(1) == 1, b.stride(0) == 1 and b.stride(1) != 1
    whole = m % 128 == 0 and n % 128 == 0 and k % 8 == 0
    vector = (
        whole
        and in_fours(a, *((1, 0) if a_along_depth else (0, 1)))
        and in_fours(b, *((0, 1) if b_along_depth else (1, 0)))
    )
    kernel = kernel_for(a_along_depth, b_along_depth, vector)
    tiles = -(-m // 128) * -(-n // 128)
    kernel((tiles,), (256,), (a, b, c, m, n, k, *a.stride(), *b.stride()))
    return c
