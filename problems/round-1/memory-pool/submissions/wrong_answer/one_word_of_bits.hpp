// A bit for each block in one word: the blocks beyond the 64th are never given out.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static constexpr std::size_t kStride = (BlockBytes + 15) / 16 * 16;
    static constexpr std::uint64_t kAll =
        Blocks < 64 ? (std::uint64_t{1} << Blocks % 64) - 1 : ~std::uint64_t{0};

    alignas(64) std::atomic<std::uint64_t> used_{0};
    alignas(64) std::byte memory_[Blocks * kStride];

  public:
    void* allocate() {
        std::uint64_t used = used_.load(std::memory_order_relaxed);
        while ((used & kAll) != kAll) {
            const auto bit = static_cast<std::size_t>(std::countr_one(used));
            if (used_.compare_exchange_weak(used, used | std::uint64_t{1} << bit,
                                            std::memory_order_acquire, std::memory_order_relaxed))
                return memory_ + bit * kStride;
        }
        return nullptr;
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory_);
        used_.fetch_and(~(std::uint64_t{1} << offset / kStride), std::memory_order_release);
    }
};
