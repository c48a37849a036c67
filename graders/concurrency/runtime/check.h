// What a program under the model checker may call: scenarios, operations, observations.
//
// A program is a shared object that defines `gauntlet_scenarios`. Each scenario names a set-up that
// runs alone, up to seven threads, and an end that runs alone after all of them. Every execution
// starts from the same memory: globals and the heap are restored before the set-up runs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace check {

using Body = void (*)();

// The sequential object that a scenario's operations must look like.
enum class Spec : int { none, queue, stack, reg, pool };

enum class Action : int { push, pop, write, read, allocate, release };

// Which operations that overlap a failed one excuse it: it need not have been full or empty then.
// Two operations overlap if neither happens before the other. The opposite of push is pop, of
// allocate release, of read write.
enum class Excuse : int { nothing, opposite, any };

struct Scenario {
    const char* name = nullptr;
    Body setup = nullptr;
    Body threads[7] = {};
    Body finish = nullptr;
    Spec spec = Spec::none;
    std::int64_t capacity = 0;   // items of a queue, stack or pool; initial value of a register
    Excuse of_failed_push = Excuse::nothing;  // and allocate
    Excuse of_failed_pop = Excuse::nothing;   // and read
    bool may_hold_more = false;               // than its capacity; below it, adding must succeed
    bool may_allocate = true;                 // inside operations: malloc takes locks
};

struct Scenarios {
    const Scenario* first;
    std::size_t count;
};

extern "C" {
// Returns false if the minimiser left this operation out: do not run it then.
bool gauntlet_operation_begins(int action, std::int64_t argument);
void gauntlet_operation_ends(bool succeeded, std::int64_t result);
void gauntlet_observe(const char* name, std::int64_t value);
void gauntlet_require(bool holds, const char* rule);
}

// One named number of the execution's outcome.
inline void observe(const char* name, std::int64_t value) { gauntlet_observe(name, value); }

// Fails the execution when `holds` is false.
inline void require(bool holds, const char* rule) { gauntlet_require(holds, rule); }

template <class Call>
bool push(std::int64_t item, Call call) {
    if (!gauntlet_operation_begins(int(Action::push), item)) return false;
    const bool succeeded = call();
    gauntlet_operation_ends(succeeded, item);
    return succeeded;
}

template <class Item, class Call>
bool pop(Item& item, Call call) {
    if (!gauntlet_operation_begins(int(Action::pop), 0)) return false;
    const bool succeeded = call(item);
    gauntlet_operation_ends(succeeded, succeeded ? std::int64_t(item) : 0);
    return succeeded;
}

template <class Call>
void write(std::int64_t value, Call call) {
    if (!gauntlet_operation_begins(int(Action::write), value)) return;
    call();
    gauntlet_operation_ends(true, value);
}

// `call` puts what it read into its argument and says whether it could.
template <class Call>
bool read(Call call) {
    if (!gauntlet_operation_begins(int(Action::read), 0)) return false;
    std::int64_t value = 0;
    const bool succeeded = call(value);
    gauntlet_operation_ends(succeeded, value);
    return succeeded;
}

template <class Call>
void* allocate(Call call) {
    if (!gauntlet_operation_begins(int(Action::allocate), 0)) return nullptr;
    void* block = call();
    gauntlet_operation_ends(block != nullptr, reinterpret_cast<std::int64_t>(block));
    return block;
}

template <class Call>
void release(void* block, Call call) {
    if (!gauntlet_operation_begins(int(Action::release), reinterpret_cast<std::int64_t>(block))) return;
    call();
    gauntlet_operation_ends(true, reinterpret_cast<std::int64_t>(block));
}

}  // namespace check

// Defined once by a program: SCENARIOS({.name = "..."}, ...)
#define SCENARIOS(...)                                                            \
    extern "C" check::Scenarios gauntlet_scenarios();                             \
    static const check::Scenario gauntlet_scenario_list[] = {__VA_ARGS__};        \
    extern "C" check::Scenarios gauntlet_scenarios() {                            \
        return {gauntlet_scenario_list,                                           \
                sizeof gauntlet_scenario_list / sizeof gauntlet_scenario_list[0]}; \
    }
