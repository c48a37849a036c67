// Looks at the number the second time by adding 0 to it: a read-modify-write with release cannot come
// before the words. It costs readers a shared cache line, but is right.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

template <class T>
class SeqLock {
    std::atomic<std::uint64_t> sequence_{0};
    std::atomic<std::uint64_t> words_[sizeof(T) / 8] = {};

  public:
    void store(const T& value) {
        const std::uint64_t begin = sequence_.fetch_add(1, std::memory_order_acquire) + 1;
        for (std::size_t i = 0; i < sizeof(T) / 8; ++i) {
            std::uint64_t word;
            std::memcpy(&word, reinterpret_cast<const char*>(&value) + 8 * i, 8);
            words_[i].store(word, std::memory_order_relaxed);
        }
        sequence_.store(begin + 1, std::memory_order_release);
    }

    bool try_load(T& value) {
        const std::uint64_t before = sequence_.load(std::memory_order_acquire);
        if (before % 2 == 1) return false;
        std::uint64_t words[sizeof(T) / 8];
        for (std::size_t i = 0; i < sizeof(T) / 8; ++i)
            words[i] = words_[i].load(std::memory_order_relaxed);
        if (sequence_.fetch_add(0, std::memory_order_release) != before) return false;
        std::memcpy(&value, words, sizeof value);
        return true;
    }
};
