#include "outcomes.h"

#include "full_search.h"
#include "history.h"
#include "random_search.h"
#include "reduced_search.h"

namespace gauntlet {

namespace {

void count(Outcomes& found, Execution& execution, Outcome outcome) {
    if (outcome == Outcome::complete && !history_holds(execution)) outcome = Outcome::failed;
    switch (outcome) {
        case Outcome::complete:
            ++found.complete;
            ++found.texts[execution.outcome_text()];
            found.graphs.insert(execution.graph.hash());
            break;
        case Outcome::failed: ++found.failures[execution.failure.kind]; break;
        case Outcome::blocked: ++found.blocked; break;
        case Outcome::abandoned: ++found.dropped; break;
        case Outcome::cut: ++found.cut; break;
    }
}

}  // namespace

Outcomes all_outcomes(Execution& execution, const check::Scenario& scenario, SearchKind kind,
                      std::uint64_t max_executions, std::uint64_t seed) {
    Outcomes found;
    if (kind == SearchKind::random) {
        RandomNumbers seeds(seed);
        for (std::uint64_t i = 0; i < max_executions; ++i) {
            RandomSearch random(seeds.next(), static_cast<Flavour>(i % 3), 20);
            count(found, execution, execution.run(scenario, random));
        }
        return found;
    }
    ReducedSearch reduced;
    FullSearch full;
    bool more = kind == SearchKind::full || reduced.advance();
    for (std::uint64_t i = 0; more && i < max_executions; ++i) {
        Strategy& strategy = kind == SearchKind::full ? static_cast<Strategy&>(full) : reduced;
        count(found, execution, execution.run(scenario, strategy));
        more = kind == SearchKind::full ? full.advance() : reduced.advance();
    }
    found.diverged = reduced.diverged();
    found.exhausted = !more && found.cut == 0 && !found.diverged;
    return found;
}

}  // namespace gauntlet
