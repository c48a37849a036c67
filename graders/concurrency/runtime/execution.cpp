// Threads: starting, choosing, blocking and ending them. Events are in events.cpp.
#include "execution.h"

#include <cstring>

#include "boundary.h"
#include "exceptions.h"

namespace gauntlet {

bool in_program = false;
Address hook_called_at = 0;
Announced gauntlet_announced;
Execution* the_execution = nullptr;

namespace {

void call_body(check::Body body) {
    if (body) call_program(reinterpret_cast<void (*)(void*)>(body), nullptr);
}

}  // namespace

Execution::Execution(Heap& heap, Shadow& shadow, Image& image)
    : heap_(heap), shadow_(shadow), image_(image), slots_(1024) {
    the_execution = this;
}

Outcome Execution::run(const check::Scenario& scenario, Strategy& strategy) {
    scenario_ = &scenario;
    strategy_ = &strategy;
    restore_program();
    thread_count_ = 1;
    while (thread_count_ < kMaxThreads && scenario.threads[thread_count_ - 1]) ++thread_count_;
    for (unsigned t = 0; t < thread_count_; ++t) {
        Thread& thread = threads_[t];
        thread.fiber.prepare(heap_.stack_low(t), Heap::kStackBytes, enter_fiber);
        thread.state = State::ready;
        thread.granted = false;
        thread.operation = -1;
        thread.operations = 0;
        thread.spurious_left = limits.spurious_failures;
        thread.events_in_operation = 0;
        thread.waits.clear();
        thread.arrivals.clear();
        thread.exits.clear();
        thread.entries.depth = 0;
        image_.prepare_thread(t, heap_);
        memory.threads[t].clock.time[t] = next_time_;
    }
    current_ = 0;
    phase_ = Phase::setup;
    gauntlet_announced = {};
    running_ = true;
    use_entries(threads_[0].entries);
    Fiber::change(driver_, threads_[0].fiber);
    running_ = false;
    in_program = false;
    for (unsigned t = 0; t < thread_count_; ++t)
        next_time_ = std::max(next_time_, memory.threads[t].clock.time[t] + 1);
    return outcome_;
}

void Execution::restore_program() {
    image_.restore();
    heap_.restore();
    graph.clear();
    memory.clear();
    if (next_time_ > Shadow::kLastTime / 2) {
        shadow_.wipe();
        next_time_ = 1;
    }
    shadow_.begin_execution(next_time_, ++serial_);
    failure = {};
    schedule.clear();
    operations.clear();
    observations.clear();
    plain_accesses.clear();
    program_exits_.clear();
    exceptions.clear();
    virtual_time_ns_ = 0;
    alone_ = 0;
}

void Execution::enter_fiber() {
    Execution& self = *the_execution;
    const unsigned thread = self.current_;
    try {
        thread == 0 ? self.run_main() : self.run_thread(thread);
    } catch (...) {
        InRuntime inside;
        the_execution->fail("uncaught_exception", "A thread must not end by an exception.", 0);
    }
    __builtin_unreachable();
}

// The hook by which each was announced has seen that it may be called.
void Execution::destroy_all(std::vector<std::pair<void (*)(void*), void*>>& exits) {
    while (!exits.empty()) {
        const auto [destroy, object] = exits.back();
        exits.pop_back();
        call_program(destroy, object);
    }
}

void Execution::run_main() {
    for (const Address initialiser : image_.initialisers()) {
        guard_call(initialiser, initialiser);
        call_program(reinterpret_cast<void (*)(void*)>(initialiser), nullptr);
    }
    call_body(scenario_->setup);
    for (unsigned t = 1; t < thread_count_; ++t) memory.fork(0, t);
    // Later accesses of main must not look as if they had happened before the threads began.
    ++memory.threads[0].clock.time[0];
    phase_ = Phase::threads;
    threads_[0].state = State::blocked;
    threads_[0].waits.clear();
    threads_[0].operation = -1;
    if (thread_count_ > 1) pick_next();
    threads_[0].state = State::ready;
    phase_ = Phase::finish;
    for (unsigned t = 1; t < thread_count_; ++t) memory.join(0, t);
    call_body(scenario_->finish);
    destroy_all(program_exits_);
    check_leaks();
    leave(Outcome::complete);
}

// What a global variable still leads to is kept, not leaked: reclamation schemes keep their lists.
void Execution::check_leaks() {
    std::vector<Block> lost = heap_.unfreed();
    if (lost.empty()) return;
    std::vector<Address> reached;
    const auto follow = [&](Address at) {
        const auto pointer = static_cast<Address>(load_bytes(at, 8));
        for (std::size_t i = 0; i < lost.size(); ++i) {
            if (pointer - lost[i].address >= std::max<std::size_t>(lost[i].size, 1)) continue;
            const Block block = lost[i];
            lost.erase(lost.begin() + static_cast<std::ptrdiff_t>(i));
            for (std::size_t o = 0; o + 8 <= block.size; o += 8) reached.push_back(block.address + o);
            return;
        }
    };
    image_.for_each_word(follow);
    const auto locals = reinterpret_cast<Address>(heap_.thread_local_block(0));
    for (Address at = locals; at < locals + image_.thread_local_bytes(); at += 8) follow(at);
    while (!reached.empty()) {
        const Address at = reached.back();
        reached.pop_back();
        follow(at);
    }
    if (lost.empty()) return;
    fail({"leak",
          "Memory must be freed by the end: " + std::to_string(lost[0].size) +
              " bytes that thread " + std::to_string(lost[0].allocated_by) +
              " allocated were not, and nothing leads to them any more.",
          lost[0].allocated_by, lost[0].allocated_at, lost[0].address});
}

void Execution::run_thread(unsigned thread) {
    call_body(scenario_->threads[thread - 1]);
    destroy_all(threads_[thread].exits);
    threads_[thread].state = State::finished;
    pick_next();
    __builtin_unreachable();  // nobody switches to a finished thread
}

void Execution::leave(Outcome outcome) {
    outcome_ = outcome;
    Fiber::change(threads_[current_].fiber, driver_);
    __builtin_unreachable();
}

void Execution::fail(Failure found) {
    failure = std::move(found);
    leave(Outcome::failed);
}

void Execution::fail(std::string kind, std::string message, Address pc) {
    fail({std::move(kind), std::move(message), current_, pc});
}

void Execution::switch_to(unsigned thread) {
    const unsigned from = current_;
    if (thread == from) return;
    threads_[from].stack_low =
        threads_[from].state == State::finished ? threads_[from].entries.stack_high() : hook_called_at;
    current_ = thread;
    use_entries(threads_[thread].entries);
    Fiber::change(threads_[from].fiber, threads_[thread].fiber);
}

bool Execution::owns_on_stack(Address at, std::size_t size) const {
    for (unsigned t = 0; t < thread_count_; ++t) {
        const Thread& thread = threads_[t];
        if (!thread.fiber.owns_stack(at)) continue;
        const Address high = thread.entries.stack_high();
        return at + size <= high && (t == current_ || at >= thread.stack_low);
    }
    return false;
}

// Returns in the thread that goes on, which is the caller's only if it is chosen again.
void Execution::pick_next() {
    wake();
    bool any_ready = false;
    bool all_finished = true;
    for (unsigned t = 1; t < thread_count_; ++t) {
        any_ready |= threads_[t].state == State::ready;
        all_finished &= threads_[t].state == State::finished;
    }
    if (all_finished) return switch_to(0);
    if (!any_ready) nobody_runs();
    const int next = strategy_->next_thread(*this);
    if (next == kStop) leave(Outcome::abandoned);
    threads_[next].granted = true;
    switch_to(static_cast<unsigned>(next));
}

void Execution::wake() {
    if (!strategy_->wakes_blocked_threads()) return;
    for (unsigned t = 1; t < thread_count_; ++t) {
        Thread& thread = threads_[t];
        if (thread.state != State::blocked) continue;
        for (const Wait& wait : thread.waits) {
            const Location& location = graph.locations[wait.location];
            if (location.dead || graph.messages[location.newest()].value == wait.value) continue;
            thread.state = State::ready;
            thread.arrivals.clear();
            break;
        }
    }
}

bool Execution::all_waits_are_hopeless() const {
    for (unsigned t = 1; t < thread_count_; ++t) {
        if (threads_[t].state != State::blocked) continue;
        for (const Wait& wait : threads_[t].waits) {
            const Location& location = graph.locations[wait.location];
            if (location.dead || graph.messages[location.newest()].value != wait.value)
                return false;
        }
    }
    return true;
}

void Execution::nobody_runs() {
    if (suspended_thread >= 0 || !all_waits_are_hopeless()) leave(Outcome::blocked);
    std::string waiting;
    unsigned first = 0;
    for (unsigned t = 1; t < thread_count_; ++t) {
        if (threads_[t].state != State::blocked) continue;
        if (!first) first = t;
        waiting += (waiting.empty() ? "" : ", ") + std::to_string(t);
    }
    const auto& events = graph.by_thread[first];
    fail({"stuck",
          "Some thread must always be able to go on: here thread " + waiting +
              " waits for a value that no thread will store.",
          first, events.empty() ? 0 : graph.events[events.back()].pc});
}

// A scheduling point: returns when this thread's next event may happen.
void Execution::reach(Address pc, bool may_spin) {
    Thread& thread = threads_[current_];
    ++steps;
    if (phase_ != Phase::threads) {
        // Main is alone and nobody will ever change what it waits for.
        if (thread.operation >= 0 && ++thread.events_in_operation > limits.events_alone)
            fail_alone(pc);
        return;
    }
    if (graph.events.size() >= limits.events) leave(Outcome::cut);
    if (static_cast<int>(current_) == suspended_thread &&
        graph.by_thread[current_].size() >= suspended_after && thread.operation >= 0) {
        thread.state = State::suspended;
        thread.granted = false;
        pick_next();
    }
    if (may_spin && repeats_itself(pc)) block(current_);
    if (!thread.granted) pick_next();
    thread.granted = false;
    ++thread.events_in_operation;
    unsigned ready = 0;
    for (unsigned t = 1; t < thread_count_; ++t) ready += threads_[t].state == State::ready;
    alone_ = ready > 1 ? 0 : alone_ + 1;
    if (alone_ > limits.events_alone) fail_alone(pc);
}

void Execution::fail_alone(Address pc) {
    fail("stuck",
         "An operation must end when no other thread disturbs it: this one goes on for more than " +
             std::to_string(limits.events_alone) + " steps.",
         pc);
}

void Execution::block(unsigned id) {
    Thread& thread = threads_[id];
    thread.state = State::blocked;
    thread.granted = false;
    pick_next();
    // A thread that was woken looks again at what it waited for.
    threads_[id].waits.clear();
}

// Whether the thread is back where it was, in the same local state, and without an effect since:
// then it will do the same until somebody else stores.
bool Execution::repeats_itself(Address pc) {
    Thread& thread = threads_[current_];
    const EntryState entry = gauntlet_entry;
    if (!thread.fiber.owns_stack(entry.stack_pointer)) return false;
    std::uint64_t state = entry.stack_pointer;
    const auto mix = [&state](std::uint64_t word) {
        state = (state ^ word) * 0x9fb21c651e98df25;
        state ^= state >> 35;
    };
    for (const std::uint64_t value : entry.registers) mix(value);
    for (Address at = entry.stack_pointer; at < thread.fiber.stack_high(); at += 8)
        mix(static_cast<std::uint64_t>(load_bytes(at, 8)));
    const auto next = static_cast<std::uint32_t>(graph.by_thread[current_].size());
    for (Arrival& arrival : thread.arrivals) {
        if (arrival.pc != pc) continue;
        const bool same = arrival.state == state && arrival.index < next;
        if (same) {
            thread.waits.clear();
            for (std::uint32_t i = arrival.index; i < next; ++i) {
                const Event& event = graph.events[graph.by_thread[current_][i]];
                if (event.reads()) thread.waits.push_back({event.location, event.value_read});
            }
        }
        arrival.state = state;
        arrival.index = next;
        return same && !thread.waits.empty();
    }
    thread.arrivals.push_back({pc, state, next});
    return false;
}

void Execution::made_effect() { threads_[current_].arrivals.clear(); }

void Execution::yield() {
    if (phase_ != Phase::threads) return;
    ++steps;
    strategy_->yielded(*this, current_);
}

bool Execution::operation_begins(check::Action action, std::int64_t argument) {
    Thread& thread = threads_[current_];
    const unsigned index = thread.operations++;
    if (skipped_operations.contains({current_, index})) return false;
    made_effect();
    thread.events_in_operation = 0;
    thread.operation = static_cast<int>(operations.size());
    Operation operation;
    operation.thread = current_;
    operation.index = index;
    operation.action = action;
    operation.argument = argument;
    operation.begin = memory.threads[current_].clock;
    operation.first_event = static_cast<std::uint32_t>(graph.events.size());
    operations.push_back(operation);
    return true;
}

void Execution::operation_ends(bool succeeded, std::int64_t result) {
    Thread& thread = threads_[current_];
    Operation& operation = operations[static_cast<std::size_t>(thread.operation)];
    operation.finished = true;
    operation.succeeded = succeeded;
    operation.result = result;
    operation.end = memory.now(current_);
    operation.last_event = static_cast<std::uint32_t>(graph.events.size());
    thread.operation = -1;
    thread.events_in_operation = 0;
    alone_ = 0;
    made_effect();
}

void Execution::observe(const char* name, std::int64_t value) {
    made_effect();
    observations.emplace_back(name, value);
}

std::string Execution::outcome_text() const {
    auto sorted = observations;
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return std::strcmp(a.first, b.first) < 0;
    });
    std::string text;
    for (const auto& [name, value] : sorted)
        text += (text.empty() ? "" : " ") + std::string(name) + "=" + std::to_string(value);
    return text;
}

