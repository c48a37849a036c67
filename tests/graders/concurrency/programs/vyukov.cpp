// A bounded ring with a sequence number in each cell, many producers and consumers.
#include <atomic>
#include <cstddef>

#ifndef PUBLISH
#define PUBLISH std::memory_order_release
#endif
#ifndef CONSUME
#define CONSUME std::memory_order_acquire
#endif
#ifndef RELEASE_SLOT
#define RELEASE_SLOT std::memory_order_release
#endif
#ifndef ACQUIRE_SLOT
#define ACQUIRE_SLOT std::memory_order_acquire
#endif

template <class T, std::size_t N>
struct Queue {
    struct Cell {
        std::atomic<std::size_t> sequence;
        T item;
    };
    Cell cells[N];
    std::atomic<std::size_t> head{0};
    std::atomic<std::size_t> tail{0};

    Queue() {
        for (std::size_t i = 0; i < N; ++i) cells[i].sequence.store(i, std::memory_order_relaxed);
    }

    bool try_push(const T& item) {
        std::size_t at = tail.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[at % N];
            const long ahead = long(cell.sequence.load(ACQUIRE_SLOT)) - long(at);
            if (ahead < 0) return false;
            if (ahead > 0) {
                at = tail.load(std::memory_order_relaxed);
#ifdef DUPLICATES
            } else {
                tail.store(at + 1, std::memory_order_relaxed);
#else
            } else if (tail.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
#endif
                cell.item = item;
                cell.sequence.store(at + 1, PUBLISH);
                return true;
            }
        }
    }

    bool try_pop(T& item) {
        std::size_t at = head.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells[at % N];
            const long ahead = long(cell.sequence.load(CONSUME)) - long(at + 1);
            if (ahead < 0) return false;
            if (ahead > 0) {
                at = head.load(std::memory_order_relaxed);
            } else if (head.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                item = cell.item;
                cell.sequence.store(at + N, RELEASE_SLOT);
                return true;
            }
        }
    }
};

#include "queue_scenarios.h"

SCENARIOS(queue_scenario("one-each", push_three, pop_three),
          queue_scenario("both", push_pop, push_pop_other),
          queue_scenario("two-producers", push_one, push_other, pop_two))
