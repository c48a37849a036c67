// Says which node it looks at, but does not look again: it may have been freed before it was said.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
class Stack {
    struct Node {
        T item;
        Node* next = nullptr;
        Node* next_retired = nullptr;  // `next` may still be read by somebody who looks at the node
    };

    // A thread inside pop owns one of these and says there which node it looks at.
    struct Hazard {
        std::atomic<bool> taken{true};
        std::atomic<Node*> node{nullptr};
        Hazard* next = nullptr;
    };

    std::atomic<Node*> top_{nullptr};
    std::atomic<Node*> retired_{nullptr};
    std::atomic<Hazard*> hazards_{nullptr};  // as many as threads were ever in pop at once

    Hazard& own_hazard() {
        for (Hazard* h = hazards_.load(std::memory_order_acquire); h; h = h->next)
            if (!h->taken.load(std::memory_order_relaxed) &&
                !h->taken.exchange(true, std::memory_order_acquire))
                return *h;
        Hazard* const fresh = new Hazard;
        fresh->next = hazards_.load(std::memory_order_relaxed);
        while (!hazards_.compare_exchange_weak(fresh->next, fresh, std::memory_order_seq_cst,
                                               std::memory_order_relaxed)) {}
        return *fresh;
    }

    bool somebody_looks_at(const Node* node) const {
        for (const Hazard* h = hazards_.load(std::memory_order_seq_cst); h; h = h->next)
            if (h->node.load(std::memory_order_seq_cst) == node) return true;
        return false;
    }

    void retire(Node* node) {
        Node* old = retired_.load(std::memory_order_relaxed);
        do {
            node->next_retired = old;
        } while (!retired_.compare_exchange_weak(old, node, std::memory_order_release,
                                                 std::memory_order_relaxed));
    }

    // Frees what nobody looks at, and keeps the rest for the next time.
    void reclaim() {
        Node* node = retired_.exchange(nullptr, std::memory_order_acquire);
        while (node) {
            Node* const next = node->next_retired;
            if (somebody_looks_at(node)) retire(node);
            else delete node;
            node = next;
        }
    }

  public:
    ~Stack() {
        for (Node* node = top_.load(std::memory_order_relaxed); node;) {
            Node* const next = node->next;
            delete node;
            node = next;
        }
        reclaim();
        for (Hazard* h = hazards_.load(std::memory_order_relaxed); h;) {
            Hazard* const next = h->next;
            delete h;
            h = next;
        }
    }

    bool push(const T& item) {
        Node* const node = new Node{item, top_.load(std::memory_order_relaxed)};
        while (!top_.compare_exchange_weak(node->next, node, std::memory_order_release,
                                           std::memory_order_relaxed)) {}
        return true;
    }

    bool pop(T& item) {
        Hazard& hazard = own_hazard();
        Node* node = top_.load(std::memory_order_relaxed);
        for (;;) {
            // Said first, looked again afterwards: then whoever frees the node has seen it said.
            hazard.node.store(node, std::memory_order_seq_cst);
            if (!node || top_.compare_exchange_strong(node, node->next, std::memory_order_seq_cst,
                                                      std::memory_order_relaxed))
                break;
        }
        if (node) item = node->item;
        hazard.node.store(nullptr, std::memory_order_release);
        hazard.taken.store(false, std::memory_order_release);
        if (!node) return false;
        retire(node);
        reclaim();
        return true;
    }
};
