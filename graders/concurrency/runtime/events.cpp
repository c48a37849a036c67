// Events: what each atomic operation, lock, plain access and allocation does in an execution.
#include "execution.h"

namespace gauntlet {

namespace {

constexpr unsigned kMutexBytes = 4;

bool overlap(Address a, std::size_t a_bytes, Address b, std::size_t b_bytes) {
    return a < b + b_bytes && b < a + a_bytes;
}

}  // namespace

Execution::Slot& Execution::slot(Address at) {
    for (;;) {
        const std::size_t mask = slots_.size() - 1;
        const std::size_t start = (at * 0x9e3779b97f4a7c15) >> 32;
        for (std::size_t probe = 0; probe < 16; ++probe) {
            Slot& candidate = slots_[(start + probe) & mask];
            if (candidate.serial != serial_ || candidate.address == at) return candidate;
        }
        std::vector<Slot> old(slots_.size() * 2);
        old.swap(slots_);
        for (const Slot& used : old)
            if (used.serial == serial_) slot(used.address) = used;
    }
}

LocationId Execution::locate(Address at, unsigned size, bool writes, Address pc) {
    check_lifetime(at, size, writes, pc);
    const VectorClock& clock = memory.threads[current_].clock;
    const Conflict conflict = shadow_.atomic_access(at, size, writes, clock);
    if (conflict.found) report_race(conflict, writes, "an atomic", pc);
    Slot& found = slot(at);
    if (found.serial == serial_ && !graph.locations[found.location].dead) {
        if (graph.locations[found.location].size != size)
            fail("unsupported",
                 "Atomic accesses to one address must have one size: this program mixes " +
                     std::to_string(graph.locations[found.location].size) + " and " +
                     std::to_string(size) + " bytes.",
                 pc);
        return found.location;
    }
    if (shadow_.may_hold_atomic(at, size)) {
        for (LocationId id = 0; id < graph.location_count; ++id) {
            const Location& other = graph.locations[id];
            if (!other.dead && overlap(at, size, other.address, other.size))
                fail("unsupported", "Atomic objects that overlap are not supported.", pc);
        }
    }
    for (Address byte = at; byte < at + size; byte += 8) shadow_.mark_atomic(byte);
    shadow_.mark_atomic(at + size - 1);
    const LocationId id = graph.add_location(at, size, load_bytes(at, size));
    found = {at, id, serial_};
    return id;
}

void Execution::check_lifetime(Address at, std::size_t size, bool writes, Address pc) {
    const Lifetime lifetime = heap_.lifetime(at, size);
    if (lifetime == Lifetime::valid) return;
    const Block* block = heap_.find(at);
    Failure found{"out_of_bounds", "", current_, pc, at};
    if (lifetime == Lifetime::freed && block) {
        found.kind = "use_after_free";
        found.message = "Memory must not be used after it was freed: these " +
                        std::to_string(size) + " bytes are " + (writes ? "written" : "read") +
                        " after thread " + std::to_string(block->freed_by) + " freed them.";
        found.other_thread = static_cast<int>(block->freed_by);
        found.other_time = block->freed_when;
        found.other_writes = true;
    } else {
        found.message = "An access must stay inside its block: these " + std::to_string(size) +
                        " bytes are " + (writes ? "written" : "read") + " outside of any" +
                        (block ? ", " + std::to_string(at - block->address) +
                                     " bytes after the start of a block of " +
                                     std::to_string(block->size) + " bytes."
                               : ".");
    }
    fail(std::move(found));
}

void Execution::report_race(const Conflict& conflict, bool writes, const char* how, Address pc) {
    Failure found{"race", "", current_, pc, conflict.address};
    found.other_thread = static_cast<int>(conflict.other_thread);
    found.other_time = conflict.other_time;
    found.other_writes = conflict.other_writes;
    found.message = std::string("Two threads must not touch the same memory, one of them writing, "
                                "unless one happens before the other: ") +
                    how + (writes ? " write" : " read") + " by thread " +
                    std::to_string(current_) + " and a" + (conflict.other_writes ? " write" : " read") +
                    " by thread " + std::to_string(conflict.other_thread) + " are not ordered.";
    fail(std::move(found));
}

void Execution::plain(Address at, std::size_t size, bool writes, Address pc) {
    if (size == 0) return;
    const bool own_stack = threads_[current_].fiber.owns_stack(at);
    if (writes && !own_stack) made_effect();
    if (recording && !own_stack && plain_accesses.size() < 100000 && shadow_.watches(at))
        plain_accesses.push_back({static_cast<std::uint32_t>(graph.events.size()), current_, writes,
                                  size, at, pc, memory.now(current_),
                                  heap_.lifetime(at, size) == Lifetime::valid
                                      ? load_bytes(at, size < 16 ? size : 16)
                                      : 0});
    check_lifetime(at, size, writes, pc);
    check_plain_against_atomics(at, size, writes, pc);
    const VectorClock& clock = memory.threads[current_].clock;
    const Conflict conflict = writes ? shadow_.plain_write(at, size, current_, clock)
                                     : shadow_.plain_read(at, size, current_, clock);
    if (conflict.found) report_race(conflict, writes, "a", pc);
}

void Execution::check_plain_against_atomics(Address at, std::size_t size, bool writes,
                                            Address pc) {
    if (!shadow_.may_hold_atomic(at, size)) return;
    const VectorClock& clock = memory.threads[current_].clock;
    for (LocationId id = 0; id < graph.location_count; ++id) {
        Location& location = graph.locations[id];
        if (location.dead || !overlap(at, size, location.address, location.size)) continue;
        for (unsigned t = 0; t < thread_count_; ++t) {
            const bool write_seen = clock.covers(t, location.written_at.time[t]);
            if (write_seen && (!writes || clock.covers(t, location.read_at.time[t]))) continue;
            report_race({true, !write_seen, t,
                         write_seen ? location.read_at.time[t] : location.written_at.time[t],
                         location.address},
                        writes, "a plain", pc);
        }
        // The next atomic access finds a new object there, with whatever is stored now.
        if (writes) location.dead = true;
    }
}

Address Execution::allocate(std::size_t size, std::size_t alignment, Allocator allocator,
                            Address pc) {
    made_effect();
    if (phase_ == Phase::threads && threads_[current_].operation >= 0 && !scenario_->may_allocate)
        fail("allocates",
             "An operation of this structure must not allocate memory, since malloc takes locks: "
             "this one does. Take all memory when the structure is made.",
             pc);
    const Address block = heap_.allocate(current_, size, alignment, allocator, pc);
    if (!block && running_)
        fail("out_of_memory",
             "A thread must not allocate more than " + std::to_string(Heap::kHeapBytes >> 20) +
                 " MiB in one execution.",
             pc);
    // Fresh memory has no readers or writers yet; what main did there in the set-up is its own.
    return block;
}

void Execution::release(Address at, Allocator allocator, Address pc) {
    made_effect();
    Block* const block = heap_.find(at);
    if (!block || block->address != at)
        fail("invalid_free", "Only the start of an allocated block can be freed.", pc);
    if (block->freed) {
        Failure found{"double_free",
                      "A block must be freed once: thread " + std::to_string(block->freed_by) +
                          " freed this one already.",
                      current_, pc, at};
        found.other_thread = static_cast<int>(block->freed_by);
        found.other_time = block->freed_when;
        found.other_writes = true;
        fail(std::move(found));
    }
    if (block->allocator != allocator)
        fail("invalid_free", "A block must be freed by the function that goes with its allocation.",
             pc);
    if (recording)
        plain_accesses.push_back({static_cast<std::uint32_t>(graph.events.size()), current_, true,
                                  block->size, at, pc, memory.now(current_), 0});
    if (block->size) {
        check_plain_against_atomics(at, block->size, true, pc);
        const Conflict conflict =
            shadow_.plain_write(at, block->size, current_, memory.threads[current_].clock);
        if (conflict.found) {
            Failure found{"use_after_free",
                          "Memory must not be freed while a thread may still use it: the free by "
                          "thread " + std::to_string(current_) + " and a" +
                              (conflict.other_writes ? " write" : " read") + " by thread " +
                              std::to_string(conflict.other_thread) + " are not ordered.",
                          current_, pc, conflict.address};
            found.other_thread = static_cast<int>(conflict.other_thread);
            found.other_time = conflict.other_time;
            found.other_writes = conflict.other_writes;
            fail(std::move(found));
        }
    }
    block->freed_by = current_;
    block->freed_at = pc;
    block->freed_when = memory.now(current_);
    heap_.mark_freed(*block);
}

Event Execution::begin_event(Kind kind, Address at, unsigned size, Order order, Address pc) {
    Event event;
    event.thread = current_;
    event.kind = kind;
    event.order = order;
    event.size = static_cast<std::uint8_t>(size);
    event.address = at;
    event.pc = pc;
    event.operation = threads_[current_].operation;
    if (size) event.location = locate(at, size, kind != Kind::load && kind != Kind::await, pc);
    options_.clear();
    return event;
}

void Execution::offer(const Event& event, MessageId message, Role role) {
    // A doomed update is inconsistent anyway; what its revisits lead to is checked in turn.
    if (role == Role::doomed || memory.consistent(event, {message, role}))
        options_.push_back({message, role});
}

const Option& Execution::choose(const Event& event) {
    if (phase_ != Phase::threads) return options_.front();
    return options_[strategy_->choose(*this, event, options_)];
}

EventId Execution::done(EventId id, Role role, MessageId message) {
    if (phase_ != Phase::threads) return id;
    const EventRef writer = message == kNoMessage ? kInitial : graph.writer_ref(message);
    schedule.push_back({current_, role, writer});
    if (!strategy_->performed(*this, id)) leave(Outcome::abandoned);
    return id;
}

Value Execution::load(Address at, unsigned size, Order order, Address pc) {
    reach(pc, true);
    const Event event = begin_event(Kind::load, at, size, order, pc);
    for (const MessageId message : memory.readable(current_, event.location))
        offer(event, message, Role::read);
    const Option option = choose(event);
    const EventId id = done(memory.read(event, option.message), option.role, option.message);
    return graph.events[id].value_read;
}

void Execution::store(Address at, unsigned size, Value value, Order order, Address pc) {
    reach(pc, false);
    Event event = begin_event(Kind::store, at, size, order, pc);
    event.value_written = value;
    for (const MessageId message : memory.places(current_, event.location))
        offer(event, message, Role::place);
    const Option option = choose(event);
    const bool newest = option.message == graph.locations[event.location].newest();
    if (newest) store_bytes(at, size, value);
    made_effect();
    done(memory.write(event, option.message), Role::place, option.message);
}

Value Execution::modify(Address at, unsigned size, Modify modify, Value operand, Order order,
                        Address pc) {
    reach(pc, true);
    Event event = begin_event(Kind::exchange, at, size, order, pc);
    for (const MessageId message : memory.readable(current_, event.location)) {
        const bool taken = graph.messages[message].taken_by != kNoMessage;
        if (!taken) offer(event, message, Role::update);
        if (taken && strategy_->wants_doomed_updates() && phase_ == Phase::threads)
            offer(event, message, Role::doomed);
    }
    const Option option = choose(event);
    const Value old = graph.messages[option.message].value;
    const Value all = size == 16 ? ~Value{0} : (Value{1} << 8 * size) - 1;
    event.value_written = modify(old, operand) & all;
    // Storing what was there is no progress for anybody: a spinning exchange does it for ever.
    if (event.value_written != old) made_effect();
    if (option.message == graph.locations[event.location].newest())
        store_bytes(at, size, event.value_written);
    done(memory.update(event, option.message), option.role, option.message);
    return old;
}

bool Execution::compare_exchange(Address at, unsigned size, Value& expected, Value desired,
                                 Order success, Order failure, bool weak, Address pc) {
    reach(pc, true);
    Event event = begin_event(Kind::compare_exchange, at, size, success, pc);
    Event failed = event;
    failed.order = failure;
    const bool may_fail = weak && phase_ == Phase::threads && threads_[current_].spurious_left > 0;
    for (const MessageId message : memory.readable(current_, event.location)) {
        if (graph.messages[message].value != expected) {
            offer(failed, message, Role::read);
            continue;
        }
        if (graph.messages[message].taken_by == kNoMessage) offer(event, message, Role::update);
        else if (strategy_->wants_doomed_updates() && phase_ == Phase::threads)
            offer(event, message, Role::doomed);
        if (may_fail) offer(failed, message, Role::spurious);
    }
    const Option option = choose(event);
    const Value old = graph.messages[option.message].value;
    if (option.role == Role::read || option.role == Role::spurious) {
        failed.spurious = option.role == Role::spurious;
        if (failed.spurious) {
            --threads_[current_].spurious_left;
            made_effect();  // the next try may go otherwise although nobody stored
        }
        done(memory.read(failed, option.message), option.role, option.message);
        expected = old;
        return false;
    }
    event.value_written = desired;
    if (desired != old) made_effect();
    if (option.message == graph.locations[event.location].newest())
        store_bytes(at, size, desired);
    done(memory.update(event, option.message), option.role, option.message);
    return true;
}

void Execution::fence(Order order, Address pc) {
    reach(pc, false);
    const Event event = begin_event(Kind::fence, 0, 0, order, pc);
    done(memory.fence(event), Role::read, kNoMessage);
}

void Execution::lock(Address mutex, Address pc) {
    made_effect();
    for (;;) {
        reach(pc, false);
        Event event = begin_event(Kind::lock, mutex, kMutexBytes, Order::acquire, pc);
        const MessageId newest = graph.locations[event.location].newest();
        options_.push_back({newest, graph.messages[newest].value ? Role::block : Role::update});
        if (strategy_->wants_doomed_updates() && phase_ == Phase::threads)
            for (const MessageId message : memory.readable(current_, event.location))
                if (message != newest && !graph.messages[message].value)
                    options_.push_back({message, Role::doomed});
        const Option option = choose(event);
        if (option.role != Role::block) {
            event.value_written = current_ + 1;
            if (option.message == newest) store_bytes(mutex, kMutexBytes, event.value_written);
            done(memory.update(event, option.message), option.role, option.message);
            return;
        }
        if (phase_ != Phase::threads)
            fail("stuck", "A mutex must be unlocked before it is locked again.", pc);
        event.order = Order::relaxed;
        event.blocked = true;
        done(memory.read(event, option.message), option.role, option.message);
        threads_[current_].waits = {{event.location, graph.messages[option.message].value}};
        block(current_);
        threads_[current_].granted = true;  // woken and picked: the next try is this step
    }
}

bool Execution::try_lock(Address mutex, Address pc) {
    reach(pc, true);
    Event event = begin_event(Kind::try_lock, mutex, kMutexBytes, Order::acquire, pc);
    for (const MessageId message : memory.readable(current_, event.location)) {
        const Message& at = graph.messages[message];
        if (at.value) options_.push_back({message, Role::read});
        else if (at.taken_by == kNoMessage) options_.push_back({message, Role::update});
        else if (strategy_->wants_doomed_updates() && phase_ == Phase::threads)
            options_.push_back({message, Role::doomed});
    }
    const Option option = choose(event);
    if (option.role == Role::read) {
        event.order = Order::relaxed;
        done(memory.read(event, option.message), option.role, option.message);
        return false;
    }
    event.value_written = current_ + 1;
    made_effect();
    if (option.message == graph.locations[event.location].newest())
        store_bytes(mutex, kMutexBytes, event.value_written);
    done(memory.update(event, option.message), option.role, option.message);
    return true;
}

void Execution::unlock(Address mutex, Address pc) {
    reach(pc, false);
    Event event = begin_event(Kind::unlock, mutex, kMutexBytes, Order::release, pc);
    const MessageId newest = graph.locations[event.location].newest();
    if (graph.messages[newest].value != current_ + 1)
        fail("unlock", "A mutex must be unlocked by the thread that locked it.", pc);
    options_.push_back({newest, Role::place});
    choose(event);
    store_bytes(mutex, kMutexBytes, 0);
    made_effect();
    done(memory.write(event, newest), Role::place, newest);
}

void Execution::await_change(Address at, Value old, Address pc) {
    made_effect();
    for (;;) {
        reach(pc, false);
        Event event = begin_event(Kind::await, at, 4, Order::acquire, pc);
        for (const MessageId message : memory.readable(current_, event.location)) {
            if (graph.messages[message].value != old) options_.push_back({message, Role::read});
            else if (options_.empty()) options_.push_back({message, Role::block});
        }
        const Option option = choose(event);
        if (option.role == Role::read) {
            done(memory.read(event, option.message), option.role, option.message);
            return;
        }
        if (phase_ != Phase::threads)
            fail("stuck", "A thread that is alone must not wait for a notification.", pc);
        event.order = Order::relaxed;
        event.blocked = true;
        done(memory.read(event, option.message), option.role, option.message);
        threads_[current_].waits = {{event.location, old}};
        block(current_);
        threads_[current_].granted = true;
    }
}

}  // namespace gauntlet
