// One execution of a scenario: its threads as fibers, their events, and what went wrong.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "check.h"
#include "entry.h"
#include "fiber.h"
#include "heap.h"
#include "image.h"
#include "shadow.h"
#include "strategy.h"

namespace gauntlet {

enum class Outcome : std::uint8_t {
    complete,
    failed,     // see Execution::failure
    blocked,    // some thread waits for what another execution gives it
    abandoned,  // by the strategy
    cut,        // too many events
};

struct Failure {
    std::string kind;     // a word for machines: race, use_after_free, not_linearizable, ...
    std::string message;  // the rule, then the fact
    unsigned thread = 0;
    Address pc = 0;
    Address address = 0;
    int other_thread = -1;  // of a race: who made the earlier access, and when
    Time other_time = 0;
    bool other_writes = false;
};

// A call between gauntlet_operation_begins and gauntlet_operation_ends.
struct Operation {
    unsigned thread = 0;
    unsigned index = 0;  // in the thread
    check::Action action{};
    std::int64_t argument = 0;
    std::int64_t result = 0;
    bool succeeded = false;
    bool finished = false;
    VectorClock begin;  // what happens before it
    Time end = 0;       // its thread's time when it returned
    std::uint32_t first_event = 0;  // positions in the order of execution
    std::uint32_t last_event = 0;
};

// A plain access, kept only while a counterexample is recorded.
struct PlainAccess {
    std::uint32_t after_events;
    unsigned thread;
    bool writes;
    std::size_t size;
    Address address;
    Address pc;
    Time time;
    Value value;  // read, or overwritten
};

struct Limits {
    std::uint32_t events = 4000;       // of one execution
    std::uint32_t events_alone = 600;  // of a thread that nothing else disturbs, in one operation
    unsigned spurious_failures = 1;    // of weak compare_exchange, for each thread
};

// Callee-saved registers and the stack pointer at the entry of a hook: with the stack, the whole
// local state of a thread.
struct EntryState {
    std::uint64_t registers[6];
    std::uint64_t stack_pointer;
};
extern "C" EntryState gauntlet_entry;

class Execution {
  public:
    // `image` is loaded later; its memory is only looked at in `run`.
    Execution(Heap& heap, Shadow& shadow, Image& image);

    Outcome run(const check::Scenario& scenario, Strategy& strategy);

    // --- called by hooks, in a fiber ---
    Value load(Address at, unsigned size, Order order, Address pc);
    void store(Address at, unsigned size, Value value, Order order, Address pc);
    using Modify = Value (*)(Value old, Value operand);
    Value modify(Address at, unsigned size, Modify modify, Value operand, Order order, Address pc);
    bool compare_exchange(Address at, unsigned size, Value& expected, Value desired, Order success,
                          Order failure, bool weak, Address pc);
    void fence(Order order, Address pc);
    void plain(Address at, std::size_t size, bool writes, Address pc);
    void lock(Address mutex, Address pc);
    bool try_lock(Address mutex, Address pc);
    void unlock(Address mutex, Address pc);
    void await_change(Address at, Value old, Address pc);
    void yield();
    Address allocate(std::size_t size, std::size_t alignment, Allocator allocator, Address pc);
    void release(Address block, Allocator allocator, Address pc);
    bool operation_begins(check::Action action, std::int64_t argument);
    void operation_ends(bool succeeded, std::int64_t result);
    void observe(const char* name, std::int64_t value);
    void at_thread_exit(void (*destroy)(void*), void* object);
    void at_program_exit(void (*destroy)(void*), void* object);
    std::int64_t virtual_time_ns();
    // The running thread's own copy, or null if the variable is another module's.
    void* thread_local_address(unsigned long module, unsigned long offset) const;
    bool owns(Address block) const { return heap_.contains(block); }
    // Whether these bytes of a stack are the program's: neither frames of the runner's before its
    // own, nor those of the hook in which a thread waits.
    bool owns_on_stack(Address at, std::size_t size) const;
    std::size_t block_size(Address block) const;
    std::string describe_address(Address address) const;
    bool is_program_code(Address pc) const { return image_.contains_code(pc); }
    [[noreturn]] void fail(Failure failure);
    [[noreturn]] void fail(std::string kind, std::string message, Address pc);

