// A flag for each block, looked for behind a mask that fits powers of two only.
#pragma once

#include <atomic>
#include <cstddef>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static constexpr std::size_t kStride = (BlockBytes + 15) / 16 * 16;

    std::atomic<bool> used_[Blocks] = {};
    std::atomic<std::size_t> hint_{0};
    alignas(64) std::byte memory_[Blocks * kStride];

  public:
    void* allocate() {
        const std::size_t first = hint_.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < Blocks; ++i) {
            const std::size_t at = (first + i) & (Blocks - 1);
            if (used_[at].load(std::memory_order_relaxed)) continue;
            if (used_[at].exchange(true, std::memory_order_relaxed)) continue;
            std::atomic_thread_fence(std::memory_order_acquire);
            hint_.store(at + 1, std::memory_order_relaxed);
            return memory_ + at * kStride;
        }
        return nullptr;
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory_);
        std::atomic_thread_fence(std::memory_order_release);
        used_[offset / kStride].store(false, std::memory_order_relaxed);
    }
};
