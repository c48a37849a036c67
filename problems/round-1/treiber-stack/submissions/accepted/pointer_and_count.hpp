// Treiber's stack with pointers: a pointer and a count of changes are one atomic of 16 bytes, which
// x86-64 exchanges at once (cmpxchg16b). The nodes belong to the object.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

template <class T, std::size_t Capacity>
class Stack {
    struct Node {
        std::atomic<Node*> next{nullptr};
        T item;
    };

    struct alignas(16) Top {
        Node* node;
        std::uintptr_t count;
    };

    alignas(64) std::atomic<Top> items_{Top{nullptr, 0}};
    alignas(64) std::atomic<Top> unused_{Top{nullptr, 0}};
    alignas(64) Node nodes_[Capacity];

    static void put(std::atomic<Top>& top, Node* node) {
        Top old = top.load(std::memory_order_relaxed);
        do {
            node->next.store(old.node, std::memory_order_relaxed);
        } while (!top.compare_exchange_weak(old, Top{node, old.count + 1},
                                            std::memory_order_release, std::memory_order_relaxed));
    }

    static Node* take(std::atomic<Top>& top) {
        Top old = top.load(std::memory_order_acquire);
        while (old.node) {
            Node* const next = old.node->next.load(std::memory_order_relaxed);
            if (top.compare_exchange_weak(old, Top{next, old.count + 1}, std::memory_order_acquire,
                                          std::memory_order_acquire))
                break;
        }
        return old.node;
    }

  public:
    Stack() {
        for (Node& node : nodes_) put(unused_, &node);
    }

    bool push(const T& item) {
        Node* const node = take(unused_);
        if (!node) return false;
        node->item = item;
        put(items_, node);
        return true;
    }

    bool pop(T& item) {
        Node* const node = take(items_);
        if (!node) return false;
        item = node->item;
        put(unused_, node);
        return true;
    }
};
