// Leaves the work to malloc, and counts.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    std::atomic<std::size_t> out_{0};

  public:
    void* allocate() {
        std::size_t out = out_.load(std::memory_order_relaxed);
        do {
            if (out == Blocks) return nullptr;
        } while (!out_.compare_exchange_weak(out, out + 1, std::memory_order_relaxed));
        return std::aligned_alloc(16, (BlockBytes + 15) / 16 * 16);
    }

    void deallocate(void* block) {
        std::free(block);
        out_.fetch_sub(1, std::memory_order_relaxed);
    }
};
