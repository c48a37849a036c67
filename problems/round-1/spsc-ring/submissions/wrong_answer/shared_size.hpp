// One counter of items that both sides change with a load and a store: one change is lost.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    bool try_push(const T& item) {
        if (size.load(std::memory_order_acquire) == Capacity) return false;
        cells[tail] = item;
        tail = (tail + 1) % Capacity;
        size.store(size.load(std::memory_order_acquire) + 1, std::memory_order_release);
        return true;
    }

    bool try_pop(T& item) {
        if (size.load(std::memory_order_acquire) == 0) return false;
        item = cells[head];
        head = (head + 1) % Capacity;
        size.store(size.load(std::memory_order_acquire) - 1, std::memory_order_release);
        return true;
    }

  private:
    T cells[Capacity];
    alignas(64) std::size_t head = 0;
    alignas(64) std::size_t tail = 0;
    alignas(64) std::atomic<std::size_t> size{0};
};
