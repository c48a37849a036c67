// Michael and Scott's queue over nodes that the object owns. Links are an index with a count of
// changes beside it, so that a node which comes back is not taken for itself. Nothing waits for
// anybody here: a suspended thread keeps one node, and no more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

template <class T, std::size_t Capacity>
class Queue {
    struct Link {
        std::uint32_t index;
        std::uint32_t count;
    };
    static constexpr std::uint32_t kNone = 0xffffffff;

    struct Node {
        std::atomic<Link> next{Link{kNone, 0}};
        // The item lies elsewhere: whoever takes the node off reads which one it was before others
        // may change the node, and owns it alone afterwards.
        std::atomic<std::uint32_t> item{kNone};
    };

    static constexpr std::uint32_t kNodes = Capacity + 1;  // one is the dummy
    Node nodes_[kNodes];
    T items_[Capacity];
    std::atomic<std::uint32_t> next_free_node_[kNodes];
    std::atomic<std::uint32_t> next_free_item_[Capacity];

    alignas(64) std::atomic<Link> head_{Link{0, 0}};
    alignas(64) std::atomic<Link> tail_{Link{0, 0}};
    alignas(64) std::atomic<Link> free_nodes_{Link{kNone, 0}};
    alignas(64) std::atomic<Link> free_items_{Link{kNone, 0}};

    static bool same(Link a, Link b) { return a.index == b.index && a.count == b.count; }

    static std::uint32_t take(std::atomic<Link>& top, std::atomic<std::uint32_t>* next) {
        Link old = top.load(std::memory_order_acquire);
        while (old.index != kNone) {
            const Link then{next[old.index].load(std::memory_order_relaxed), old.count + 1};
            if (top.compare_exchange_weak(old, then, std::memory_order_acquire,
                                          std::memory_order_acquire))
                break;
        }
        return old.index;
    }

    static void give_back(std::atomic<Link>& top, std::atomic<std::uint32_t>* next,
                          std::uint32_t index) {
        Link old = top.load(std::memory_order_relaxed);
        do {
            next[index].store(old.index, std::memory_order_relaxed);
        } while (!top.compare_exchange_weak(old, Link{index, old.count + 1},
                                            std::memory_order_release,
                                            std::memory_order_relaxed));
    }

  public:
    Queue() {
        for (std::uint32_t i = 1; i < kNodes; ++i) give_back(free_nodes_, next_free_node_, i);
        for (std::uint32_t i = 0; i < Capacity; ++i) give_back(free_items_, next_free_item_, i);
    }

    bool try_push(const T& item) {
        const std::uint32_t place = take(free_items_, next_free_item_);
        if (place == kNone) return false;
        const std::uint32_t index = take(free_nodes_, next_free_node_);
        if (index == kNone) {
            give_back(free_items_, next_free_item_, place);
            return false;
        }
        items_[place] = item;
        Node& node = nodes_[index];
        node.item.store(place, std::memory_order_relaxed);
        const Link old = node.next.load(std::memory_order_relaxed);
        node.next.store(Link{kNone, old.count + 1}, std::memory_order_relaxed);
        for (;;) {
            Link tail = tail_.load(std::memory_order_acquire);
            Link next = nodes_[tail.index].next.load(std::memory_order_acquire);
            if (!same(tail, tail_.load(std::memory_order_relaxed))) continue;
            if (next.index == kNone) {
                if (nodes_[tail.index].next.compare_exchange_weak(
                        next, Link{index, next.count + 1}, std::memory_order_release,
                        std::memory_order_relaxed)) {
                    tail_.compare_exchange_strong(tail, Link{index, tail.count + 1},
                                                  std::memory_order_release,
                                                  std::memory_order_relaxed);
                    return true;
                }
            } else {
                tail_.compare_exchange_strong(tail, Link{next.index, tail.count + 1},
                                              std::memory_order_release,
                                              std::memory_order_relaxed);
            }
        }
    }

    bool try_pop(T& item) {
        for (;;) {
            Link head = head_.load(std::memory_order_acquire);
            Link tail = tail_.load(std::memory_order_acquire);
            const Link next = nodes_[head.index].next.load(std::memory_order_acquire);
            if (!same(head, head_.load(std::memory_order_relaxed))) continue;
            if (next.index == kNone) return false;
            if (head.index == tail.index) {  // the tail is behind: help
                tail_.compare_exchange_strong(tail, Link{next.index, tail.count + 1},
                                              std::memory_order_release,
                                              std::memory_order_relaxed);
                continue;
            }
            const std::uint32_t place = nodes_[next.index].item.load(std::memory_order_relaxed);
            if (head_.compare_exchange_weak(head, Link{next.index, head.count + 1},
                                            std::memory_order_acq_rel,
                                            std::memory_order_relaxed)) {
                item = items_[place];
                give_back(free_items_, next_free_item_, place);
                give_back(free_nodes_, next_free_node_, head.index);
                return true;
            }
        }
    }
};
