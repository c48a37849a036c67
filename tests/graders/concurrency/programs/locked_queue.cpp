// Right, but not without waiting: a mutex, a spin lock or a ticket lock round a ring.
#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>

struct SpinLock {
    std::atomic<bool> taken{false};
    void lock() {
        while (taken.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    }
    void unlock() { taken.store(false, std::memory_order_release); }
};

struct TicketLock {
    std::atomic<unsigned> next{0};
    std::atomic<unsigned> serving{0};
    void lock() {
        const unsigned ticket = next.fetch_add(1, std::memory_order_relaxed);
        while (serving.load(std::memory_order_acquire) != ticket) {}
    }
    void unlock() {
        serving.store(serving.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
};

#ifndef LOCK
#define LOCK std::mutex
#endif

template <class T, std::size_t N>
struct Queue {
    T cells[N];
    std::size_t head = 0;
    std::size_t tail = 0;
    LOCK lock;

    bool try_push(const T& item) {
        std::lock_guard guard(lock);
        if (tail - head == N) return false;
        cells[tail++ % N] = item;
        return true;
    }

    bool try_pop(T& item) {
        std::lock_guard guard(lock);
        if (tail == head) return false;
        item = cells[head++ % N];
        return true;
    }
};

#include "queue_scenarios.h"

SCENARIOS(queue_scenario("both", push_pop, push_pop_other),
          queue_scenario("one-each", push_two, pop_two))
