// What the runner can be asked to do. Each task sends JSON messages; the last one is
// {"type": "done"}, so that a runner that died half-way is not taken for one that found nothing.
#pragma once

#include "execution.h"
#include "options.h"

namespace gauntlet {

void run_task(const Options& options, Execution& execution, const Image& image);

// Looks for a failing execution of any scenario, at random first, then exhaustively.
void check_scenarios(const Options& options, Execution& execution, const Image& image);

}  // namespace gauntlet
