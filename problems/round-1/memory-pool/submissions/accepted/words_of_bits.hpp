// A bit for each block, 64 of them to a word; no links, so nothing that could come back.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static constexpr std::size_t kStride = (BlockBytes + 15) / 16 * 16;
    static constexpr std::size_t kWords = (Blocks + 63) / 64;

    alignas(64) std::atomic<std::uint64_t> used_[kWords] = {};
    alignas(64) std::byte memory_[Blocks * kStride];

    static constexpr std::uint64_t all_of(std::size_t word) {
        const std::size_t left = Blocks - 64 * word;
        return left < 64 ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
    }

  public:
    void* allocate() {
        for (std::size_t word = 0; word < kWords; ++word) {
            std::uint64_t used = used_[word].load(std::memory_order_relaxed);
            while ((used & all_of(word)) != all_of(word)) {
                const auto bit = static_cast<std::size_t>(std::countr_one(used));
                if (used_[word].compare_exchange_weak(used, used | std::uint64_t{1} << bit,
                                                      std::memory_order_acquire,
                                                      std::memory_order_relaxed))
                    return memory_ + (64 * word + bit) * kStride;
            }
        }
        return nullptr;
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory_);
        const std::size_t index = offset / kStride;
        used_[index / 64].fetch_and(~(std::uint64_t{1} << index % 64), std::memory_order_release);
    }
};
