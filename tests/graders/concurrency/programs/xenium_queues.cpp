// Queues of the xenium library, unmodified.
#include <memory>

#include <xenium/michael_scott_queue.hpp>
#include <xenium/reclamation/generic_epoch_based.hpp>
#include <xenium/reclamation/hazard_pointer.hpp>
#include <xenium/seqlock.hpp>
#include <xenium/vyukov_bounded_queue.hpp>

#include "check.h"

namespace {

#if defined(MICHAEL_SCOTT)
using Reclaimer = xenium::reclamation::hazard_pointer<>::with<
    xenium::policy::allocation_strategy<xenium::reclamation::hp_allocation::static_strategy<3>>>;
struct Queue {
    xenium::michael_scott_queue<int, xenium::policy::reclaimer<Reclaimer>> queue;
    bool try_push(int item) { queue.push(item); return true; }
    bool try_pop(int& item) { return queue.try_pop(item); }
};
constexpr int kCapacity = 100;
#else
struct Queue {
    xenium::vyukov_bounded_queue<int> queue{2};
    bool try_push(int item) { return queue.try_push(item); }
    bool try_pop(int& item) { return queue.try_pop(item); }
};
constexpr int kCapacity = 2;
#endif

Queue* queue;

void push(int item) {
    check::push(item, [&] { return queue->try_push(item); });
}

void pop() {
    int item = 0;
    check::pop(item, [](int& out) { return queue->try_pop(out); });
}

}  // namespace

SCENARIOS({.name = "both",
           .setup = [] { queue = new Queue; },
           .threads = {[] { push(1); pop(); }, [] { push(2); pop(); }},
           .finish = [] { pop(); pop(); delete queue; },
           .spec = check::Spec::queue,
           .capacity = kCapacity,
           .of_failed_push = check::Excuse::opposite,
           .of_failed_pop = check::Excuse::opposite},
          {.name = "one-each",
           .setup = [] { queue = new Queue; },
           .threads = {[] { push(1); push(2); }, [] { pop(); pop(); }},
           .finish = [] { pop(); pop(); delete queue; },
           .spec = check::Spec::queue,
           .capacity = kCapacity,
           .of_failed_push = check::Excuse::opposite,
           .of_failed_pop = check::Excuse::opposite})
