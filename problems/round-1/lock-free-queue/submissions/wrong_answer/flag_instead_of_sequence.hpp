// A flag in each cell says whether it is full, and nothing says of which lap: a producer that is
// slow meets the one who comes round behind it.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    struct Cell {
        std::atomic<bool> full{false};
        T item;
    };
    Cell cells[Capacity];
    std::atomic<std::size_t> tail{0};
    std::atomic<std::size_t> head{0};

    bool try_push(const T& item) {
        std::size_t at = tail.load(std::memory_order_relaxed);
        do {
            if (cells[at % Capacity].full.load(std::memory_order_acquire)) return false;
        } while (!tail.compare_exchange_weak(at, at + 1, std::memory_order_relaxed));
        cells[at % Capacity].item = item;
        cells[at % Capacity].full.store(true, std::memory_order_release);
        return true;
    }

    bool try_pop(T& item) {
        std::size_t at = head.load(std::memory_order_relaxed);
        do {
            if (!cells[at % Capacity].full.load(std::memory_order_acquire)) return false;
        } while (!head.compare_exchange_weak(at, at + 1, std::memory_order_relaxed));
        item = cells[at % Capacity].item;
        cells[at % Capacity].full.store(false, std::memory_order_release);
        return true;
    }
};
