// A ring in Vyukov's style holds the free blocks. A thread that is suspended between its ticket and its
// publication hides all blocks behind it: the others are told that there are none.
#pragma once

#include <atomic>
#include <cstddef>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static constexpr std::size_t kStride = (BlockBytes + 15) / 16 * 16;

    struct Cell {
        std::atomic<std::size_t> sequence;
        std::size_t block;
    };

    Cell cells_[Blocks];
    std::atomic<std::size_t> tail_{Blocks};
    std::atomic<std::size_t> head_{0};
    alignas(16) std::byte memory_[Blocks * kStride];

  public:
    Pool() {
        for (std::size_t i = 0; i < Blocks; ++i) {
            cells_[i].block = i;
            cells_[i].sequence.store(i + 1, std::memory_order_relaxed);
        }
    }

    void* allocate() {
        std::size_t at = head_.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells_[at % Blocks];
            const auto ahead = static_cast<std::ptrdiff_t>(
                cell.sequence.load(std::memory_order_acquire) - (at + 1));
            if (ahead < 0) return nullptr;
            if (ahead > 0) {
                at = head_.load(std::memory_order_relaxed);
            } else if (head_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                void* const block = memory_ + cell.block * kStride;
                cell.sequence.store(at + Blocks, std::memory_order_release);
                return block;
            }
        }
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory_);
        std::size_t at = tail_.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells_[at % Blocks];
            const auto ahead = static_cast<std::ptrdiff_t>(
                cell.sequence.load(std::memory_order_acquire) - at);
            if (ahead != 0) {
                at = tail_.load(std::memory_order_relaxed);
            } else if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                cell.block = offset / kStride;
                cell.sequence.store(at + 1, std::memory_order_release);
                return;
            }
        }
    }
};
