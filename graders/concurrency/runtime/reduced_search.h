// Every execution graph exactly once: the algorithm of TruSt.
//
// Kokologiannakis, Marmanis, Gladstein, Vafeiadis, "Truly stateless, optimal dynamic partial order
// reduction", POPL 2022. A graph is grown event by event, the lowest thread that can run first. A
// read is tried with every message there is; a store is tried at every place, and also makes
// earlier reads look again ("revisits"): the graph without what came after such a read, except what
// led to the store, is explored with the read taking the store's message. So that no graph is
// reached twice, a revisit happens only if everything it deletes was added in the one canonical way.
//
// Here a graph is kept as the schedule that builds it, and executions are repeated from their
// beginning; nothing else is stored. A schedule is in an order in which the events can be executed;
// the order in which they were added to the graph is in their stamps. The two differ for a read
// that was revisited: it keeps its stamp, but can only happen after the store it now reads.
#pragma once

#include "strategy.h"

namespace gauntlet {

class ReducedSearch final : public Strategy {
  public:
    ReducedSearch() { todo_.emplace_back(); }

    // Takes the next schedule to follow; false when every graph has been seen.
    bool advance();
    // The last execution was inconsistent or only explored for its revisits.
    bool dropped() const { return dropped_; }
    // A thread did not do what it did before under the same schedule: the program is not
    // deterministic, and nothing that was explored proves anything.
    bool diverged() const { return diverged_; }

    int next_thread(const Execution& execution) override;
    std::size_t choose(const Execution& execution, const Event& event,
                       std::span<const Option> options) override;
    bool performed(const Execution& execution, EventId event) override;
    bool wakes_blocked_threads() const override { return false; }
    bool wants_doomed_updates() const override { return true; }

  private:
    void revisit(const Execution& execution, EventId store);
    bool revisits_read(const Graph& graph, EventId store, EventId read) const;
    bool added_canonically(const Graph& graph, EventId event, EventId store) const;
    void add_revisit(const Execution& execution, EventId store, EventId read);
    Schedule done_so_far(const Execution& execution) const;
    // Whether `a` was added to the graph before `b`; the set-up's events come before all.
    bool added_before(EventId a, EventId b) const;

    std::vector<Schedule> todo_;
    Schedule forced_;
    std::size_t cursor_ = 0;
    std::vector<std::uint32_t> stamps_;  // of the steps done, in the order of execution
    std::uint32_t next_stamp_ = 0;
    EventId first_ = 0;  // events before it are the set-up's
    bool dropped_ = false;
    bool diverged_ = false;
};

}  // namespace gauntlet
