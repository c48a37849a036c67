// Scenarios for `struct Queue<T, N>` with try_push and try_pop, one producer and one consumer.
#pragma once

#include <optional>

#include "check.h"

namespace {

std::optional<Queue<int, 2>> queue;

void make() { queue.emplace(); }

bool push(int item) {
    return check::push(item, [&] { return queue->try_push(item); });
}

bool pop() {
    int item = 0;
    return check::pop(item, [](int& out) { return queue->try_pop(out); });
}

void drain() {
    for (int i = 0; i < 3; ++i) pop();
    queue.reset();
}

void push_two() { push(1); push(2); }
void push_three() { push(1); push(2); push(3); }
void pop_two() { pop(); pop(); }
void pop_three() { pop(); pop(); pop(); }
void push_three_pop_one() { push_three(); pop(); }
void push_one() { push(1); }
void push_other() { push(11); }
void push_pop() { push(1); pop(); }
void push_pop_other() { push(11); pop(); }

constexpr check::Scenario queue_scenario(const char* name, check::Body one,
                                         check::Body two = nullptr,
                                         check::Body three = nullptr) {
    return {.name = name,
            .setup = make,
            .threads = {one, two, three},
            .finish = drain,
            .spec = check::Spec::queue,
            .capacity = 2,
            .of_failed_push = check::Excuse::opposite,
            .of_failed_pop = check::Excuse::opposite};
}

}  // namespace
