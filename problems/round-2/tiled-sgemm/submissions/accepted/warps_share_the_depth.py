"""A dot product a warp, with shuffles and shared atomics."""

import torch
from gauntlet import RawKernel

# One block makes one row of eight results. Its 2 warps take a share of the depth each, the lanes of
# a warp add up by shuffles, the warps by atomics in shared memory.
SOURCE = r"""
constexpr int WARPS = 2;

extern "C" __global__ void sgemm(
    const float* a, const float* b, float* c, int m, int n, int k,
    long long a_row, long long a_column, long long b_row, long long b_column)
{
    __shared__ float totals[8];
    const int lane = threadIdx.x % warpSize, warp = threadIdx.x / warpSize;
    const int row = blockIdx.y, left = blockIdx.x * 8;
    if (threadIdx.x < 8) totals[threadIdx.x] = 0.0f;
    __syncthreads();
    for (int j = 0; j < 8 && left + j < n; ++j) {
        float part = 0.0f;
        for (int depth = warp * 32 + lane; depth < k; depth += WARPS * 32)
            part += a[row * a_row + depth * a_column] * b[depth * b_row + (left + j) * b_column];
        for (int by = 16; by > 0; by /= 2) part += __shfl_down_sync(0xffffffffu, part, by);
        if (lane == 0) atomicAdd(&totals[j], part);
    }
    __syncthreads();
    if (threadIdx.x < 8 && left + threadIdx.x < n)
        c[(long long)row * n + left + threadIdx.x] = totals[threadIdx.x];
}
"""

kernel = RawKernel(SOURCE, "sgemm")


def sgemm(a, b):
    m, k = a.shape
    n = b.shape[1]
    c = torch.empty((m, n), device=a.device, dtype=torch.float32)
    kernel((-(-n // 8), m), (64,), (a, b, c, m, n, k, *a.stride(), *b.stride()))
    return c
