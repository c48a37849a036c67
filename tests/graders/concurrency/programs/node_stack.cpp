// A stack of nodes from the heap that frees what it pops: somebody may still look at it.
#include <atomic>

#include "check.h"

namespace {

struct Node {
    int item;
    Node* next;
};

std::atomic<Node*> top;

void push(int item) {
    check::push(item, [&] {
        Node* node = new Node{item, top.load(std::memory_order_relaxed)};
        while (!top.compare_exchange_weak(node->next, node, std::memory_order_release,
                                          std::memory_order_relaxed)) {}
        return true;
    });
}

void pop() {
    int item = 0;
    check::pop(item, [](int& out) {
        Node* node = top.load(std::memory_order_acquire);
        while (node && !top.compare_exchange_weak(node, node->next, std::memory_order_acquire,
                                                  std::memory_order_acquire)) {}
        if (!node) return false;
        out = node->item;
#ifndef LEAKS
        delete node;
#endif
        return true;
    });
}

}  // namespace

SCENARIOS({.name = "pops",
           .setup = [] { push(1); push(2); },
#ifdef LEAKS
           .threads = {[] { pop(); }, [] { push(3); }},
#else
           .threads = {[] { pop(); }, [] { pop(); }},
#endif
           .finish = [] { for (int i = 0; i < 3; ++i) pop(); },
           .spec = check::Spec::stack,
           .capacity = 4})
