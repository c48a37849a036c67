// CUDA C++ for g++: the words, built-in variables and functions that a kernel may use, on fibers.
//
// A kernel is compiled twice, by NVRTC for the GPU and with this header for the processor. What is
// missing here (textures, inline PTX, tensor cores) is refused before a kernel comes this far.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>

#include "entry.h"
#include "machine.h"
#include "watch.h"

extern "C" void* gauntlet_memcpy(void*, const void*, std::size_t);
extern "C" void* gauntlet_memset(void*, int, std::size_t);

#define __global__ [[maybe_unused]] static
#define __device__ [[maybe_unused]]
#define __host__
#define __constant__ static
#define __managed__ static
#define __shared__ static thread_local
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __maxnreg__(...)
#define __cluster_dims__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __grid_constant__
#define __restrict__ __restrict
#define __CUDA_ARCH__ 900
#define __CUDACC__ 1
#define __CUDACC_RTC__ 1

#define GAUNTLET_VECTORS(name, type, two, four)                                                   \
    struct name##1 { type x; };                                                                   \
    struct alignas(two) name##2 { type x, y; };                                                   \
    struct name##3 { type x, y, z; };                                                             \
    struct alignas(four) name##4 { type x, y, z, w; };                                            \
    [[maybe_unused]] static name##1 make_##name##1(type x) { return {x}; }                        \
    [[maybe_unused]] static name##2 make_##name##2(type x, type y) { return {x, y}; }             \
    [[maybe_unused]] static name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; }  \
    [[maybe_unused]] static name##4 make_##name##4(type x, type y, type z, type w) {              \
        return {x, y, z, w};                                                                      \
    }
GAUNTLET_VECTORS(char, signed char, 2, 4)
GAUNTLET_VECTORS(uchar, unsigned char, 2, 4)
GAUNTLET_VECTORS(short, short, 4, 8)
GAUNTLET_VECTORS(ushort, unsigned short, 4, 8)
GAUNTLET_VECTORS(int, int, 8, 16)
GAUNTLET_VECTORS(uint, unsigned, 8, 16)
GAUNTLET_VECTORS(longlong, long long, 16, 16)
GAUNTLET_VECTORS(ulonglong, unsigned long long, 16, 16)
GAUNTLET_VECTORS(float, float, 8, 16)
GAUNTLET_VECTORS(double, double, 16, 16)
#undef GAUNTLET_VECTORS
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

#define threadIdx (gauntlet::here.thread)
#define blockIdx (gauntlet::here.block)
#define blockDim (gauntlet::here.block_size)
#define gridDim (gauntlet::here.grid)
constexpr int warpSize = 32;

[[maybe_unused]] static void __syncthreads() { gauntlet::block_barrier(); }
[[maybe_unused]] static int __syncthreads_count(int p) { return gauntlet::block_count(p != 0); }
[[maybe_unused]] static int __syncthreads_or(int p) { return gauntlet::block_count(p != 0) != 0; }
[[maybe_unused]] static int __syncthreads_and(int p) { return gauntlet::block_count(p == 0) == 0; }
[[maybe_unused]] static void __syncwarp(unsigned mask = ~0u) { gauntlet::warp_barrier(mask); }
[[maybe_unused]] static void __threadfence() { gauntlet::fence(); }
[[maybe_unused]] static void __threadfence_block() {}
[[maybe_unused]] static void __threadfence_system() { gauntlet::fence(); }
[[maybe_unused]] static void __nanosleep(unsigned) {}
[[maybe_unused]] static long long clock64() { return 0; }
[[maybe_unused]] static int clock() { return 0; }
[[maybe_unused]] static unsigned __lane() { return gauntlet::here.flat_thread % 32; }

