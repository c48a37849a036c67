// Make this ring right for one producer and one consumer, each a thread of its own. As it stands it
// is right for one thread.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    static_assert(Capacity >= 1);

    bool try_push(const T& item) {
        if (pushed - popped == Capacity) return false;
        cells[pushed % Capacity] = item;
        ++pushed;
        return true;
    }

    bool try_pop(T& item) {
        if (pushed == popped) return false;
        item = cells[popped % Capacity];
        ++popped;
        return true;
    }

  private:
    T cells[Capacity];
    std::size_t pushed = 0;
    std::size_t popped = 0;
};
