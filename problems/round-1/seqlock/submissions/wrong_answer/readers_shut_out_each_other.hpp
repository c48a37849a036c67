// A flag that a reader and the writer take by exchange, and a reader that does not get it fails: also
// when another reader has it and no store is going on.
#pragma once

#include <atomic>

template <class T>
class SeqLock {
    std::atomic<T*> current_;
    T values_[2] = {};
    std::atomic_flag taken_ = ATOMIC_FLAG_INIT;

  public:
    SeqLock() : current_(&values_[0]) {}

    void store(const T& value) {
        while (taken_.test_and_set(std::memory_order_acquire)) {}
        *current_.load(std::memory_order_relaxed) = value;
        taken_.clear(std::memory_order_release);
    }

    bool try_load(T& value) {
        if (taken_.test_and_set(std::memory_order_acquire)) return false;
        value = *current_.load(std::memory_order_relaxed);
        taken_.clear(std::memory_order_release);
        return true;
    }
};
