// volatile keeps the compiler from leaving accesses out. It orders nothing, and it is a data race.
#pragma once

#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    bool try_push(const T& item) {
        const std::size_t at = tail;
        if (at - head == Capacity) return false;
        cells[at % Capacity] = item;
        tail = at + 1;
        return true;
    }

    bool try_pop(T& item) {
        const std::size_t at = head;
        if (tail == at) return false;
        item = cells[at % Capacity];
        head = at + 1;
        return true;
    }

  private:
    T cells[Capacity];
    alignas(64) volatile std::size_t head = 0;
    alignas(64) volatile std::size_t tail = 0;
};
