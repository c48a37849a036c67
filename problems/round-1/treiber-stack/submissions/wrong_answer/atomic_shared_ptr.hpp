// Nodes are counted by std::atomic<std::shared_ptr>, so that none is freed too early: but that has a
// lock bit inside, and waits for it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

template <class T, std::size_t Capacity>
struct Stack {
    struct Node {
        T item;
        std::shared_ptr<Node> next;
    };
    std::atomic<std::shared_ptr<Node>> top;

    bool push(const T& item) {
        auto node = std::make_shared<Node>(Node{item, top.load()});
        while (!top.compare_exchange_weak(node->next, node)) {}
        return true;
    }

    bool pop(T& item) {
        auto node = top.load();
        while (node && !top.compare_exchange_weak(node, node->next)) {}
        if (!node) return false;
        item = node->item;
        return true;
    }
};