// What lane `from` of the group of `width` lanes has; outside of the group, one's own.
template <class T>
static T gauntlet_shuffle(unsigned mask, T mine, int from, int width) {
    static_assert(sizeof(T) <= 16 && std::is_trivially_copyable_v<T>);
    gauntlet::warp_exchange(mask, &mine, sizeof mine);
    const int first = int(__lane()) / width * width;
    T got = mine;
    if (from >= 0 && from < width && gauntlet::warp_has(mask, first + from))
        std::memcpy(&got, gauntlet::warp_slot(first + from), sizeof got);
    gauntlet::warp_barrier(mask);  // nobody writes the next before all have read this one
    return got;
}
template <class T>
static T __shfl_sync(unsigned mask, T mine, int from, int width = 32) {
    return gauntlet_shuffle(mask, mine, from & (width - 1), width);
}
template <class T>
static T __shfl_up_sync(unsigned mask, T mine, unsigned by, int width = 32) {
    return gauntlet_shuffle(mask, mine, int(__lane()) % width - int(by), width);
}
template <class T>
static T __shfl_down_sync(unsigned mask, T mine, unsigned by, int width = 32) {
    return gauntlet_shuffle(mask, mine, int(__lane()) % width + int(by), width);
}
template <class T>
static T __shfl_xor_sync(unsigned mask, T mine, int with, int width = 32) {
    return gauntlet_shuffle(mask, mine, (int(__lane()) % width) ^ with, width);
}
[[maybe_unused]] static unsigned __ballot_sync(unsigned mask, int predicate) {
    const int mine = predicate != 0;
    gauntlet::warp_exchange(mask, &mine, sizeof mine);
    unsigned votes = 0;
    for (unsigned lane = 0; lane < 32; ++lane) {
        int theirs = 0;
        if (gauntlet::warp_has(mask, lane))
            std::memcpy(&theirs, gauntlet::warp_slot(lane), sizeof theirs);
        votes |= unsigned(theirs) << lane;
    }
    gauntlet::warp_barrier(mask);
    return votes;
}
[[maybe_unused]] static int __any_sync(unsigned mask, int p) { return __ballot_sync(mask, p) != 0; }
[[maybe_unused]] static int __all_sync(unsigned mask, int p) { return __ballot_sync(mask, !p) == 0; }
template <class T, class Operation>
static T gauntlet_reduce(unsigned mask, T mine, Operation operation) {
    gauntlet::warp_exchange(mask, &mine, sizeof mine);
    T total{};
    bool any = false;
    for (unsigned lane = 0; lane < 32; ++lane) {
        if (!gauntlet::warp_has(mask, lane)) continue;
        T theirs;
        std::memcpy(&theirs, gauntlet::warp_slot(lane), sizeof theirs);
        total = any ? operation(total, theirs) : theirs;
        any = true;
    }
    gauntlet::warp_barrier(mask);
    return total;
}
#define GAUNTLET_REDUCE(name, expression)                                                         \
    template <class T>                                                                            \
    static T __reduce_##name##_sync(unsigned mask, T mine) {                                      \
        return gauntlet_reduce(mask, mine, [](T a, T b) { return T(expression); });               \
    }
GAUNTLET_REDUCE(add, a + b)
GAUNTLET_REDUCE(min, a < b ? a : b)
GAUNTLET_REDUCE(max, a < b ? b : a)
GAUNTLET_REDUCE(and, a & b)
GAUNTLET_REDUCE(or, a | b)
GAUNTLET_REDUCE(xor, a ^ b)
#undef GAUNTLET_REDUCE

// Fibers change only at barriers, so a plain read and write cannot be interrupted.
template <class T, class Change>
__attribute__((noinline, no_sanitize("thread"))) static T gauntlet_atomic(T* at, Change change) {
    gauntlet::watch_atomic(at, sizeof(T), __builtin_return_address(0));
    const T before = *at;
    *at = change(before);
    return before;
}
#define GAUNTLET_ATOMIC(name, expression)                                                         \
    template <class T>                                                                            \
    static T name(T* at, std::type_identity_t<T> b) {                                             \
        return gauntlet_atomic(at, [b](T a) { return T(expression); });                           \
    }                                                                                             \
    template <class T>                                                                            \
    static T name##_block(T* at, std::type_identity_t<T> b) {                                     \
        return name(at, b);                                                                       \
    }
GAUNTLET_ATOMIC(atomicAdd, a + b)
GAUNTLET_ATOMIC(atomicSub, a - b)
GAUNTLET_ATOMIC(atomicExch, ((void)a, b))
GAUNTLET_ATOMIC(atomicMin, a < b ? a : b)
GAUNTLET_ATOMIC(atomicMax, a < b ? b : a)
GAUNTLET_ATOMIC(atomicAnd, a & b)
GAUNTLET_ATOMIC(atomicOr, a | b)
GAUNTLET_ATOMIC(atomicXor, a ^ b)
GAUNTLET_ATOMIC(atomicInc, a >= b ? 0 : a + 1)
GAUNTLET_ATOMIC(atomicDec, a == 0 || a > b ? b : a - 1)
#undef GAUNTLET_ATOMIC
template <class T>
static T atomicCAS(T* at, std::type_identity_t<T> expected, std::type_identity_t<T> then) {
    return gauntlet_atomic(at, [=](T a) { return a == expected ? then : a; });
}

template <class T>
static T __ldg(const T* at) { return *at; }
template <class T>
static T __ldcg(const T* at) { return *at; }
template <class T>
static T __ldca(const T* at) { return *at; }
template <class T>
static T __ldcs(const T* at) { return *at; }
template <class T>
static void __stcg(T* at, T value) { *at = value; }
template <class T>
static void __stcs(T* at, T value) { *at = value; }
template <class T>
static void __stwt(T* at, T value) { *at = value; }

