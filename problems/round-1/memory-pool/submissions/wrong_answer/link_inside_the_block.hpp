// Keeps the link in the unused block itself. A thread that is late reads it there while the block's
// new owner writes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

template <std::size_t BlockBytes, std::size_t Blocks>
class Pool {
    static constexpr std::size_t kStride = (BlockBytes + 15) / 16 * 16;
    static constexpr std::uint32_t kNone = 0xffffffff;

    std::atomic<std::uint64_t> top_{kNone};
    alignas(16) std::byte memory_[Blocks * kStride];

    std::atomic<std::uint32_t>& link(std::uint32_t index) {
        return *reinterpret_cast<std::atomic<std::uint32_t>*>(memory_ + index * kStride);
    }

    static std::uint64_t changed(std::uint64_t old, std::uint32_t index) {
        return ((old >> 32) + 1) << 32 | index;
    }

  public:
    Pool() {
        for (std::size_t i = 0; i < Blocks; ++i) deallocate(memory_ + i * kStride);
    }

    void* allocate() {
        std::uint64_t old = top_.load(std::memory_order_acquire);
        for (;;) {
            const auto index = static_cast<std::uint32_t>(old);
            if (index == kNone) return nullptr;
            const std::uint32_t next = link(index).load(std::memory_order_relaxed);
            if (top_.compare_exchange_weak(old, changed(old, next), std::memory_order_acquire,
                                           std::memory_order_acquire))
                return memory_ + index * kStride;
        }
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory_);
        const auto index = static_cast<std::uint32_t>(offset / kStride);
        new (block) std::atomic<std::uint32_t>(kNone);
        std::uint64_t old = top_.load(std::memory_order_relaxed);
        do {
            link(index).store(static_cast<std::uint32_t>(old), std::memory_order_relaxed);
        } while (!top_.compare_exchange_weak(old, changed(old, index), std::memory_order_release,
                                             std::memory_order_relaxed));
    }
};
