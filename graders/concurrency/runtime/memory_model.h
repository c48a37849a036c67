// RC11 by views: which messages a load may read, where a store may go, and what each then knows.
#pragma once

#include <span>

#include "graph.h"

namespace gauntlet {

enum class Role : std::uint8_t {
    read,      // take this message's value
    update,    // read it and write directly after it
    doomed,    // an update of a message that another one has updated: explored for its revisits only
    spurious,  // a weak compare_exchange that fails all the same
    block,     // read it and wait for another value
    place,     // store directly after this message
};

// One way in which an event can happen.
struct Option {
    MessageId message;
    Role role;
};

struct ThreadMemory {
    VectorClock clock;
    View view;
    View unacquired_view;  // of messages read without acquire: a fence may still acquire them
    VectorClock unacquired_clock;
    View released_view;  // as of the last release fence
    VectorClock released_clock;
    Prefix prefix{};
};

class MemoryModel {
  public:
    explicit MemoryModel(Graph& graph) : graph_(graph) {}

    void clear();
    void fork(unsigned parent, unsigned child);
    void join(unsigned parent, unsigned child);

    // Messages that coherence lets the thread read, newest first.
    std::span<const MessageId> readable(unsigned thread, LocationId location);
    // Messages after which coherence and atomicity let the thread store, newest first.
    std::span<const MessageId> places(unsigned thread, LocationId location);
    // Whether the event, happening so, keeps the order of seq_cst events acyclic.
    bool consistent(const Event& event, Option option);

    // Each fills in the event's clock and prefix and adds it to the graph.
    EventId read(Event event, MessageId from);
    EventId write(Event event, MessageId after);
    EventId update(Event event, MessageId from);
    EventId fence(Event event);

    Time now(unsigned thread) const { return threads[thread].clock.time[thread]; }

    std::array<ThreadMemory, kMaxThreads> threads;

  private:
    void begin(Event& event);
    void see(Event& event, MessageId from);
    EventId finish(Event& event);
    void publish(const Event& event, MessageId updated);
    void join_view(View& into, const View& from);
    std::uint32_t first_visible(unsigned thread, LocationId location) const;

    Graph& graph_;
    Pool pool_;
    std::vector<MessageId> candidates_;
};

}  // namespace gauntlet
