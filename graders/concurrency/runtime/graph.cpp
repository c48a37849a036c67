#include "graph.h"

namespace gauntlet {

void Graph::clear() {
    events.clear();
    messages.clear();
    location_count = 0;
    seq_cst_events = 0;
    for (auto& thread : by_thread) thread.clear();
}

EventId Graph::add(const Event& event) {
    const auto id = static_cast<EventId>(events.size());
    events.push_back(event);
    by_thread[event.thread].push_back(id);
    if (event.order == Order::seq_cst) ++seq_cst_events;
    return id;
}

LocationId Graph::add_location(Address address, unsigned size, Value initial) {
    if (location_count == locations.size()) locations.emplace_back();
    const LocationId id = location_count++;
    Location& location = locations[id];
    location.address = address;
    location.size = size;
    location.dead = false;
    location.read_at = {};
    location.written_at = {};
    location.order.clear();
    const auto first = static_cast<MessageId>(messages.size());
    Message& message = messages.emplace_back();
    message.location = id;
    message.value = initial;
    location.order.push_back(first);
    return id;
}

MessageId Graph::add_message(MessageId previous, EventId writer, Value value) {
    const auto id = static_cast<MessageId>(messages.size());
    Message& message = messages.emplace_back();
    message.location = messages[previous].location;
    message.writer = writer;
    message.value = value;
    auto& order = locations[message.location].order;
    const std::uint32_t position = messages[previous].position + 1;
    order.insert(order.begin() + position, id);
    for (std::uint32_t p = position; p < order.size(); ++p) messages[order[p]].position = p;
    return id;
}

EventRef Graph::ref(EventId id) const { return {events[id].thread, events[id].index}; }

EventRef Graph::writer_ref(MessageId id) const {
    const EventId writer = messages[id].writer;
    return writer == kNoEvent ? kInitial : ref(writer);
}

std::uint64_t Graph::hash() const {
    std::uint64_t hash = 0x9e3779b97f4a7c15;
    const auto mix = [&hash](std::uint64_t word) {
        hash = (hash ^ word) * 0xff51afd7ed558ccd;
        hash ^= hash >> 32;
    };
    const auto mix_ref = [&mix](EventRef ref) { mix(std::uint64_t{ref.thread} << 32 | ref.index); };
    for (const auto& thread : by_thread) {
        mix(thread.size());
        for (const EventId id : thread) {
            const Event& event = events[id];
            mix(static_cast<std::uint64_t>(event.kind) * 2 + event.spurious);
            if (event.reads()) mix_ref(writer_ref(event.read_from));
            if (event.writes()) {
                const Message& message = messages[event.wrote];
                const auto& order = locations[message.location].order;
                mix_ref(writer_ref(order[message.position - 1]));
            }
        }
    }
    return hash;
}

}  // namespace gauntlet
