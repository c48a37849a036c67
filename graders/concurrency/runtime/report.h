// Tells a failing execution step by step.
#pragma once

#include "execution.h"
#include "json.h"
#include "symbols.h"

namespace gauntlet {

// Repeats the schedule, recording every access, and describes what happened as the members of the
// JSON object that `json` has open: kind, message, schedule, operations and steps.
void describe_failure(Json& json, Execution& execution, const check::Scenario& scenario,
                      const Schedule& schedule, const Image& image, const Symbols& symbols);

}  // namespace gauntlet
