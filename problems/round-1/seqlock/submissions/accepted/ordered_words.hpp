// No fences: the words themselves are stored with release and loaded with acquire. Who sees a new word
// sees the odd number before it, and the second look cannot come before the words.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

template <class T>
class SeqLock {
    using Words = std::array<std::uint64_t, sizeof(T) / 8>;

    std::atomic<std::uint64_t> sequence_{0};
    std::array<std::atomic<std::uint64_t>, sizeof(T) / 8> words_{};

  public:
    void store(const T& value) {
        const auto words = std::bit_cast<Words>(value);
        const std::uint64_t sequence = sequence_.load(std::memory_order_relaxed);
        sequence_.store(sequence + 1, std::memory_order_relaxed);
        for (std::size_t i = 0; i < words.size(); ++i)
            words_[i].store(words[i], std::memory_order_release);
        sequence_.store(sequence + 2, std::memory_order_release);
    }

    bool try_load(T& value) const {
        const std::uint64_t before = sequence_.load(std::memory_order_acquire);
        if (before & 1) return false;
        Words words;
        for (std::size_t i = 0; i < words.size(); ++i)
            words[i] = words_[i].load(std::memory_order_acquire);
        if (sequence_.load(std::memory_order_relaxed) != before) return false;
        value = std::bit_cast<T>(words);
        return true;
    }
};
