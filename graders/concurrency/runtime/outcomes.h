// All outcomes of a small scenario, for litmus tests and for comparing searches with each other.
#pragma once

#include <map>
#include <set>

#include "execution.h"

namespace gauntlet {

struct Outcomes {
    std::map<std::string, std::uint64_t> texts;  // what was observed -> executions
    std::map<std::string, std::uint64_t> failures;  // kind -> executions
    std::set<std::uint64_t> graphs;              // of complete executions
    std::uint64_t complete = 0;
    std::uint64_t blocked = 0;
    std::uint64_t dropped = 0;
    std::uint64_t cut = 0;
    bool exhausted = false;
    bool diverged = false;
};

enum class SearchKind : std::uint8_t { reduced, full, random };

Outcomes all_outcomes(Execution& execution, const check::Scenario& scenario, SearchKind kind,
                      std::uint64_t max_executions, std::uint64_t seed);

}  // namespace gauntlet
