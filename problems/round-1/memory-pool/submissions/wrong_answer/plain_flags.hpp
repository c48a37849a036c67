// Looks at a plain flag first and takes the block by an atomic one afterwards.
#pragma once

#include <atomic>
#include <cstddef>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static constexpr std::size_t kStride = (BlockBytes + 15) / 16 * 16;

    std::atomic<bool> used_[Blocks] = {};
    bool looks_used_[Blocks] = {};
    std::atomic<std::size_t> hint_{0};
    alignas(64) std::byte memory_[Blocks * kStride];

  public:
    void* allocate() {
        const std::size_t first = hint_.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < Blocks; ++i) {
            const std::size_t at = (first + i) % Blocks;
            if (looks_used_[at]) continue;
            if (used_[at].exchange(true, std::memory_order_relaxed)) continue;
            std::atomic_thread_fence(std::memory_order_acquire);
            looks_used_[at] = true;
            hint_.store(at + 1, std::memory_order_relaxed);
            return memory_ + at * kStride;
        }
        return nullptr;
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory_);
        looks_used_[offset / kStride] = false;
        std::atomic_thread_fence(std::memory_order_release);
        used_[offset / kStride].store(false, std::memory_order_relaxed);
    }
};
