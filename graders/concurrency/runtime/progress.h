// What the other threads can still do when one of them stops for ever.
#pragma once

#include "execution.h"
#include "options.h"

namespace gauntlet {

// Sends the class of the scenario, from worst to best, with what shows it:
//   blocking   with a thread suspended inside an operation, another's operation never returns
//   stalls     they all return, but answer as no queue (stack, ...) would: behind the suspended
//              thread nothing can be popped or pushed
//   lock_free  they return and answer rightly, but an operation takes the more steps the more
//              often others disturb it
//   wait_free  no operation took more than a fixed number of steps, however often disturbed
// The last two are evidence from this scenario, not a proof.
void classify_progress(const Options& options, Execution& execution,
                       const Image& image, const check::Scenario& scenario);

}  // namespace gauntlet
