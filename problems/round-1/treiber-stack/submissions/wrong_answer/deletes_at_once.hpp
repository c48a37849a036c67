// Frees a node as soon as it is off the stack, while another thread may be reading its link.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Stack {
    struct Node {
        T item;
        Node* next;
    };
    std::atomic<Node*> top{nullptr};

    ~Stack() {
        for (T item; pop(item);) {}
    }

    bool push(const T& item) {
        Node* const node = new Node{item, top.load(std::memory_order_relaxed)};
        while (!top.compare_exchange_weak(node->next, node, std::memory_order_release,
                                          std::memory_order_relaxed)) {}
        return true;
    }

    bool pop(T& item) {
        Node* node = top.load(std::memory_order_acquire);
        while (node && !top.compare_exchange_weak(node, node->next, std::memory_order_acquire,
                                                  std::memory_order_acquire)) {}
        if (!node) return false;
        item = node->item;
        delete node;
        return true;
    }
};
