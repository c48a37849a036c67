// What scenarios may excuse, and where an operation must not wait or allocate.
#include <atomic>
#include <optional>

#include "check.h"

namespace {

using check::Excuse;

std::atomic_flag taken = ATOMIC_FLAG_INIT;
int items[4];
int size;

// A stack of a few items behind a lock that is only tried.
bool try_push(int item) {
    if (taken.test_and_set(std::memory_order_acquire)) return false;
    const bool room = size < 4;
    if (room) items[size++] = item;
    taken.clear(std::memory_order_release);
    return room;
}

bool try_pop(int& item) {
    if (taken.test_and_set(std::memory_order_acquire)) return false;
    const bool any = size > 0;
    if (any) item = items[--size];
    taken.clear(std::memory_order_release);
    return any;
}

template <int Item>
void push() {
    check::push(Item, [] { return try_push(Item); });
}

void pop() {
    int item = 0;
    check::pop(item, try_pop);
}

void two() { push<1>(); push<2>(); }
void pops() { pop(); pop(); pop(); pop(); }

std::atomic<bool> never;

template <int Item>
void push_and_wait() {
    check::push(Item, [] {
        while (!never.load(std::memory_order_acquire)) {}
        return true;
    });
}

void push_from_the_heap() {
    check::push(1, [] {
        int* volatile number = new int(1);  // volatile, or the compiler leaves both out
        delete number;
        return try_push(1);
    });
}

std::atomic<unsigned> out;

void take_block() {
    check::allocate([]() -> void* {
        // The block is taken by the first step; the second one is there to be suspended at.
        const unsigned at = out.fetch_add(1, std::memory_order_acq_rel);
        never.load(std::memory_order_relaxed);
        return at < 1 ? &items[at] : nullptr;
    });
}

constexpr check::Scenario pops_beside_pops(const char* name, Excuse excuse) {
    return {.name = name, .setup = two, .threads = {pop, pop}, .finish = pops,
            .spec = check::Spec::stack, .capacity = 4, .of_failed_pop = excuse};
}

}  // namespace

SCENARIOS(pops_beside_pops("no-excuse", Excuse::nothing),
          pops_beside_pops("a-push-would-excuse", Excuse::opposite),
          pops_beside_pops("anything-excuses", Excuse::any),
          {.name = "a-push-excuses", .setup = two, .threads = {pop, push<3>}, .finish = pops,
           .spec = check::Spec::stack, .capacity = 4, .of_failed_push = Excuse::opposite,
           .of_failed_pop = Excuse::opposite},
          {.name = "holds-more", .setup = two, .threads = {pop}, .finish = pops,
           .spec = check::Spec::stack, .capacity = 1, .may_hold_more = true},
          {.name = "holds-too-much", .setup = two, .threads = {pop}, .finish = pops,
           .spec = check::Spec::stack, .capacity = 1},
          {.name = "from-the-heap", .threads = {push_from_the_heap}, .finish = pops,
           .spec = check::Spec::stack, .capacity = 4},
          {.name = "not-from-the-heap", .threads = {push_from_the_heap}, .finish = pops,
           .spec = check::Spec::stack, .capacity = 4, .may_allocate = false},
          {.name = "waits-in-the-setup", .setup = push_and_wait<1>, .threads = {pop},
           .spec = check::Spec::stack, .capacity = 4},
          {.name = "waits-at-the-end", .threads = {pop}, .finish = push_and_wait<1>,
           .spec = check::Spec::stack, .capacity = 4},
          {.name = "behind-a-slow-allocation", .threads = {take_block, take_block},
           .spec = check::Spec::pool, .capacity = 1})
