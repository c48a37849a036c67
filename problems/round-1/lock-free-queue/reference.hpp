// A bounded queue for many producers and many consumers, after D. Vyukov's ring.
//
// Each cell carries a sequence number that says whose turn it is:
//   sequence == ticket                 the producer with this ticket may write,
//   sequence == ticket + 1             the consumer with this ticket may read,
//   sequence == ticket + Capacity      the producer of the next lap may write.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

template <class T, std::size_t Capacity>
struct Queue {
    static_assert(Capacity >= 2 && (Capacity & (Capacity - 1)) == 0);

    Queue() {
        for (std::size_t i = 0; i < Capacity; ++i)
            cells[i].sequence.store(i, std::memory_order_relaxed);
    }

    bool try_push(const T& item) {
        std::size_t ticket = tail.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[ticket & (Capacity - 1)];
            const std::size_t sequence = cell.sequence.load(std::memory_order_acquire);
            const auto ahead = static_cast<std::ptrdiff_t>(sequence - ticket);
            if (ahead < 0) return false;  // the cell still holds the item of the lap before
            if (ahead > 0) {              // somebody else has this ticket already
                ticket = tail.load(std::memory_order_relaxed);
                continue;
            }
            if (tail.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed,
                                           std::memory_order_relaxed)) {
                cell.item = item;
                cell.sequence.store(ticket + 1, std::memory_order_release);
                return true;
            }
        }
    }

    bool try_pop(T& item) {
        std::size_t ticket = head.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[ticket & (Capacity - 1)];
            const std::size_t sequence = cell.sequence.load(std::memory_order_acquire);
            const auto ahead = static_cast<std::ptrdiff_t>(sequence - (ticket + 1));
            if (ahead < 0) return false;  // nothing published here yet
            if (ahead > 0) {
                ticket = head.load(std::memory_order_relaxed);
                continue;
            }
            if (head.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed,
                                           std::memory_order_relaxed)) {
                item = cell.item;
                cell.sequence.store(ticket + Capacity, std::memory_order_release);
                return true;
            }
        }
    }

  private:
    struct Cell {
        std::atomic<std::size_t> sequence;
        T item;
    };

    // Producers and consumers meet in the cells only, never in the counters.
    alignas(64) std::atomic<std::size_t> tail{0};
    alignas(64) std::atomic<std::size_t> head{0};
    alignas(64) Cell cells[Capacity];
};
