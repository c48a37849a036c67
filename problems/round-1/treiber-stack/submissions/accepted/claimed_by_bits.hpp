// Nodes that the object owns. Which ones are unused says a word of bits for each 64 of them; the stack
// itself is linked by index, with a count of pops beside it.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

template <class T, std::size_t Capacity>
class Stack {
    struct Top {
        std::uint32_t node;
        std::uint32_t pops;  // only a pop can make a link that was read before it a wrong one
    };
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::size_t kWords = (Capacity + 63) / 64;

    std::atomic<Top> top_{Top{kNone, 0}};
    std::atomic<std::uint64_t> used_[kWords] = {};
    std::atomic<std::uint32_t> next_[Capacity];
    T items_[Capacity];

    std::uint32_t claim() {
        for (std::size_t word = 0; word < kWords; ++word) {
            const std::size_t left = Capacity - 64 * word;
            const std::uint64_t all = left < 64 ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
            std::uint64_t used = used_[word].load(std::memory_order_relaxed);
            while ((used & all) != all) {
                const int bit = std::countr_one(used);
                if (used_[word].compare_exchange_weak(used, used | std::uint64_t{1} << bit,
                                                      std::memory_order_acquire,
                                                      std::memory_order_relaxed))
                    return static_cast<std::uint32_t>(64 * word) + static_cast<std::uint32_t>(bit);
            }
        }
        return kNone;
    }

  public:
    bool push(const T& item) {
        const std::uint32_t node = claim();
        if (node == kNone) return false;
        items_[node] = item;
        Top old = top_.load(std::memory_order_relaxed);
        do {
            next_[node].store(old.node, std::memory_order_relaxed);
        } while (!top_.compare_exchange_weak(old, Top{node, old.pops}, std::memory_order_release,
                                             std::memory_order_relaxed));
        return true;
    }

    bool pop(T& item) {
        Top old = top_.load(std::memory_order_acquire);
        do {
            if (old.node == kNone) return false;
        } while (!top_.compare_exchange_weak(
            old, Top{next_[old.node].load(std::memory_order_relaxed), old.pops + 1},
            std::memory_order_acquire, std::memory_order_acquire));
        item = items_[old.node];
        used_[old.node / 64].fetch_and(~(std::uint64_t{1} << old.node % 64),
                                       std::memory_order_release);
        return true;
    }
};