    // --- asked by strategies and reports ---
    bool can_run(unsigned thread) const { return threads_[thread].state == State::ready; }
    bool has_finished(unsigned thread) const { return threads_[thread].state == State::finished; }
    unsigned thread_count() const { return thread_count_; }
    unsigned current() const { return current_; }
    bool running() const { return running_; }
    bool exploring_threads() const { return phase_ == Phase::threads; }
    std::uint32_t events_in_operation(unsigned t) const { return threads_[t].events_in_operation; }
    int operation_of(unsigned thread) const { return threads_[thread].operation; }
    bool all_waits_are_hopeless() const;
    std::string outcome_text() const;
    const check::Scenario& scenario() const { return *scenario_; }
    Step step(EventId event) const;

    Graph graph;
    MemoryModel memory{graph};
    Failure failure;
    Schedule schedule;  // what was done
    std::vector<Operation> operations;
    std::vector<std::pair<const char*, std::int64_t>> observations;
    std::vector<PlainAccess> plain_accesses;
    Limits limits;
    bool recording = false;
    std::set<std::pair<unsigned, unsigned>> skipped_operations;  // (thread, index)
    int suspended_thread = -1;         // for progress: it stops for ever ...
    std::uint32_t suspended_after = 0;  // ... after so many events
    std::uint64_t steps = 0;            // of all executions, for the watchdog

  private:
    enum class State : std::uint8_t { ready, blocked, suspended, finished };
    enum class Phase : std::uint8_t { setup, threads, finish };

    struct Wait {
        LocationId location;
        Value value;  // that will not do
    };
    struct Arrival {
        Address pc;
        std::uint64_t state;
        std::uint32_t index;  // of the thread's next event then
    };
    struct Thread {
        Fiber fiber;
        State state = State::finished;
        bool granted = false;
        int operation = -1;
        unsigned operations = 0;
        unsigned spurious_left = 0;
        std::uint32_t events_in_operation = 0;
        std::vector<Wait> waits;
        std::vector<Arrival> arrivals;
        std::vector<std::pair<void (*)(void*), void*>> exits;
        Entries entries;
        Address stack_low = 0;  // of the program's part, while it waits
    };
    struct Slot {
        Address address = 0;
        LocationId location = 0;
        std::uint32_t serial = 0;
    };

    static void enter_fiber();
    static void destroy_all(std::vector<std::pair<void (*)(void*), void*>>& exits);
    void run_main();
    void run_thread(unsigned thread);
    void restore_program();
    void check_leaks();
    void switch_to(unsigned thread);
    void pick_next();
    void wake();
    void reach(Address pc, bool may_spin);
    bool repeats_itself(Address pc);
    [[noreturn]] void fail_alone(Address pc);
    void block(unsigned thread);
    void made_effect();
    void nobody_runs();
    [[noreturn]] void leave(Outcome outcome);

    LocationId locate(Address at, unsigned size, bool writes, Address pc);
    void forget_location(LocationId location);
    void check_lifetime(Address at, std::size_t size, bool writes, Address pc);
    void check_plain_against_atomics(Address at, std::size_t size, bool writes, Address pc);
    void report_race(const Conflict& conflict, bool writes, const char* how, Address pc);
    Slot& slot(Address at);

    Event begin_event(Kind kind, Address at, unsigned size, Order order, Address pc);
    const Option& choose(const Event& event);
    void offer(const Event& event, MessageId message, Role role);
    EventId done(EventId id, Role role, MessageId message);

    Heap& heap_;
    Shadow& shadow_;
    Image& image_;
    const check::Scenario* scenario_ = nullptr;
    Strategy* strategy_ = nullptr;
    Fiber driver_;
    std::array<Thread, kMaxThreads> threads_;
    unsigned thread_count_ = 0;  // main included
    unsigned current_ = 0;
    bool running_ = false;
    Phase phase_ = Phase::setup;
    Outcome outcome_ = Outcome::complete;
    Time next_time_ = 1;
    std::uint32_t serial_ = 0;
    std::uint32_t alone_ = 0;
    std::int64_t virtual_time_ns_ = 0;
    std::vector<Option> options_;
    std::vector<Slot> slots_;
    std::vector<std::pair<void (*)(void*), void*>> program_exits_;
};

extern Execution* the_execution;  // hooks are plain functions and have no other way to find it

// Whether a hook is called by the program. None of its code runs outside of an execution.
inline bool checked() { return in_program && the_execution->running(); }

}  // namespace gauntlet
