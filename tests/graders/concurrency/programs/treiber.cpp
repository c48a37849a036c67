// A stack of nodes in an array, linked by index, with a free list of the same kind.
#include <atomic>
#include <cstdint>
#include <optional>

#include "check.h"

#ifndef TAG_BITS
#define TAG_BITS 32
#endif

namespace {

constexpr std::uint32_t kNone = 0xffff;

struct List {
    std::atomic<std::uint64_t> top{kNone};  // tag above, index in the lower 16 bits
};

template <class T, std::uint32_t N>
struct Stack {
    struct Node {
        T item;
        std::atomic<std::uint32_t> next;
    };
    Node nodes[N];
    List items;
    List unused;

    Stack() {
        for (std::uint32_t i = 0; i < N; ++i) put(unused, i);
    }

    static std::uint64_t retag(std::uint64_t old, std::uint32_t index) {
        const std::uint64_t tag = ((old >> 16) + 1) & ((std::uint64_t{1} << TAG_BITS) - 1);
        return tag << 16 | index;
    }

    void put(List& list, std::uint32_t index) {
        std::uint64_t top = list.top.load(std::memory_order_relaxed);
        do {
            nodes[index].next.store(top & 0xffff, std::memory_order_relaxed);
        } while (!list.top.compare_exchange_weak(top, retag(top, index), std::memory_order_release,
                                                 std::memory_order_relaxed));
    }

    std::uint32_t take(List& list) {
        std::uint64_t top = list.top.load(std::memory_order_acquire);
        for (;;) {
            const std::uint32_t index = top & 0xffff;
            if (index == kNone) return kNone;
            const std::uint32_t next = nodes[index].next.load(std::memory_order_relaxed);
            if (list.top.compare_exchange_weak(top, retag(top, next), std::memory_order_acquire,
                                               std::memory_order_acquire))
                return index;
        }
    }

    bool push(const T& item) {
        const std::uint32_t index = take(unused);
        if (index == kNone) return false;
        nodes[index].item = item;
        put(items, index);
        return true;
    }

    bool pop(T& item) {
        const std::uint32_t index = take(items);
        if (index == kNone) return false;
        item = nodes[index].item;
        put(unused, index);
        return true;
    }
};

std::optional<Stack<int, 2>> stack;

void push(int item) {
    check::push(item, [&] { return stack->push(item); });
}

void pop() {
    int item = 0;
    check::pop(item, [](int& out) { return stack->pop(out); });
}

void drain() {
    for (int i = 0; i < 3; ++i) pop();
    stack.reset();
}

}  // namespace

void push_pop_often() {
    for (int i = 0; i < 14; ++i) {
        push(10 + i);
        pop();
    }
}

#ifdef DISTURBED
SCENARIOS({.name = "disturbed",
           .setup = [] { stack.emplace(); },
           .threads = {[] { push(1); pop(); }, push_pop_often},
           .finish = drain,
           .spec = check::Spec::stack,
           .capacity = 2})
#else
SCENARIOS({.name = "aba",
           .setup = [] { stack.emplace(); push(1); push(2); },
           .threads = {[] { pop(); }, [] { pop(); pop(); push(3); }},
           .finish = drain,
           .spec = check::Spec::stack,
           .capacity = 2,
           .of_failed_push = check::Excuse::any},
          {.name = "both",
           .setup = [] { stack.emplace(); },
           .threads = {[] { push(1); pop(); }, [] { push(2); pop(); }},
           .finish = drain,
           .spec = check::Spec::stack,
           .capacity = 2,
           .of_failed_push = check::Excuse::any})
#endif
