// A spin lock is a mutex without the system call: it blocks as well.
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
        while (taken.test_and_set(std::memory_order_acquire)) {}
        const bool room = tail - head != Capacity;
        if (room) cells[tail++ % Capacity] = item;
        taken.clear(std::memory_order_release);
        return room;
    }

    bool try_pop(T& item) {
        while (taken.test_and_set(std::memory_order_acquire)) {}
        const bool any = tail != head;
        if (any) item = cells[head++ % Capacity];
        taken.clear(std::memory_order_release);
        return any;
    }
};
