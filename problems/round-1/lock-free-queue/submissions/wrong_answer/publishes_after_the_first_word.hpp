// Items travel in atomic words, so nothing races, and are announced after the first of them: right
// for 8 bytes, in parts for more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

template <class T, std::size_t Capacity>
struct Queue {
    static constexpr std::size_t kWords = (sizeof(T) + 7) / 8;

    struct Cell {
        std::atomic<std::size_t> sequence;
        std::atomic<std::uint64_t> words[kWords];
    };
    Cell cells[Capacity];
    std::atomic<std::size_t> tail{0};
    std::atomic<std::size_t> head{0};

    Queue() {
        for (std::size_t i = 0; i < Capacity; ++i)
            cells[i].sequence.store(i, std::memory_order_relaxed);
    }

    bool try_push(const T& item) {
        std::size_t at = tail.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[at % Capacity];
            const auto ahead = static_cast<std::ptrdiff_t>(
                cell.sequence.load(std::memory_order_acquire) - at);
            if (ahead < 0) return false;
            if (ahead > 0) {
                at = tail.load(std::memory_order_relaxed);
            } else if (tail.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                std::uint64_t words[kWords] = {};
                std::memcpy(words, &item, sizeof item);
                cell.words[0].store(words[0], std::memory_order_relaxed);
                cell.sequence.store(at + 1, std::memory_order_release);
                for (std::size_t i = 1; i < kWords; ++i)
                    cell.words[i].store(words[i], std::memory_order_relaxed);
                return true;
            }
        }
    }

    bool try_pop(T& item) {
        std::size_t at = head.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[at % Capacity];
            const auto ahead = static_cast<std::ptrdiff_t>(
                cell.sequence.load(std::memory_order_acquire) - (at + 1));
            if (ahead < 0) return false;
            if (ahead > 0) {
                at = head.load(std::memory_order_relaxed);
            } else if (head.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                std::uint64_t words[kWords];
                for (std::size_t i = 0; i < kWords; ++i)
                    words[i] = cell.words[i].load(std::memory_order_relaxed);
                std::memcpy(&item, words, sizeof item);
                cell.sequence.store(at + Capacity, std::memory_order_release);
                return true;
            }
        }
    }
};
