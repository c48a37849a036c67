// A pop that finds nothing has cleared its caller's item by then.
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

    Queue() {
        for (std::size_t i = 0; i < Capacity; ++i)
            cells[i].sequence.store(i, std::memory_order_relaxed);
    }

    bool try_push(const T& item) {
        std::size_t at = tail.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[at % Capacity];
            const auto ahead = static_cast<std::ptrdiff_t>(
                cell.sequence.load(std::memory_order_acquire) - at);
            if (ahead < 0) return false;
            if (ahead > 0) {
                at = tail.load(std::memory_order_relaxed);
            } else if (tail.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                cell.item = item;
                cell.sequence.store(at + 1, std::memory_order_release);
                return true;
            }
        }
    }

    bool try_pop(T& item) {
        item = T{};
        std::size_t at = head.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[at % Capacity];
            const auto ahead = static_cast<std::ptrdiff_t>(
                cell.sequence.load(std::memory_order_acquire) - (at + 1));
            if (ahead < 0) return false;
            if (ahead > 0) {
                at = head.load(std::memory_order_relaxed);
            } else if (head.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                item = cell.item;
                cell.sequence.store(at + Capacity, std::memory_order_release);
                return true;
            }
        }
    }
};
