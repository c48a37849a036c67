// volatile in place of atomic: it orders nothing, and it races.
#pragma once

#include <atomic>
#include <cstdint>

template <class T>
class SeqLock {
    volatile std::uint64_t sequence_ = 0;
    T value_{};

  public:
    void store(const T& value) {
        const std::uint64_t sequence = sequence_;
        sequence_ = sequence + 1;
        std::atomic_thread_fence(std::memory_order_release);
        value_ = value;
        sequence_ = sequence + 2;
    }

    bool try_load(T& value) const {
        const std::uint64_t before = sequence_;
        if (before % 2 != 0) return false;
        value = value_;
        std::atomic_thread_fence(std::memory_order_acquire);
        return sequence_ == before;
    }
};
