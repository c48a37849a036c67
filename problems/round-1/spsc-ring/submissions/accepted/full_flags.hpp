// No shared counters: each cell says whether it is full (J. Giacomoni, T. Moseley, M. Vachharajani,
// "FastForward for efficient pipeline parallelism", PPoPP 2008). The sides meet only in the cells.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
class Queue {
    struct Cell {
        std::atomic<bool> full{false};
        T item;
    };

    Cell cells_[Capacity];
    alignas(64) std::size_t push_at_ = 0;  // the producer's own
    alignas(64) std::size_t pop_at_ = 0;   // the consumer's own

  public:
    bool try_push(const T& item) {
        Cell& cell = cells_[push_at_];
        if (cell.full.load(std::memory_order_acquire)) return false;
        cell.item = item;
        cell.full.store(true, std::memory_order_release);
        push_at_ = push_at_ + 1 == Capacity ? 0 : push_at_ + 1;
        return true;
    }

    bool try_pop(T& item) {
        Cell& cell = cells_[pop_at_];
        if (!cell.full.load(std::memory_order_acquire)) return false;
        item = cell.item;
        cell.full.store(false, std::memory_order_release);
        pop_at_ = pop_at_ + 1 == Capacity ? 0 : pop_at_ + 1;
        return true;
    }
};
