#include "reduced_search.h"

#include "execution.h"

namespace gauntlet {

bool ReducedSearch::advance() {
    if (todo_.empty()) return false;
    forced_ = std::move(todo_.back());
    todo_.pop_back();
    cursor_ = 0;
    dropped_ = false;
    stamps_.clear();
    next_stamp_ = 1;
    for (const Step& step : forced_) next_stamp_ = std::max(next_stamp_, step.stamp + 1);
    return true;
}

Schedule ReducedSearch::done_so_far(const Execution& execution) const {
    Schedule schedule = execution.schedule;
    for (std::size_t i = 0; i < stamps_.size(); ++i) schedule[i].stamp = stamps_[i];
    return schedule;
}

bool ReducedSearch::added_before(EventId a, EventId b) const {
    if (a < first_ || b < first_) return a < b;
    return stamps_[a - first_] < stamps_[b - first_];
}

int ReducedSearch::next_thread(const Execution& execution) {
    if (cursor_ < forced_.size()) {
        const unsigned thread = forced_[cursor_].thread;
        if (execution.can_run(thread)) return static_cast<int>(thread);
        diverged_ = dropped_ = true;
        return kStop;
    }
    for (unsigned t = 1; t < execution.thread_count(); ++t)
        if (execution.can_run(t)) return static_cast<int>(t);
    return kStop;
}

std::size_t ReducedSearch::choose(const Execution& execution, const Event&,
                                  std::span<const Option> options) {
    const Graph& graph = execution.graph;
    if (cursor_ < forced_.size()) {
        const Step& step = forced_[cursor_];
        diverged_ |= step.thread != execution.current();
        for (std::size_t i = 0; i < options.size(); ++i) {
            const bool spurious = options[i].role == Role::spurious;
            if (graph.writer_ref(options[i].message) == step.message &&
                spurious == (step.role == Role::spurious))
                return i;
        }
        // The seq_cst axiom forbids what a revisit wanted.
        dropped_ = true;
        return 0;
    }
    for (std::size_t i = 1; i < options.size(); ++i) {
        Schedule& other = todo_.emplace_back(done_so_far(execution));
        other.push_back({execution.current(), options[i].role,
                         graph.writer_ref(options[i].message), next_stamp_});
    }
    return 0;
}

bool ReducedSearch::performed(const Execution& execution, EventId event) {
    const Role role = execution.schedule.back().role;
    if (dropped_) return false;
    const bool fresh = cursor_ >= forced_.size();
    // The last forced step gave a read another message. If it also stores, that store is new.
    const bool new_store = cursor_ + 1 == forced_.size() && role != Role::place;
    stamps_.push_back(fresh ? next_stamp_++ : forced_[cursor_].stamp);
    ++cursor_;
    first_ = static_cast<EventId>(execution.graph.events.size() - stamps_.size());
    if (execution.graph.events[event].writes() && (fresh || new_store)) revisit(execution, event);
    if (role == Role::doomed) dropped_ = true;
    return !dropped_;
}

void ReducedSearch::revisit(const Execution& execution, EventId store) {
    const Graph& graph = execution.graph;
    for (EventId read = first_; read < store; ++read)
        if (revisits_read(graph, store, read)) add_revisit(execution, store, read);
}

bool ReducedSearch::revisits_read(const Graph& graph, EventId store, EventId read) const {
    const Event& s = graph.events[store];
    const Event& r = graph.events[read];
    if (!r.reads() || r.location != s.location || graph.in_prefix(read, s.prefix)) return false;
    const auto deleted = [&](EventId e) {
        return added_before(read, e) && e != store && !graph.in_prefix(e, s.prefix);
    };
    if (s.reads()) {
        // Two updates of one message cannot both stay.
        const auto& order = graph.locations[s.location].order;
        const std::uint32_t after = graph.messages[s.wrote].position + 1;
        for (std::uint32_t p = after; p < order.size() && p == after; ++p) {
            const EventId other = graph.messages[order[p]].writer;
            if (graph.events[other].read_from == s.read_from && other != read && !deleted(other))
                return false;
        }
    }
    for (EventId e = first_; e < store; ++e)
        if ((e == read || deleted(e)) && !added_canonically(graph, e, store)) return false;
    return true;
}

// Whether the event, seen from those before it and those that led to the store, reads or is the
// newest store, and is not itself the reason why one of them was revisited.
bool ReducedSearch::added_canonically(const Graph& graph, EventId id, EventId store) const {
    const Event& event = graph.events[id];
    if (event.spurious) return false;
    if (event.location == kNoLocation) return true;
    const Prefix& prefix = graph.events[store].prefix;
    const std::uint32_t position =
        graph.messages[event.writes() ? event.wrote : event.read_from].position;
    for (EventId other = 0; other < store; ++other) {
        if (other == id || (added_before(id, other) && !graph.in_prefix(other, prefix))) continue;
        const Event& o = graph.events[other];
        if (o.location != event.location) continue;
        if (event.writes() && o.reads() && o.read_from == event.wrote) return false;
        if (o.writes() && graph.messages[o.wrote].position > position) return false;
    }
    return true;
}

void ReducedSearch::add_revisit(const Execution& execution, EventId store, EventId read) {
    const Graph& graph = execution.graph;
    const Event& s = graph.events[store];
    std::vector<bool> kept(graph.events.size(), false);
    Schedule schedule;
    // Walks back in modification order to a store that the shorter schedule has done by then.
    const auto place_of = [&](const Event& event) {
        const auto& order = graph.locations[event.location].order;
        std::uint32_t p = graph.messages[event.wrote].position - 1;
        while (p > 0 && !kept[graph.messages[order[p]].writer]) --p;
        return graph.writer_ref(order[p]);
    };
    for (EventId e = 0; e < store; ++e) {
        if (e == read || (added_before(read, e) && !graph.in_prefix(e, s.prefix))) continue;
        if (e >= first_) {
            Step step = execution.schedule[e - first_];
            step.stamp = stamps_[e - first_];
            if (step.role == Role::place) step.message = place_of(graph.events[e]);
            schedule.push_back(step);
        }
        kept[e] = true;
    }
    const Event& r = graph.events[read];
    const auto explore = [&](EventRef message) {
        Schedule& other = todo_.emplace_back(schedule);
        other.push_back({s.thread, execution.schedule[store - first_].role, message,
                         stamps_[store - first_]});
        other.push_back({r.thread, Role::read, graph.ref(store), stamps_[read - first_]});
    };
    if (s.reads()) return explore(graph.writer_ref(s.read_from));
    const auto& order = graph.locations[s.location].order;
    for (std::uint32_t p = graph.messages[s.floor].position; p < order.size(); ++p) {
        const Message& message = graph.messages[order[p]];
        if (order[p] == s.wrote) continue;
        if (message.writer != kNoEvent && !kept[message.writer]) continue;
        const bool taken = message.taken_by != kNoMessage &&
                           kept[graph.messages[message.taken_by].writer];
        if (!taken) explore(graph.writer_ref(order[p]));
    }
}

}  // namespace gauntlet