template <class A, class B>
static constexpr std::common_type_t<A, B> min(A a, B b) {
    if constexpr (std::is_floating_point_v<std::common_type_t<A, B>>) return std::fmin(a, b);
    else return std::common_type_t<A, B>(a) < std::common_type_t<A, B>(b) ? a : b;
}
template <class A, class B>
static constexpr std::common_type_t<A, B> max(A a, B b) {
    if constexpr (std::is_floating_point_v<std::common_type_t<A, B>>) return std::fmax(a, b);
    else return std::common_type_t<A, B>(a) < std::common_type_t<A, B>(b) ? b : a;
}
using std::abs;
using std::isfinite;
using std::isinf;
using std::isnan;
using std::signbit;
#define GAUNTLET_FLOAT(name, parameters, expression)                                              \
    [[maybe_unused]] static float name parameters { return expression; }
GAUNTLET_FLOAT(rsqrtf, (float x), 1.0f / std::sqrt(x))
GAUNTLET_FLOAT(__frsqrt_rn, (float x), 1.0f / std::sqrt(x))
GAUNTLET_FLOAT(__fsqrt_rn, (float x), std::sqrt(x))
GAUNTLET_FLOAT(__frcp_rn, (float x), 1.0f / x)
GAUNTLET_FLOAT(__fmaf_rn, (float a, float b, float c), std::fma(a, b, c))
GAUNTLET_FLOAT(__fadd_rn, (float a, float b), a + b)
GAUNTLET_FLOAT(__fsub_rn, (float a, float b), a - b)
GAUNTLET_FLOAT(__fmul_rn, (float a, float b), a * b)
GAUNTLET_FLOAT(__fdiv_rn, (float a, float b), a / b)
GAUNTLET_FLOAT(__fdividef, (float a, float b), a / b)
GAUNTLET_FLOAT(gauntlet__expf, (float x), std::exp(x))
GAUNTLET_FLOAT(gauntlet__exp10f, (float x), std::pow(10.0f, x))
GAUNTLET_FLOAT(gauntlet__logf, (float x), std::log(x))
GAUNTLET_FLOAT(gauntlet__log2f, (float x), std::log2(x))
GAUNTLET_FLOAT(gauntlet__powf, (float x, float y), std::pow(x, y))
GAUNTLET_FLOAT(gauntlet__sinf, (float x), std::sin(x))
GAUNTLET_FLOAT(gauntlet__cosf, (float x), std::cos(x))
GAUNTLET_FLOAT(__saturatef, (float x), x < 0 || x != x ? 0.0f : x > 1 ? 1.0f : x)
#undef GAUNTLET_FLOAT
// glibc has these names for itself.
#define __expf gauntlet__expf
#define __exp10f gauntlet__exp10f
#define __logf gauntlet__logf
#define __log2f gauntlet__log2f
#define __powf gauntlet__powf
#define __sinf gauntlet__sinf
#define __cosf gauntlet__cosf
template <class To, class From>
static To gauntlet_bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}
[[maybe_unused]] static int __float_as_int(float x) { return gauntlet_bits<int>(x); }
[[maybe_unused]] static unsigned __float_as_uint(float x) { return gauntlet_bits<unsigned>(x); }
[[maybe_unused]] static float __int_as_float(int x) { return gauntlet_bits<float>(x); }
[[maybe_unused]] static float __uint_as_float(unsigned x) { return gauntlet_bits<float>(x); }
[[maybe_unused]] static float __int2float_rn(int x) { return float(x); }
[[maybe_unused]] static int __float2int_rn(float x) { return int(std::nearbyint(x)); }
[[maybe_unused]] static int __float2int_rz(float x) { return int(x); }
[[maybe_unused]] static int __popc(unsigned x) { return __builtin_popcount(x); }
[[maybe_unused]] static int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
[[maybe_unused]] static int __clz(unsigned x) { return x ? __builtin_clz(x) : 32; }
[[maybe_unused]] static int __ffs(unsigned x) { return __builtin_ffs(int(x)); }
[[maybe_unused]] static int __mul24(int a, int b) { return a * b; }
[[maybe_unused]] static unsigned __umulhi(unsigned a, unsigned b) {
    return unsigned((unsigned long long)a * b >> 32);
}
[[maybe_unused]] static unsigned __cvta_generic_to_shared(const void* at) {
    return unsigned(reinterpret_cast<std::uintptr_t>(at));
}

// g++ writes its own into the code, where nobody watches them.
#define memcpy gauntlet_memcpy
#define memmove gauntlet_memcpy
#define memset gauntlet_memset
#define __builtin_memcpy gauntlet_memcpy
#define __builtin_memmove gauntlet_memcpy
#define __builtin_memset gauntlet_memset
