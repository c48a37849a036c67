// Two copies, each a sequence lock: the writer fills the one that is not current, so a single store
// under way disturbs nobody. A reader fails only if it is overtaken.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

template <class T>
class SeqLock {
    static constexpr std::size_t kWords = sizeof(T) / 8;

    struct Copy {
        std::atomic<std::uint64_t> words[kWords] = {};
    };

    // Stores begun; copy `begun % 2` is the one being written or written last.
    std::atomic<std::uint64_t> begun_{0};
    std::atomic<std::uint64_t> done_{0};
    Copy copies_[2];

  public:
    void store(const T& value) {
        const std::uint64_t number = done_.load(std::memory_order_relaxed) + 1;
        begun_.store(number, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        for (std::size_t i = 0; i < kWords; ++i) {
            std::uint64_t word;
            std::memcpy(&word, reinterpret_cast<const char*>(&value) + 8 * i, 8);
            copies_[number % 2].words[i].store(word, std::memory_order_relaxed);
        }
        done_.store(number, std::memory_order_release);
    }

    bool try_load(T& value) const {
        const std::uint64_t number = done_.load(std::memory_order_acquire);
        std::uint64_t words[kWords];
        for (std::size_t i = 0; i < kWords; ++i)
            words[i] = copies_[number % 2].words[i].load(std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_acquire);
        // Store number + 2 is the next one to write this copy.
        if (begun_.load(std::memory_order_relaxed) >= number + 2) return false;
        std::memcpy(&value, words, sizeof value);
        return true;
    }
};
