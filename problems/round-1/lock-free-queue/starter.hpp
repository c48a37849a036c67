// Make this queue right for any number of producers and consumers, without waiting for any of them.
// As it stands it is right for one thread.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    static_assert(Capacity >= 2 && (Capacity & (Capacity - 1)) == 0);

    bool try_push(const T& item) {
        if (tail - head == Capacity) return false;
        cells[tail % Capacity] = item;
        ++tail;
        return true;
    }

    bool try_pop(T& item) {
        if (tail == head) return false;
        item = cells[head % Capacity];
        ++head;
        return true;
    }

  private:
    T cells[Capacity];
    std::size_t head = 0;
    std::size_t tail = 0;
};
