// Blocks that were never used are handed out by a counter, all others by a stack of those that came
// back. The link is an index of 16 bits in one word with a count of 48, so that a 64-bit
// compare_exchange takes both.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static_assert(Blocks < 0xffff);

    struct alignas(16) Block {
        std::array<std::byte, BlockBytes> bytes;
    };

    std::array<Block, Blocks> blocks_;
    alignas(64) std::atomic<std::size_t> fresh_{0};
    alignas(64) std::atomic<std::uint64_t> returned_{0};  // 1 + index, 0 for none
    std::array<std::atomic<std::uint16_t>, Blocks> below_;

    void* take_returned() {
        std::uint64_t old = returned_.load(std::memory_order_acquire);
        while (old & 0xffff) {
            const std::size_t at = (old & 0xffff) - 1;
            const std::uint64_t then = (old | 0xffff) + 1;  // one more change
            if (returned_.compare_exchange_strong(
                    old, then | below_[at].load(std::memory_order_relaxed),
                    std::memory_order_acquire, std::memory_order_acquire))
                return &blocks_[at];
        }
        return nullptr;
    }

  public:
    void* allocate() {
        if (void* const block = take_returned()) return block;
        std::size_t at = fresh_.load(std::memory_order_relaxed);
        while (at < Blocks)
            if (fresh_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed,
                                             std::memory_order_relaxed))
                return &blocks_[at];
        return take_returned();  // one may have come back since
    }

    void deallocate(void* block) {
        const auto at = static_cast<std::size_t>(static_cast<Block*>(block) - blocks_.data());
        std::uint64_t old = returned_.load(std::memory_order_relaxed);
        std::uint64_t then = 0;
        do {
            below_[at].store(static_cast<std::uint16_t>(old & 0xffff), std::memory_order_relaxed);
            then = (old | 0xffff) + 1;
        } while (!returned_.compare_exchange_weak(old, then | (at + 1), std::memory_order_release,
                                                  std::memory_order_relaxed));
    }
};
