// Nodes from the heap. A thread counts itself while it is inside pop, and a node that was taken off is
// freed by a thread that is inside alone: then nobody who might have seen it is left (the scheme of
// A. Williams, "C++ Concurrency in Action", with a list of what waits).
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
class Stack {
    struct Node {
        T item;
        Node* next = nullptr;
        Node* next_waiting = nullptr;  // `next` may still be read by somebody inside pop
    };

    std::atomic<Node*> top_{nullptr};
    std::atomic<Node*> waiting_{nullptr};
    std::atomic<unsigned> inside_{0};

    static void free_all(Node* node, Node* Node::* link) {
        while (node) {
            Node* const next = node->*link;
            delete node;
            node = next;
        }
    }

    void let_wait(Node* first, Node* last) {
        Node* old = waiting_.load(std::memory_order_relaxed);
        do {
            last->next_waiting = old;
        } while (!waiting_.compare_exchange_weak(old, first, std::memory_order_release,
                                                 std::memory_order_relaxed));
    }

    // Leaves pop, with a node to free unless it is null.
    void leave(Node* node) {
        if (inside_.load(std::memory_order_seq_cst) != 1) {
            if (node) let_wait(node, node);
            inside_.fetch_sub(1, std::memory_order_release);
            return;
        }
        // Alone a moment ago. What waits was off the stack before it is taken here, so if this
        // thread is alone afterwards too, nobody has a way to it.
        Node* const others = waiting_.exchange(nullptr, std::memory_order_acquire);
        if (inside_.fetch_sub(1, std::memory_order_acquire) == 1) {
            free_all(others, &Node::next_waiting);
        } else if (others) {
            Node* last = others;
            while (last->next_waiting) last = last->next_waiting;
            let_wait(others, last);
        }
        delete node;
    }

  public:
    ~Stack() {
        free_all(top_.load(std::memory_order_relaxed), &Node::next);
        free_all(waiting_.load(std::memory_order_relaxed), &Node::next_waiting);
    }

    bool push(const T& item) {
        Node* const node = new Node{item, top_.load(std::memory_order_relaxed)};
        while (!top_.compare_exchange_weak(node->next, node, std::memory_order_release,
                                           std::memory_order_relaxed)) {}
        return true;
    }

    bool pop(T& item) {
        inside_.fetch_add(1, std::memory_order_seq_cst);
        Node* node = top_.load(std::memory_order_seq_cst);
        while (node && !top_.compare_exchange_weak(node, node->next, std::memory_order_seq_cst,
                                                   std::memory_order_acquire)) {}
        if (node) item = node->item;
        leave(node);
        return node != nullptr;
    }
};
