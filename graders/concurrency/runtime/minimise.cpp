#include "minimise.h"

#include <tuple>

#include "history.h"
#include "random_search.h"
#include "replay.h"

namespace gauntlet {

namespace {

constexpr unsigned kTriesWithout = 90;   // random executions for each operation left out
constexpr unsigned kTriesAfresh = 300;   // random executions that look for fewer switches
constexpr unsigned kMaxRounds = 40;

std::size_t stale_reads(const Execution& execution) {
    std::size_t count = 0;
    for (const Event& event : execution.graph.events) count += event.stale;
    return count;
}

class Minimiser {
  public:
    Minimiser(Execution& execution, const check::Scenario& scenario, std::string kind,
              std::uint64_t seed)
        : execution_(execution), scenario_(scenario), kind_(std::move(kind)), random_(seed) {}

    Schedule run(Schedule schedule) {
        // Each try would cost the second that the watchdog waits.
        if (kind_ == "endless_loop" || !try_schedule(schedule)) return schedule;
        leave_out_operations();
        look_afresh();
        for (unsigned round = 0; round < kMaxRounds; ++round)
            if (!improve_once()) break;
        // What is left of `execution` is the last try; let it be the best one.
        Replay replay(best_);
        still_fails(execution_, scenario_, replay, kind_);
        return best_;
    }

  private:
    // Fewer is better: context switches, then stale reads, then steps.
    using Cost = std::tuple<unsigned, std::size_t, std::size_t>;

    bool try_strategy(Strategy& strategy, bool must_improve) {
        if (!still_fails(execution_, scenario_, strategy, kind_)) return false;
        const Cost cost{context_switches(execution_.schedule), stale_reads(execution_),
                        execution_.schedule.size()};
        if (must_improve && cost >= cost_) return false;
        best_ = execution_.schedule;
        cost_ = cost;
        return true;
    }

    bool try_schedule(const Schedule& schedule, bool must_improve = false) {
        Replay replay(schedule);
        return try_strategy(replay, must_improve);
    }

    bool try_random(unsigned tries, bool must_improve) {
        for (unsigned i = 0; i < tries; ++i) {
            RandomSearch random(random_.next(), i % 2 ? Flavour::sticky : Flavour::pct,
                                static_cast<std::uint32_t>(best_.size()));
            if (try_strategy(random, must_improve)) return true;
        }
        return false;
    }

    void leave_out_operations() {
        std::vector<std::pair<unsigned, unsigned>> candidates;
        for (const Operation& o : execution_.operations) candidates.emplace_back(o.thread, o.index);
        for (auto it = candidates.rbegin(); it != candidates.rend(); ++it) {
            execution_.skipped_operations.insert(*it);
            const Schedule before = best_;
            if (!try_schedule(before) && !try_random(kTriesWithout, false))
                execution_.skipped_operations.erase(*it);
        }
    }

    void look_afresh() {
        for (unsigned i = 0; i < kTriesAfresh; ++i) try_random(1, true);
    }

    // Tries every way of moving one run of a thread's steps next to that thread's previous or next
    // run, of cutting a run off, and of reading the newest value instead of a stale one.
    bool improve_once() {
        const Schedule current = best_;
        std::vector<std::size_t> starts{0};
        for (std::size_t i = 1; i < current.size(); ++i)
            if (current[i].thread != current[i - 1].thread) starts.push_back(i);
        starts.push_back(current.size());
        const auto runs = starts.size() - 1;
        const auto thread_of = [&](std::size_t run) { return current[starts[run]].thread; };
        for (std::size_t run = 0; run < runs; ++run) {
            for (std::size_t to = 0; to < runs; ++to)
                if (to != run && thread_of(to) == thread_of(run) &&
                    try_schedule(moved(current, starts, run, to), true))
                    return true;
            Schedule without = current;
            without.erase(without.begin() + static_cast<std::ptrdiff_t>(starts[run]),
                          without.begin() + static_cast<std::ptrdiff_t>(starts[run + 1]));
            if (try_schedule(without, true)) return true;
        }
        for (std::size_t i = 0; i < current.size(); ++i) {
            if (current[i].role == Role::place) continue;
            Schedule newest = current;
            newest[i].role = Role::read;
            newest[i].message = {kMaxThreads, 0};  // nobody's: the newest is taken
            if (try_schedule(newest, true)) return true;
        }
        return false;
    }

    // Run `run` comes directly before run `to` if it was after it, else directly after it.
    static Schedule moved(const Schedule& schedule, const std::vector<std::size_t>& starts,
                          std::size_t run, std::size_t to) {
        Schedule result;
        const auto append = [&](std::size_t r) {
            result.insert(result.end(), schedule.begin() + static_cast<std::ptrdiff_t>(starts[r]),
                          schedule.begin() + static_cast<std::ptrdiff_t>(starts[r + 1]));
        };
        for (std::size_t r = 0; r + 1 < starts.size(); ++r) {
            if (r == run) continue;
            if (r == to && run < to) append(run);
            append(r);
            if (r == to && run > to) append(run);
        }
        return result;
    }

    Execution& execution_;
    const check::Scenario& scenario_;
    const std::string kind_;
    RandomNumbers random_;
    Schedule best_;
    Cost cost_;
};

}  // namespace

bool still_fails(Execution& execution, const check::Scenario& scenario, Strategy& strategy,
                 const std::string& kind) {
    const Outcome outcome = execution.run(scenario, strategy);
    if (outcome == Outcome::complete && !history_holds(execution))
        return execution.failure.kind == kind;
    return outcome == Outcome::failed && execution.failure.kind == kind;
}

Schedule minimise(Execution& execution, const check::Scenario& scenario, Schedule schedule,
                  const std::string& kind, std::uint64_t seed) {
    return Minimiser(execution, scenario, kind, seed).run(std::move(schedule));
}

}  // namespace gauntlet
