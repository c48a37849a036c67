// A mutex: whoever is suspended inside keeps all others out.
#pragma once

#include <mutex>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Stack {
    T items[Capacity];
    std::size_t size = 0;
    std::mutex lock;

    bool push(const T& item) {
        std::lock_guard guard(lock);
        const bool room = size != Capacity;
        if (room) items[size++] = item;
        return room;
    }

    bool pop(T& item) {
        std::lock_guard guard(lock);
        const bool any = size != 0;
        if (any) item = items[--size];
        return any;
    }
};
