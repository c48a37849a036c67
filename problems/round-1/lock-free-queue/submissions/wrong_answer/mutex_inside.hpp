// A mutex: whoever is suspended inside keeps all others out.
#pragma once

#include <mutex>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    T cells[Capacity];
    std::size_t head = 0;
    std::size_t tail = 0;
    std::mutex lock;

    bool try_push(const T& item) {
        std::lock_guard guard(lock);
        const bool room = tail - head != Capacity;
        if (room) cells[tail++ % Capacity] = item;
        return room;
    }

    bool try_pop(T& item) {
        std::lock_guard guard(lock);
        const bool any = tail != head;
        if (any) item = cells[head++ % Capacity];
        return any;
    }
};
