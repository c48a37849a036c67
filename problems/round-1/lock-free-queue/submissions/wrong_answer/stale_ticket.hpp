// Reads the counter again to see whether it moved, but nothing makes the second read a newer one.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
class Queue {
    struct Cell {
        std::atomic<std::size_t> turn{0};
        T item;
    };

    Cell cells_[Capacity];
    alignas(64) std::atomic<std::size_t> pushes_{0};
    alignas(64) std::atomic<std::size_t> pops_{0};

    static std::size_t lap(std::size_t ticket) { return ticket / Capacity; }

    // Takes the next ticket whose cell has reached `2 * lap + offset`, or gives up.
    Cell* claim(std::atomic<std::size_t>& counter, std::size_t offset, std::size_t& turn) {
        std::size_t ticket = counter.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells_[ticket % Capacity];
            turn = 2 * lap(ticket) + offset;
            if (cell.turn.load(std::memory_order_relaxed) == turn) {
                if (counter.compare_exchange_strong(ticket, ticket + 1, std::memory_order_relaxed,
                                                    std::memory_order_relaxed)) {
                    std::atomic_thread_fence(std::memory_order_acquire);
                    return &cell;
                }
            } else {
                const std::size_t before = ticket;
                ticket = counter.load(std::memory_order_relaxed);
                if (ticket == before) return nullptr;
            }
        }
    }

    static void pass_on(Cell& cell, std::size_t turn) {
        std::atomic_thread_fence(std::memory_order_release);
        cell.turn.store(turn + 1, std::memory_order_relaxed);
    }

  public:
    bool try_push(const T& item) {
        std::size_t turn = 0;
        Cell* const cell = claim(pushes_, 0, turn);
        if (!cell) return false;
        cell->item = item;
        pass_on(*cell, turn);
        return true;
    }

    bool try_pop(T& item) {
        std::size_t turn = 0;
        Cell* const cell = claim(pops_, 1, turn);
        if (!cell) return false;
        item = cell->item;
        pass_on(*cell, turn);
        return true;
    }
};
