// Keeps the other side's counter and never reads it again: full once, full for ever.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    static_assert(Capacity >= 1);

    bool try_push(const T& item) {
        const std::size_t pushed = producer.count.load(std::memory_order_relaxed);
        if (pushed - producer.seen == Capacity) {
            return false;
        }
        cells[producer.at] = item;
        producer.at = next(producer.at);
        producer.count.store(pushed + 1, std::memory_order_release);
        return true;
    }

    bool try_pop(T& item) {
        const std::size_t popped = consumer.count.load(std::memory_order_relaxed);
        if (consumer.seen == popped) {
            consumer.seen = producer.count.load(std::memory_order_acquire);
            if (consumer.seen == popped) return false;
        }
        item = cells[consumer.at];
        consumer.at = next(consumer.at);
        consumer.count.store(popped + 1, std::memory_order_release);
        return true;
    }

  private:
    // One side. Only its own thread writes here, and only `count` is read by the other.
    struct alignas(64) Side {
        std::atomic<std::size_t> count{0};
        std::size_t seen = 0;  // the other side's count
        std::size_t at = 0;    // the cell of the next item, so that no division is needed
    };

    static std::size_t next(std::size_t at) { return at + 1 == Capacity ? 0 : at + 1; }

    Side producer;
    Side consumer;
    alignas(64) T cells[Capacity];
};