void Execution::at_thread_exit(void (*destroy)(void*), void* object) {
    threads_[current_].exits.emplace_back(destroy, object);
}

void Execution::at_program_exit(void (*destroy)(void*), void* object) {
    program_exits_.emplace_back(destroy, object);
}

void* Execution::thread_local_address(unsigned long module, unsigned long offset) const {
    if (!image_.has_thread_locals(module)) return nullptr;
    return heap_.thread_local_block(current_) + offset;
}

std::size_t Execution::block_size(Address block) const {
    const Block* found = heap_.find(block);
    return found ? found->size : 0;
}

std::string Execution::describe_address(Address address) const {
    if (const Block* block = heap_.find(address)) {
        const std::size_t offset = address - block->address;
        return "block of " + std::to_string(block->size) + " bytes by thread " +
               std::to_string(block->allocated_by) + (offset ? "+" + std::to_string(offset) : "");
    }
    for (unsigned t = 0; t < thread_count_; ++t) {
        if (threads_[t].fiber.owns_stack(address)) return "stack of thread " + std::to_string(t);
        const auto locals = reinterpret_cast<Address>(heap_.thread_local_block(t));
        if (address - locals < Heap::kThreadLocalBytes)
            return "thread_local of thread " + std::to_string(t);
    }
    return "memory of the library";
}

std::int64_t Execution::virtual_time_ns() {
    made_effect();
    return virtual_time_ns_ += 1000;
}

}  // namespace gauntlet
