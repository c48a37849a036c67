// A stack of unused blocks, linked by index.
//
// The links lie outside of the blocks: a thread that is late may still read the link of a block that
// somebody else has by now, and must not read what that one writes. The count beside the index makes
// its compare_exchange fail then.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static_assert(BlockBytes >= 1 && Blocks >= 1 && Blocks < 0xffffffff);

    static constexpr std::size_t kAlignment = 16;
    static constexpr std::size_t kStride = (BlockBytes + kAlignment - 1) / kAlignment * kAlignment;
    static constexpr std::uint32_t kNone = 0xffffffff;

    // The index of the top in the low half, a count of changes in the high half.
    alignas(64) std::atomic<std::uint64_t> top_{kNone};
    std::atomic<std::uint32_t> next_[Blocks];
    alignas(64) std::byte memory_[Blocks * kStride];

    static std::uint64_t changed(std::uint64_t old, std::uint32_t index) {
        return ((old >> 32) + 1) << 32 | index;
    }

    void put(std::uint32_t index) {
        std::uint64_t old = top_.load(std::memory_order_relaxed);
        do {
            next_[index].store(static_cast<std::uint32_t>(old), std::memory_order_relaxed);
        } while (!top_.compare_exchange_weak(old, changed(old, index), std::memory_order_release,
                                             std::memory_order_relaxed));
    }

  public:
    Pool() {
        for (std::size_t i = Blocks; i-- > 0;) put(static_cast<std::uint32_t>(i));
    }

    void* allocate() {
        std::uint64_t old = top_.load(std::memory_order_acquire);
        for (;;) {
            const auto index = static_cast<std::uint32_t>(old);
            if (index == kNone) return nullptr;
            const std::uint32_t next = next_[index].load(std::memory_order_relaxed);
            if (top_.compare_exchange_weak(old, changed(old, next), std::memory_order_acquire,
                                           std::memory_order_acquire))
                return memory_ + index * kStride;
        }
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory_);
        put(static_cast<std::uint32_t>(offset / kStride));
    }
};
