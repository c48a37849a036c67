// A spin lock is a mutex without the system call: it blocks as well.
#pragma once

#include <atomic>

template <class T>
class SeqLock {
    std::atomic_flag taken_ = ATOMIC_FLAG_INIT;
    T value_{};

  public:
    void store(const T& value) {
        while (taken_.test_and_set(std::memory_order_acquire)) {}
        value_ = value;
        taken_.clear(std::memory_order_release);
    }

    bool try_load(T& value) {
        while (taken_.test_and_set(std::memory_order_acquire)) {}
        value = value_;
        taken_.clear(std::memory_order_release);
        return true;
    }
};
