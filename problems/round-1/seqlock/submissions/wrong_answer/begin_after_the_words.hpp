// Stores the odd number after the words.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

template <class T>
class SeqLock {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0);
    static constexpr std::size_t kWords = sizeof(T) / 8;

    std::atomic<std::uint64_t> sequence_{0};  // odd while a store is going on
    std::atomic<std::uint64_t> words_[kWords] = {};

  public:
    void store(const T& value) {
        std::uint64_t words[kWords];
        std::memcpy(words, &value, sizeof value);
        const std::uint64_t sequence = sequence_.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < kWords; ++i)
            words_[i].store(words[i], std::memory_order_relaxed);
        sequence_.store(sequence + 1, std::memory_order_release);
        sequence_.store(sequence + 2, std::memory_order_release);
    }

    bool try_load(T& value) const {
        const std::uint64_t before = sequence_.load(std::memory_order_acquire);
        if (before % 2 != 0) return false;
        std::uint64_t words[kWords];
        for (std::size_t i = 0; i < kWords; ++i)
            words[i] = words_[i].load(std::memory_order_relaxed);
        // The words first, the number after them.
        std::atomic_thread_fence(std::memory_order_acquire);
        if (sequence_.load(std::memory_order_relaxed) != before) return false;
        std::memcpy(&value, words, sizeof value);
        return true;
    }
};
