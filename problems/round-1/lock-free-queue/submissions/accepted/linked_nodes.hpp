// Michael and Scott's queue over nodes that the object owns. A node that comes back begins a new
// life: head and tail name a node and its life, and each link tells the life it belongs to, so that
// nobody follows a link of an earlier one. Nothing waits for anybody here: a suspended thread keeps
// one node, and no more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

template <class T, std::size_t Capacity>
class Queue {
    struct Link {
        std::uint32_t index;
        std::uint32_t count;  // of a free list's changes, or of a node's lives
    };
    static constexpr std::uint32_t kNone = 0xffffffff;

    struct Node {
        std::atomic<Link> next{Link{kNone, 0}};  // the node behind, with the life of this one
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

    // Of a node in the queue: it cannot change while the head or tail before it stays.
    std::uint32_t life_of(std::uint32_t index) const {
        return nodes_[index].next.load(std::memory_order_relaxed).count;
    }

    void help(Link tail, std::uint32_t next) {
        tail_.compare_exchange_strong(tail, Link{next, life_of(next)}, std::memory_order_relaxed,
                                      std::memory_order_relaxed);
    }

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
        const std::uint32_t life = node.next.load(std::memory_order_relaxed).count + 1;
        node.next.store(Link{kNone, life}, std::memory_order_relaxed);
        for (;;) {
            // Relaxed, as all of head and tail: the links alone order. A thread that has seen where
            // the tail is, but not what its node became, finds a link of another life.
            Link tail = tail_.load(std::memory_order_relaxed);
            Link next = nodes_[tail.index].next.load(std::memory_order_acquire);
            if (next.count != tail.count) continue;
            if (next.index == kNone) {
                if (nodes_[tail.index].next.compare_exchange_weak(
                        next, Link{index, next.count}, std::memory_order_release,
                        std::memory_order_relaxed)) {
                    tail_.compare_exchange_strong(tail, Link{index, life},
                                                  std::memory_order_relaxed,
                                                  std::memory_order_relaxed);
                    return true;
                }
            } else {
                help(tail, next.index);
            }
        }
    }

    bool try_pop(T& item) {
        for (;;) {
            Link head = head_.load(std::memory_order_relaxed);
            const Link next = nodes_[head.index].next.load(std::memory_order_acquire);
            if (next.count != head.count) continue;
            if (next.index == kNone) return false;
            // Read after the link: whoever made that had seen the tail at this head or behind it,
            // so what is read here is no older, and the head never passes the tail.
            const Link tail = tail_.load(std::memory_order_relaxed);
            if (head.index == tail.index && head.count == tail.count) {
                help(tail, next.index);
                continue;
            }
            const std::uint32_t place = nodes_[next.index].item.load(std::memory_order_relaxed);
            if (head_.compare_exchange_weak(head, Link{next.index, life_of(next.index)},
                                            std::memory_order_relaxed,
                                            std::memory_order_relaxed)) {
                item = items_[place];
                give_back(free_items_, next_free_item_, place);
                give_back(free_nodes_, next_free_node_, head.index);
                return true;
            }
        }
    }
};
