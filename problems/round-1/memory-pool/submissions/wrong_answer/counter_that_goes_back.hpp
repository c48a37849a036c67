// Counts the blocks that are out. Which block came back nobody remembers.
#pragma once

#include <atomic>
#include <cstddef>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static constexpr std::size_t kStride = (BlockBytes + 15) / 16 * 16;

    std::atomic<std::size_t> out_{0};
    alignas(16) std::byte memory_[Blocks * kStride];

  public:
    void* allocate() {
        std::size_t at = out_.load(std::memory_order_acquire);
        do {
            if (at == Blocks) return nullptr;
        } while (!out_.compare_exchange_weak(at, at + 1, std::memory_order_acq_rel));
        return memory_ + at * kStride;
    }

    void deallocate(void*) { out_.fetch_sub(1, std::memory_order_acq_rel); }
};
