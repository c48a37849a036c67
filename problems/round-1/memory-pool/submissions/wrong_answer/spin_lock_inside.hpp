// A spin lock is a mutex without the system call: it blocks as well.
#pragma once

#include <atomic>
#include <cstddef>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static constexpr std::size_t kStride = (BlockBytes + 15) / 16 * 16;

    bool used_[Blocks] = {};
    std::atomic_flag taken_ = ATOMIC_FLAG_INIT;
    alignas(16) std::byte memory_[Blocks * kStride];

  public:
    void* allocate() {
        while (taken_.test_and_set(std::memory_order_acquire)) {}
        void* block = nullptr;
        for (std::size_t i = 0; i < Blocks && !block; ++i) {
            if (used_[i]) continue;
            used_[i] = true;
            block = memory_ + i * kStride;
        }
        taken_.clear(std::memory_order_release);
        return block;
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory_);
        while (taken_.test_and_set(std::memory_order_acquire)) {}
        used_[offset / kStride] = false;
        taken_.clear(std::memory_order_release);
    }
};
