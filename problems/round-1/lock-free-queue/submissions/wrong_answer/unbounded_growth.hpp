// A linked queue over a long array of nodes that never come back: it holds more than Capacity, until
// there are none left for ever.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    struct Node {
        T item;
        std::atomic<Node*> next{nullptr};
    };
    static constexpr std::size_t kNodes = 64;
    Node nodes[kNodes];
    std::atomic<std::size_t> used{1};
    std::atomic<Node*> head{&nodes[0]};
    std::atomic<Node*> tail{&nodes[0]};

    bool try_push(const T& item) {
        const std::size_t at = used.fetch_add(1, std::memory_order_relaxed);
        if (at >= kNodes) return false;
        Node* const node = &nodes[at];
        node->item = item;
        for (;;) {
            Node* last = tail.load(std::memory_order_acquire);
            Node* next = nullptr;
            if (last->next.compare_exchange_weak(next, node, std::memory_order_acq_rel,
                                                 std::memory_order_acquire)) {
                tail.compare_exchange_strong(last, node, std::memory_order_acq_rel,
                                             std::memory_order_relaxed);
                return true;
            }
            if (next)
                tail.compare_exchange_strong(last, next, std::memory_order_acq_rel,
                                             std::memory_order_relaxed);
        }
    }

    bool try_pop(T& item) {
        Node* first = head.load(std::memory_order_acquire);
        for (;;) {
            Node* const next = first->next.load(std::memory_order_acquire);
            if (!next) return false;
            if (head.compare_exchange_weak(first, next, std::memory_order_acq_rel,
                                           std::memory_order_acquire)) {
                item = next->item;
                return true;
            }
        }
    }
};
