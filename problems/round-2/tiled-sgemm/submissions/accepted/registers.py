"""64 x 64 tiles in dynamic shared memory, 4 x 4 results a thread in registers."""

import torch
from gauntlet import RawKernel

SOURCE = r"""
constexpr int TILE = 64, DEPTH = 16, EACH = 4;

extern "C" __global__ void __launch_bounds__(256) sgemm(
    const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c,
    int m, int n, int k,
    long long a_row, long long a_column, long long b_row, long long b_column)
{
    extern __shared__ float tiles[];
    float* a_tile = tiles;                       // DEPTH rows of TILE + 1: no two lanes meet a bank
    float* b_tile = tiles + DEPTH * (TILE + 1);  // DEPTH rows of TILE
    const int top = blockIdx.y * TILE, left = blockIdx.x * TILE, thread = threadIdx.x;
    const int row = thread / 16 * EACH, column = thread % 16 * EACH;
    float total[EACH][EACH] = {};
    for (int start = 0; start < k; start += DEPTH) {
        for (int i = thread; i < TILE * DEPTH; i += 256) {
            const int across = i / DEPTH, depth = i % DEPTH;
            a_tile[depth * (TILE + 1) + across] = top + across < m && start + depth < k
                ? a[(top + across) * a_row + (start + depth) * a_column] : 0.0f;
        }
        for (int i = thread; i < TILE * DEPTH; i += 256) {
            const int across = i % TILE, depth = i / TILE;
            b_tile[depth * TILE + across] = left + across < n && start + depth < k
                ? b[(start + depth) * b_row + (left + across) * b_column] : 0.0f;
        }
        __syncthreads();
        #pragma unroll
        for (int depth = 0; depth < DEPTH; ++depth) {
            float rows[EACH], columns[EACH];
            #pragma unroll
            for (int i = 0; i < EACH; ++i) {
                rows[i] = a_tile[depth * (TILE + 1) + row + i];
                columns[i] = b_tile[depth * TILE + column + i];
            }
            #pragma unroll
            for (int i = 0; i < EACH; ++i)
                #pragma unroll
                for (int j = 0; j < EACH; ++j)
                    total[i][j] = fmaf(rows[i], columns[j], total[i][j]);
        }
        __syncthreads();
    }
    for (int i = 0; i < EACH; ++i)
        for (int j = 0; j < EACH; ++j)
            if (top + row + i < m && left + column + j < n)
                c[(long long)(top + row + i) * n + left + column + j] = total[i][j];
}
"""

kernel = RawKernel(SOURCE, "sgemm")
SHARED_BYTES = 4 * (16 * 65 + 16 * 64)


def sgemm(a, b):
    m, k = a.shape
    n = b.shape[1]
    c = torch.empty((m, n), device=a.device, dtype=torch.float32)
    arguments = (a, b, c, m, n, k, *a.stride(), *b.stride())
    kernel((-(-n // 64), -(-m // 64)), (256,), arguments, shared_mem=SHARED_BYTES)
    return c
