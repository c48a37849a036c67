// Atomic cells, as if every T were lock-free: beyond 16 bytes the library takes a lock for each access.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    bool try_push(const T& item) {
        const std::size_t at = tail.load(std::memory_order_relaxed);
        if (at - head.load(std::memory_order_acquire) == Capacity) return false;
        cells[at % Capacity].store(item);
        tail.store(at + 1, std::memory_order_release);
        return true;
    }

    bool try_pop(T& item) {
        const std::size_t at = head.load(std::memory_order_relaxed);
        if (tail.load(std::memory_order_acquire) == at) return false;
        item = cells[at % Capacity].load();
        head.store(at + 1, std::memory_order_release);
        return true;
    }

    alignas(64) std::atomic<std::size_t> head{0};
    alignas(64) std::atomic<std::size_t> tail{0};
    alignas(64) std::atomic<T> cells[Capacity];
};
