// An execution as a graph: events in program order, who read from whom (rf), and each location's
// stores in modification order (mo). Two executions with the same graph are the same execution.
#pragma once

#include <vector>

#include "base.h"
#include "view.h"

namespace gauntlet {

using LocationId = std::uint32_t;
using EventId = std::uint32_t;  // position in the order in which events were executed

constexpr EventId kNoEvent = ~0u;
constexpr LocationId kNoLocation = ~0u;

enum class Kind : std::uint8_t {
    load,
    store,
    exchange,  // and every fetch_*
    compare_exchange,
    fence,
    lock,
    try_lock,
    unlock,
    await,   // waits for a notification (condition variable, futex)
    notify,
};

// Names an event independently of the order in which threads were interleaved.
struct EventRef {
    std::uint32_t thread;
    std::uint32_t index;  // in the thread's program order
    bool operator==(const EventRef&) const = default;
};

constexpr EventRef kInitial{~0u, ~0u};  // the value that was there before any atomic store

// Events of each thread that are before an event by program order and reads-from, as counts.
using Prefix = std::array<std::uint32_t, kMaxThreads>;

struct Event {
    std::uint32_t thread = 0;
    std::uint32_t index = 0;
    Kind kind = Kind::fence;
    Order order = Order::relaxed;
    bool spurious = false;  // a weak compare_exchange that failed although the value matched
    bool blocked = false;   // read a value that it has to wait for another of
    bool stale = false;     // read a message although a later one existed
    std::uint8_t size = 0;  // bytes
    LocationId location = kNoLocation;
    MessageId read_from = kNoMessage;
    MessageId wrote = kNoMessage;
    MessageId floor = kNoMessage;  // of a store: the newest message that it may not go before
    Value value_read = 0;
    Value value_written = 0;
    Address address = 0;
    Address pc = 0;
    int operation = -1;
    VectorClock clock;  // happens-before, this event included
    Prefix prefix{};    // this event included

    bool reads() const { return read_from != kNoMessage; }
    bool writes() const { return wrote != kNoMessage; }
};

// One store in a location's modification order.
struct Message {
    LocationId location = kNoLocation;
    EventId writer = kNoEvent;  // kNoEvent: the initial value
    std::uint32_t position = 0;
    MessageId taken_by = kNoMessage;  // the message of the read-modify-write that read this one
    Value value = 0;
    View view;          // what reading this with acquire shows
    VectorClock clock;  // what it makes happen before the reader
    Prefix prefix{};
};

struct Location {
    Address address = 0;
    unsigned size = 0;
    bool dead = false;  // its memory was freed or written by a plain store
    VectorClock read_at;   // last atomic read and write by each thread, for races with plain access
    VectorClock written_at;
    std::vector<MessageId> order;  // modification order

    MessageId newest() const { return order.back(); }
};

class Graph {
  public:
    void clear();

    EventId add(const Event& event);
    LocationId add_location(Address address, unsigned size, Value initial);
    // Puts a message directly after `previous` in modification order.
    MessageId add_message(MessageId previous, EventId writer, Value value);

    EventRef ref(EventId id) const;
    EventRef writer_ref(MessageId id) const;
    EventId find(EventRef ref) const { return by_thread[ref.thread][ref.index]; }
    bool in_prefix(EventId event, const Prefix& prefix) const {
        return events[event].index < prefix[events[event].thread];
    }
    // Equal for two executions exactly when their graphs are equal (up to hash collisions).
    std::uint64_t hash() const;

    std::vector<Event> events;
    std::vector<Message> messages;
    std::vector<Location> locations;
    std::array<std::vector<EventId>, kMaxThreads> by_thread;
    unsigned seq_cst_events = 0;
    unsigned location_count = 0;  // `locations` keeps its buffers from one execution to the next
};

}  // namespace gauntlet
