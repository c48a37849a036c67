// The ring for one producer and one consumer, with compare_exchange in place of the stores: the tail
// moves before the item is written, and no cell says whether it is there.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    T cells[Capacity];
    std::atomic<std::size_t> head{0};
    std::atomic<std::size_t> tail{0};

    bool try_push(const T& item) {
        std::size_t at = tail.load(std::memory_order_seq_cst);
        do {
            if (at - head.load(std::memory_order_seq_cst) == Capacity) return false;
        } while (!tail.compare_exchange_weak(at, at + 1, std::memory_order_seq_cst));
        cells[at % Capacity] = item;
        return true;
    }

    bool try_pop(T& item) {
        std::size_t at = head.load(std::memory_order_seq_cst);
        do {
            if (at == tail.load(std::memory_order_seq_cst)) return false;
        } while (!head.compare_exchange_weak(at, at + 1, std::memory_order_seq_cst));
        item = cells[at % Capacity];
        return true;
    }
};
