// Does not wait for the lock, but fails while somebody else has it: two consumers, two items, and
// one of them is told that the queue is empty.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    T cells[Capacity];
    std::size_t head = 0;
    std::size_t tail = 0;
    std::atomic_flag taken = ATOMIC_FLAG_INIT;

    bool try_push(const T& item) {
        if (taken.test_and_set(std::memory_order_acquire)) return false;
        const bool room = tail - head != Capacity;
        if (room) cells[tail++ % Capacity] = item;
        taken.clear(std::memory_order_release);
        return room;
    }

    bool try_pop(T& item) {
        if (taken.test_and_set(std::memory_order_acquire)) return false;
        const bool any = tail != head;
        if (any) item = cells[head++ % Capacity];
        taken.clear(std::memory_order_release);
        return any;
    }
};
