// A mutex: whoever is suspended inside keeps all others out.
#pragma once

#include <mutex>
#include <cstddef>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static constexpr std::size_t kStride = (BlockBytes + 15) / 16 * 16;

    bool used_[Blocks] = {};
    std::mutex lock_;
    alignas(16) std::byte memory_[Blocks * kStride];

  public:
    void* allocate() {
        std::lock_guard guard(lock_);
        void* block = nullptr;
        for (std::size_t i = 0; i < Blocks && !block; ++i) {
            if (used_[i]) continue;
            used_[i] = true;
            block = memory_ + i * kStride;
        }
        return block;
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory_);
        std::lock_guard guard(lock_);
        used_[offset / kStride] = false;
    }
};
