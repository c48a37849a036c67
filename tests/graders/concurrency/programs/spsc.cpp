// A ring for one producer and one consumer.
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
#ifndef HOLDS  // items when full
#define HOLDS N
#endif

template <class T, std::size_t N>
struct Queue {
    T cells[N];
    std::atomic<std::size_t> head{0};
    std::atomic<std::size_t> tail{0};

    bool try_push(const T& item) {
        const std::size_t at = tail.load(std::memory_order_relaxed);
        if (at - head.load(ACQUIRE_SLOT) == HOLDS) {
#ifdef LOSES_WHEN_FULL
            return true;
#else
            return false;
#endif
        }
        cells[at % N] = item;
#ifdef FENCES
        std::atomic_thread_fence(std::memory_order_release);
        tail.store(at + 1, std::memory_order_relaxed);
#else
        tail.store(at + 1, PUBLISH);
#endif
        return true;
    }

    bool try_pop(T& item) {
        const std::size_t at = head.load(std::memory_order_relaxed);
#ifdef FENCES
        const bool empty = tail.load(std::memory_order_relaxed) == at;
        std::atomic_thread_fence(std::memory_order_acquire);
        if (empty) return false;
#else
        if (tail.load(CONSUME) == at) return false;
#endif
#ifdef LAST_IN_FIRST_OUT
        item = cells[(tail.load(CONSUME) - 1) % N];
#else
        item = cells[at % N];
#endif
        head.store(at + 1, RELEASE_SLOT);
        return true;
    }
};

#include "queue_scenarios.h"

SCENARIOS(queue_scenario("alone", push_three_pop_one),
          queue_scenario("three-each", push_three, pop_three))
