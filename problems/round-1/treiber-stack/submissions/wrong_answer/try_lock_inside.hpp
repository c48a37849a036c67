// Does not wait for the lock, but fails while somebody else has it.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Stack {
    T items[Capacity];
    std::size_t size = 0;
    std::atomic_flag taken = ATOMIC_FLAG_INIT;

    bool push(const T& item) {
        if (taken.test_and_set(std::memory_order_acquire)) return false;
        const bool room = size != Capacity;
        if (room) items[size++] = item;
        taken.clear(std::memory_order_release);
        return room;
    }

    bool pop(T& item) {
        if (taken.test_and_set(std::memory_order_acquire)) return false;
        const bool any = size != 0;
        if (any) item = items[--size];
        taken.clear(std::memory_order_release);
        return any;
    }
};
