#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    bool try_push(const T& item) {
        const std::size_t at = tail.load(std::memory_order_relaxed);
        const bool full = at - head.load(std::memory_order_relaxed) == Capacity;
        std::atomic_thread_fence(std::memory_order_acquire);
        if (full) return false;
        cells[at % Capacity] = item;
        std::atomic_thread_fence(std::memory_order_release);
        tail.store(at + 1, std::memory_order_relaxed);
        return true;
    }

    bool try_pop(T& item) {
        const std::size_t at = head.load(std::memory_order_relaxed);
        const bool empty = tail.load(std::memory_order_relaxed) == at;
        std::atomic_thread_fence(std::memory_order_acquire);
        if (empty) return false;
        item = cells[at % Capacity];
        std::atomic_thread_fence(std::memory_order_release);
        head.store(at + 1, std::memory_order_relaxed);
        return true;
    }

  private:
    alignas(64) std::atomic<std::size_t> head{0};
    alignas(64) std::atomic<std::size_t> tail{0};
    alignas(64) T cells[Capacity];
};
