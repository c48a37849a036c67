// Two copies: the writer fills the one that nobody is sent to, then turns round. A reader that is late
// still reads there when the writer comes back after the next store.
#pragma once

#include <atomic>

template <class T>
class SeqLock {
    std::atomic<unsigned> current_{0};
    T copies_[2] = {};

  public:
    void store(const T& value) {
        const unsigned next = 1 - current_.load(std::memory_order_relaxed);
        copies_[next] = value;
        current_.store(next, std::memory_order_release);
    }

    bool try_load(T& value) const {
        value = copies_[current_.load(std::memory_order_acquire)];
        return true;
    }
};
