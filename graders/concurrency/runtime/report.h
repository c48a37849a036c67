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

// The same for the execution that was recorded last, with whatever its `failure` says by now.
void describe_execution(Json& json, Execution& execution, const check::Scenario& scenario,
                        const Image& image, const Symbols& symbols);

// What a person calls an address: a variable and an offset in it, a block, a stack.
std::string place_name(Address address, const Execution& execution, const Image& image,
                       const Symbols& symbols);

// The instruction before a return address as an offset in the program, in hexadecimal.
std::string code_offset(Address pc, const Image& image);

}  // namespace gauntlet
