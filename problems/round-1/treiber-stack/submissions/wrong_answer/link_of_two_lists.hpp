// Strings nodes that wait to be freed on the same link as the stack, while a thread that is late may
// still be reading it there.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
class Stack {
    struct Node {
        T item;
        Node* next = nullptr;
    };

    std::atomic<Node*> top_{nullptr};
    std::atomic<Node*> waiting_{nullptr};
    std::atomic<unsigned> inside_{0};

    static void free_all(Node* node) {
        while (node) {
            Node* const next = node->next;
            delete node;
            node = next;
        }
    }

    void let_wait(Node* first, Node* last) {
        Node* old = waiting_.load(std::memory_order_relaxed);
        do {
            last->next = old;
        } while (!waiting_.compare_exchange_weak(old, first, std::memory_order_release,
                                                 std::memory_order_relaxed));
    }

    // Leaves pop, with a node to free unless it is null.
    void leave(Node* node) {
        if (inside_.load(std::memory_order_acquire) != 1) {
            if (node) let_wait(node, node);
            inside_.fetch_sub(1, std::memory_order_acq_rel);
            return;
        }
        // Alone a moment ago. What waits was off the stack before it is taken here, so if this
        // thread is alone afterwards too, nobody has a way to it.
        Node* const others = waiting_.exchange(nullptr, std::memory_order_acq_rel);
        if (inside_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            free_all(others);
        } else if (others) {
            Node* last = others;
            while (last->next) last = last->next;
            let_wait(others, last);
        }
        delete node;
    }

  public:
    ~Stack() {
        free_all(top_.load(std::memory_order_relaxed));
        free_all(waiting_.load(std::memory_order_relaxed));
    }

    bool push(const T& item) {
        Node* const node = new Node{item, top_.load(std::memory_order_relaxed)};
        while (!top_.compare_exchange_weak(node->next, node, std::memory_order_release,
                                           std::memory_order_relaxed)) {}
        return true;
    }

    bool pop(T& item) {
        inside_.fetch_add(1, std::memory_order_acq_rel);
        Node* node = top_.load(std::memory_order_acquire);
        while (node && !top_.compare_exchange_weak(node, node->next, std::memory_order_acq_rel,
                                                   std::memory_order_acquire)) {}
        if (node) item = node->item;
        leave(node);
        return node != nullptr;
    }
};
