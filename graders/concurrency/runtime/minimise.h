// Makes a failing execution small: fewer operations, fewer context switches, fewer steps.
#pragma once

#include "execution.h"

namespace gauntlet {

// Runs the scenario so and says whether it still fails in the same way; an execution that ends is
// also checked against the specification.
bool still_fails(Execution& execution, const check::Scenario& scenario, Strategy& strategy,
                 const std::string& kind);

// Returns the smallest schedule found that fails with `kind`; execution.skipped_operations names
// the operations it does without.
Schedule minimise(Execution& execution, const check::Scenario& scenario, Schedule schedule,
                  const std::string& kind, std::uint64_t seed);

}  // namespace gauntlet
