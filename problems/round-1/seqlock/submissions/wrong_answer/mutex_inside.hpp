// A mutex: a reader that is suspended inside stops the writer.
#pragma once

#include <mutex>

template <class T>
class SeqLock {
    std::mutex lock_;
    T value_{};

  public:
    void store(const T& value) {
        std::lock_guard guard(lock_);
        value_ = value;
    }

    bool try_load(T& value) {
        std::lock_guard guard(lock_);
        value = value_;
        return true;
    }
};
