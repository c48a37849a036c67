// Right, and slow: every access is sequentially consistent, so that each store waits for the store
// buffer, and both counters lie on the cache line of the cells.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    std::atomic<std::size_t> head{0};
    std::atomic<std::size_t> tail{0};
    T cells[Capacity];

    bool try_push(const T& item) {
        if (tail.load() - head.load() == Capacity) return false;
        cells[tail.load() % Capacity] = item;
        tail.fetch_add(1);
        return true;
    }

    bool try_pop(T& item) {
        if (tail.load() == head.load()) return false;
        item = cells[head.load() % Capacity];
        head.fetch_add(1);
        return true;
    }
};
