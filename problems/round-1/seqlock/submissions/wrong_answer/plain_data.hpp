// The sequence lock of old kernels: it throws away what it read while a store was going on, but a read
// that races is undefined whatever becomes of its value.
#pragma once

#include <atomic>
#include <cstdint>

template <class T>
class SeqLock {
    std::atomic<std::uint64_t> sequence_{0};
    T value_{};

  public:
    void store(const T& value) {
        const std::uint64_t sequence = sequence_.load(std::memory_order_relaxed);
        sequence_.store(sequence + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        value_ = value;
        sequence_.store(sequence + 2, std::memory_order_release);
    }

    bool try_load(T& value) const {
        const std::uint64_t before = sequence_.load(std::memory_order_acquire);
        if (before % 2 != 0) return false;
        value = value_;
        std::atomic_thread_fence(std::memory_order_acquire);
        return sequence_.load(std::memory_order_relaxed) == before;
    }
};
