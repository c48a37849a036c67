// Lamport's ring: the indices stay inside, and one cell more than Capacity tells full from empty.
// Indices are kept as last seen.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
class Queue {
    static constexpr std::size_t kCells = Capacity + 1;

    struct alignas(64) Index {
        std::atomic<std::size_t> at{0};
        std::size_t other = 0;
    };

    Index read_;
    Index write_;
    alignas(64) std::array<T, kCells> cells_{};

    static std::size_t after(std::size_t at) { return at == Capacity ? 0 : at + 1; }

  public:
    bool try_push(const T& item) {
        const std::size_t at = write_.at.load(std::memory_order_relaxed);
        const std::size_t next = after(at);
        if (next == write_.other) {
            write_.other = read_.at.load(std::memory_order_acquire);
            if (next == write_.other) return false;
        }
        cells_[at] = item;
        write_.at.store(next, std::memory_order_release);
        return true;
    }

    bool try_pop(T& item) {
        const std::size_t at = read_.at.load(std::memory_order_relaxed);
        if (at == read_.other) {
            read_.other = write_.at.load(std::memory_order_acquire);
            if (at == read_.other) return false;
        }
        item = cells_[at];
        read_.at.store(after(at), std::memory_order_release);
        return true;
    }
};
