// The search for a counterexample: random executions of every scenario in turn, then all of them.
#include <ctime>

#include "history.h"
#include "json.h"
#include "minimise.h"
#include "random_search.h"
#include "reduced_search.h"
#include "replay.h"
#include "report.h"
#include "tasks.h"

namespace gauntlet {

namespace {

constexpr std::uint64_t kBatch = 60;  // random executions of a scenario before the next one's turn
constexpr double kRandomShare = 0.4;  // of the time, at most
// After a random failure: exhaustive executions of each scenario up to the one that failed.
constexpr std::uint64_t kConfirming = 20000;

struct Coverage {
    const check::Scenario* scenario = nullptr;
    std::uint64_t limit = 0;  // of exhaustive executions
    std::uint64_t random_executions = 0;
    std::uint64_t executions = 0;  // exhaustive ones, each a different graph
    std::uint64_t blocked = 0;
    std::uint32_t longest = 24;  // events of an execution so far
    bool proved = false;
    std::string why_not{};
};

class Check {
  public:
    Check(const Options& options, Execution& execution, const Image& image)
        : options_(options), execution_(execution), image_(image), seeds_(options.seed) {
        const check::Scenarios all = image.scenarios();
        for (std::size_t i = 0; i < all.count; ++i)
            if (const std::uint64_t limit = options.executions_of(all.first[i].name))
                coverage_.push_back({.scenario = &all.first[i], .limit = limit});
    }

    void run() {
        if (search_at_random()) return;
        for (Coverage& coverage : coverage_) {
            if (search_all(coverage, coverage.limit)) return;
            report(coverage);
        }
    }

  private:
    // Of the processor's time: a busy machine must not search less.
    double seconds() const { return cpu_time_s() - start_s_; }

    static double cpu_time_s() {
        timespec used{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
        return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
    }

    bool failed(const check::Scenario& scenario, Strategy& strategy, Outcome& outcome) {
        outcome = execution_.run(scenario, strategy);
        return outcome == Outcome::failed ||
               (outcome == Outcome::complete && !history_holds(execution_));
    }

    bool search_at_random() {
        for (std::uint64_t done = 0; done < options_.random_executions; done += kBatch) {
            for (Coverage& coverage : coverage_) {
                for (std::uint64_t i = 0; i < kBatch; ++i) {
                    RandomSearch random(seeds_.next(), static_cast<Flavour>(i % 3),
                                        coverage.longest);
                    Outcome outcome{};
                    ++coverage.random_executions;
                    if (failed(*coverage.scenario, random, outcome)) {
                        if (!fails_earlier(coverage)) counterexample(coverage, "random");
                        return true;
                    }
                    coverage.longest =
                        std::max(coverage.longest,
                                 static_cast<std::uint32_t>(execution_.schedule.size()));
                }
                if (seconds() > options_.time_limit_s * kRandomShare) return false;
            }
        }
        return false;
    }

    // Scenarios come smallest first, and a small counterexample that depends on no seed is better
    // than the one that chance found. What was found is lost if this finds another.
    bool fails_earlier(const Coverage& failing) {
        const std::string kind = execution_.failure.kind;
        const Schedule found = execution_.schedule;
        for (Coverage& coverage : coverage_) {
            if (search_all(coverage, std::min(coverage.limit, kConfirming))) return true;
            if (&coverage == &failing) break;
        }
        Replay again(found);
        still_fails(execution_, *failing.scenario, again, kind);
        return false;
    }

    bool search_all(Coverage& coverage, std::uint64_t limit) {
        ReducedSearch search;
        bool cut = false;
        while (search.advance()) {
            if (coverage.executions + coverage.blocked >= limit) {
                coverage.why_not = "too many executions";
                return false;
            }
            if (seconds() > options_.time_limit_s) {
                coverage.why_not = "out of time";
                return false;
            }
            Outcome outcome{};
            const bool bad = failed(*coverage.scenario, search, outcome);
            if (bad && !search.dropped()) {
                counterexample(coverage, "exhaustive");
                return true;
            }
            if (outcome == Outcome::complete) ++coverage.executions;
            if (outcome == Outcome::blocked) ++coverage.blocked;
            cut |= outcome == Outcome::cut;
        }
        coverage.proved = !cut && !search.diverged();
        if (cut) coverage.why_not = "some executions are too long";
        if (search.diverged()) coverage.why_not = "the program is not deterministic";
        return false;
    }

    void counterexample(const Coverage& coverage, const char* search) {
        const std::string kind = execution_.failure.kind;
        const Schedule found = execution_.schedule;
        const Schedule smallest =
            minimise(execution_, *coverage.scenario, found, kind, options_.seed);
        Json json;
        json.object().member("type", "counterexample").member("search", search);
        json.member("seed", options_.seed);
        json.member("random_executions", total_random());
        json.member("exhaustive_executions", coverage.executions + coverage.blocked);
        describe_failure(json, execution_, *coverage.scenario, smallest, image_,
                         Symbols(options_.program));
        json.end_object();
        send_message(options_.descriptor, json);
    }

    std::uint64_t total_random() const {
        std::uint64_t total = 0;
        for (const Coverage& coverage : coverage_) total += coverage.random_executions;
        return total;
    }

    void report(const Coverage& coverage) const {
        Json json;
        json.object().member("type", "coverage").member("scenario", coverage.scenario->name);
        json.member("random_executions", coverage.random_executions);
        json.member("executions", coverage.executions).member("blocked", coverage.blocked);
        json.member("proved", coverage.proved).member("why_not", coverage.why_not);
        json.end_object();
        send_message(options_.descriptor, json);
    }

    const Options& options_;
    Execution& execution_;
    const Image& image_;
    RandomNumbers seeds_;
    std::vector<Coverage> coverage_;
    const double start_s_ = cpu_time_s();
};

}  // namespace

void check_scenarios(const Options& options, Execution& execution, const Image& image) {
    Check(options, execution, image).run();
}

}  // namespace gauntlet
