// Michael and Scott's queue with a node from the heap for each item, freed as soon as it is popped.
// malloc takes locks, and another consumer may still look at the node.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    struct Node {
        T item{};
        std::atomic<Node*> next{nullptr};
    };
    std::atomic<Node*> head{new Node};
    std::atomic<Node*> tail{head.load()};
    std::atomic<std::size_t> size{0};

    ~Queue() {
        for (Node* node = head.load(); node;) {
            Node* const next = node->next.load();
            delete node;
            node = next;
        }
    }

    bool try_push(const T& item) {
        std::size_t held = size.load(std::memory_order_relaxed);
        do {
            if (held == Capacity) return false;
        } while (!size.compare_exchange_weak(held, held + 1, std::memory_order_relaxed));
        Node* const node = new Node;
        node->item = item;
        Node* const last = tail.exchange(node, std::memory_order_acq_rel);
        last->next.store(node, std::memory_order_release);
        return true;
    }

    bool try_pop(T& item) {
        Node* first = head.load(std::memory_order_acquire);
        for (;;) {
            Node* const next = first->next.load(std::memory_order_acquire);
            if (!next) return false;
            if (head.compare_exchange_weak(first, next, std::memory_order_acq_rel)) {
                item = next->item;
                delete first;
                size.fetch_sub(1, std::memory_order_relaxed);
                return true;
            }
        }
    }
};
