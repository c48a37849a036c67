// Atomic words, so there is no data race; but two words of different stores are no value.
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

    std::atomic<std::uint64_t> words_[kWords] = {};

  public:
    void store(const T& value) {
        std::uint64_t words[kWords];
        std::memcpy(words, &value, sizeof value);
        for (std::size_t i = 0; i < kWords; ++i)
            words_[i].store(words[i], std::memory_order_relaxed);
    }

    bool try_load(T& value) const {
        std::uint64_t words[kWords];
        for (std::size_t i = 0; i < kWords; ++i)
            words[i] = words_[i].load(std::memory_order_relaxed);
        std::memcpy(&value, words, sizeof value);
        return true;
    }
};
