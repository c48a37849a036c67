// A spin lock is a mutex without the system call: it blocks as well.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Stack {
    T items[Capacity];
    std::size_t size = 0;
    std::atomic_flag taken = ATOMIC_FLAG_INIT;

    bool push(const T& item) {
        while (taken.test_and_set(std::memory_order_acquire)) {}
        const bool room = size != Capacity;
        if (room) items[size++] = item;
        taken.clear(std::memory_order_release);
        return room;
    }

    bool pop(T& item) {
        while (taken.test_and_set(std::memory_order_acquire)) {}
        const bool any = size != 0;
        if (any) item = items[--size];
        taken.clear(std::memory_order_release);
        return any;
    }
};
