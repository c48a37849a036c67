// Forgets to return the nodes: after Capacity pushes the stack is full for ever.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

template <class T, std::size_t Capacity>
class Stack {
    static_assert(Capacity >= 1 && Capacity < 0xffffffff);

    // The index of a node in the low half, a count of changes in the high half.
    using Link = std::uint64_t;
    static constexpr std::uint32_t kNone = 0xffffffff;

    struct Node {
        std::atomic<std::uint32_t> next{kNone};
        T item;
    };

    static std::uint32_t index_of(Link link) { return static_cast<std::uint32_t>(link); }
    static Link changed(Link old, std::uint32_t index) { return ((old >> 32) + 1) << 32 | index; }

    alignas(64) std::atomic<Link> items_{kNone};
    alignas(64) std::atomic<Link> unused_{kNone};
    alignas(64) Node nodes_[Capacity];

    void put(std::atomic<Link>& top, std::uint32_t index) {
        Link old = top.load(std::memory_order_relaxed);
        do {
            nodes_[index].next.store(index_of(old), std::memory_order_relaxed);
        } while (!top.compare_exchange_weak(old, changed(old, index), std::memory_order_release,
                                            std::memory_order_relaxed));
    }

    std::uint32_t take(std::atomic<Link>& top) {
        Link old = top.load(std::memory_order_acquire);
        while (index_of(old) != kNone) {
            // Somebody may take the node and link it elsewhere meanwhile: then the count differs.
            const std::uint32_t next = nodes_[index_of(old)].next.load(std::memory_order_relaxed);
            if (top.compare_exchange_weak(old, changed(old, next), std::memory_order_acquire,
                                          std::memory_order_acquire))
                break;
        }
        return index_of(old);
    }

  public:
    Stack() {
        for (std::uint32_t i = 0; i < Capacity; ++i) put(unused_, i);
    }

    bool push(const T& item) {
        const std::uint32_t index = take(unused_);
        if (index == kNone) return false;
        nodes_[index].item = item;
        put(items_, index);
        return true;
    }

    bool pop(T& item) {
        const std::uint32_t index = take(items_);
        if (index == kNone) return false;
        item = nodes_[index].item;
        return true;
    }
};
