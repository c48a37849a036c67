// An array and a counter that moves atomically: the place is claimed before the item is there, and
// given up before it was read.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Stack {
    T items[Capacity];
    std::atomic<std::size_t> size{0};

    bool push(const T& item) {
        std::size_t at = size.load(std::memory_order_acquire);
        do {
            if (at == Capacity) return false;
        } while (!size.compare_exchange_weak(at, at + 1, std::memory_order_acq_rel));
        items[at] = item;
        return true;
    }

    bool pop(T& item) {
        std::size_t at = size.load(std::memory_order_acquire);
        do {
            if (at == 0) return false;
        } while (!size.compare_exchange_weak(at, at - 1, std::memory_order_acq_rel));
        item = items[at - 1];
        return true;
    }
};
