#include <atomic>
#include <cstddef>

// A flag for each slot, and indices that nobody else looks at.
template <class T, std::size_t Capacity>
struct Queue {
    bool try_push(const T& item) {
        Slot& slot = slots[tail % Capacity];
        if (slot.filled.load(std::memory_order_acquire)) return false;
        slot.item = item;
        slot.filled.store(true, std::memory_order_release);
        ++tail;
        return true;
    }

    bool try_pop(T& item) {
        Slot& slot = slots[head % Capacity];
        if (!slot.filled.load(std::memory_order_acquire)) return false;
        item = slot.item;
        slot.filled.store(false, std::memory_order_release);
        ++head;
        return true;
    }

  private:
    struct Slot {
        T item;
        std::atomic<bool> filled{false};
    };
    alignas(64) std::size_t head{0};
    alignas(64) std::size_t tail{0};
    alignas(64) Slot slots[Capacity];
};
