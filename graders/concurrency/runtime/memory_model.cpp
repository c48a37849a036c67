#include "memory_model.h"

#include "seq_cst.h"

namespace gauntlet {

void MemoryModel::clear() {
    pool_.clear();
    threads = {};
}

void MemoryModel::fork(unsigned parent, unsigned child) {
    const ThreadMemory& from = threads[parent];
    ThreadMemory& into = threads[child];
    const Time own = into.clock.time[child];
    into.clock = from.clock;
    into.clock.time[child] = own;
    into.view = from.view.copy(pool_);
    into.prefix = from.prefix;
}

void MemoryModel::join(unsigned parent, unsigned child) {
    threads[parent].clock.join(threads[child].clock);
    join_view(threads[parent].view, threads[child].view);
    for (unsigned t = 0; t < kMaxThreads; ++t)
        threads[parent].prefix[t] =
            std::max(threads[parent].prefix[t], threads[child].prefix[t]);
}

void MemoryModel::join_view(View& into, const View& from) {
    into.join(pool_, from, [this](MessageId a, MessageId b) {
        return graph_.messages[a].position > graph_.messages[b].position;
    });
}

std::uint32_t MemoryModel::first_visible(unsigned thread, LocationId location) const {
    const MessageId seen = threads[thread].view[location];
    return seen == kNoMessage ? 0 : graph_.messages[seen].position;
}

std::span<const MessageId> MemoryModel::readable(unsigned thread, LocationId location) {
    const auto& order = graph_.locations[location].order;
    const std::uint32_t first = first_visible(thread, location);
    candidates_.assign(order.rbegin(), order.rend() - first);
    return candidates_;
}

std::span<const MessageId> MemoryModel::places(unsigned thread, LocationId location) {
    const auto& order = graph_.locations[location].order;
    const std::uint32_t first = first_visible(thread, location);
    candidates_.clear();
    for (std::size_t p = order.size(); p-- > first;)
        if (graph_.messages[order[p]].taken_by == kNoMessage) candidates_.push_back(order[p]);
    return candidates_;
}

bool MemoryModel::consistent(const Event& event, Option option) {
    const Message& message = graph_.messages[option.message];
    // Nothing is after the newest message, so no edge leaves the event and no cycle can close.
    if (message.position + 1 == graph_.locations[message.location].order.size()) return true;
    if (graph_.seq_cst_events + (event.order == Order::seq_cst) < 2) return true;
    Event probe = event;
    begin(probe);
    const ThreadMemory& memory = threads[event.thread];
    probe.clock = memory.clock;
    if (option.role != Role::place) {
        probe.read_from = option.message;
        if (acquires(event.order)) probe.clock.join(message.clock);
    }
    return seq_cst_acyclic(graph_, probe, option);
}

void MemoryModel::begin(Event& event) {
    event.index = static_cast<std::uint32_t>(graph_.by_thread[event.thread].size());
}

void MemoryModel::see(Event& event, MessageId from) {
    ThreadMemory& memory = threads[event.thread];
    const Message& message = graph_.messages[from];
    event.read_from = from;
    event.value_read = message.value;
    event.stale = from != graph_.locations[event.location].newest();
    memory.view.set(pool_, event.location, from);
    if (acquires(event.order)) {
        join_view(memory.view, message.view);
        memory.clock.join(message.clock);
    } else {
        join_view(memory.unacquired_view, message.view);
        memory.unacquired_clock.join(message.clock);
    }
    for (unsigned t = 0; t < kMaxThreads; ++t)
        memory.prefix[t] = std::max(memory.prefix[t], message.prefix[t]);
    graph_.locations[event.location].read_at.time[event.thread] = now(event.thread);
}

EventId MemoryModel::finish(Event& event) {
    ThreadMemory& memory = threads[event.thread];
    memory.prefix[event.thread] = event.index + 1;
    event.prefix = memory.prefix;
    event.clock = memory.clock;
    const EventId id = graph_.add(event);
    // Plain accesses after this event are later than it: whoever acquires it does not see them.
    ++memory.clock.time[event.thread];
    return id;
}

EventId MemoryModel::read(Event event, MessageId from) {
    begin(event);
    see(event, from);
    return finish(event);
}

EventId MemoryModel::write(Event event, MessageId after) {
    begin(event);
    event.floor = graph_.locations[event.location]
                      .order[first_visible(event.thread, event.location)];
    graph_.locations[event.location].written_at.time[event.thread] = now(event.thread);
    const auto id = static_cast<EventId>(graph_.events.size());
    event.wrote = graph_.add_message(after, id, event.value_written);
    publish(event, kNoMessage);
    finish(event);
    graph_.messages[event.wrote].prefix = event.prefix;
    return id;
}

EventId MemoryModel::update(Event event, MessageId from) {
    begin(event);
    graph_.locations[event.location].written_at.time[event.thread] = now(event.thread);
    see(event, from);
    const auto id = static_cast<EventId>(graph_.events.size());
    event.wrote = graph_.add_message(from, id, event.value_written);
    graph_.messages[from].taken_by = event.wrote;
    publish(event, from);
    finish(event);
    graph_.messages[event.wrote].prefix = event.prefix;
    return id;
}

void MemoryModel::publish(const Event& event, MessageId updated) {
    ThreadMemory& memory = threads[event.thread];
    Message& message = graph_.messages[event.wrote];
    memory.view.set(pool_, event.location, event.wrote);
    if (releases(event.order)) {
        message.view = memory.view.copy(pool_);
        message.clock = memory.clock;
    } else {
        message.view = memory.released_view.copy(pool_);
        message.clock = memory.released_clock;
    }
    if (updated != kNoMessage) {
        // C++20's release sequence: read-modify-writes carry on what the message they update began.
        join_view(message.view, graph_.messages[updated].view);
        message.clock.join(graph_.messages[updated].clock);
    }
    message.view.set(pool_, event.location, event.wrote);
}

EventId MemoryModel::fence(Event event) {
    begin(event);
    ThreadMemory& memory = threads[event.thread];
    if (acquires(event.order)) {
        join_view(memory.view, memory.unacquired_view);
        memory.clock.join(memory.unacquired_clock);
    }
    if (releases(event.order)) {
        memory.released_view = memory.view.copy(pool_);
        memory.released_clock = memory.clock;
    }
    return finish(event);
}

}  // namespace gauntlet
