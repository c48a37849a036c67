// Linearizability modulo happens-before: is there an order of the operations, agreeing with
// happens-before, in which a sequential object would have answered the same?
#pragma once

#include "execution.h"

namespace gauntlet {

// Checks a complete execution's operations against its scenario's specification. When they do not
// fit, fills in execution.failure and returns false.
bool history_holds(Execution& execution);

}  // namespace gauntlet
