// Relaxed accesses, ordered by fences alone.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
class Queue {
    alignas(64) std::atomic<std::size_t> head_{0};
    std::size_t tail_seen_ = 0;
    alignas(64) std::atomic<std::size_t> tail_{0};
    std::size_t head_seen_ = 0;
    alignas(64) T cells_[Capacity];

  public:
    bool try_push(const T& item) {
        const std::size_t at = tail_.load(std::memory_order_relaxed);
        if (at - head_seen_ == Capacity) {
            head_seen_ = head_.load(std::memory_order_relaxed);
            if (at - head_seen_ == Capacity) return false;
            std::atomic_thread_fence(std::memory_order_acquire);
        }
        cells_[at % Capacity] = item;
        std::atomic_thread_fence(std::memory_order_release);
        tail_.store(at + 1, std::memory_order_relaxed);
        return true;
    }

    bool try_pop(T& item) {
        const std::size_t at = head_.load(std::memory_order_relaxed);
        if (at == tail_seen_) {
            tail_seen_ = tail_.load(std::memory_order_relaxed);
            if (at == tail_seen_) return false;
            std::atomic_thread_fence(std::memory_order_acquire);
        }
        item = cells_[at % Capacity];
        std::atomic_thread_fence(std::memory_order_release);
        head_.store(at + 1, std::memory_order_relaxed);
        return true;
    }
};
