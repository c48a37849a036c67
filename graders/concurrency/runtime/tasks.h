// What the runner can be asked to do.
#pragma once

#include "execution.h"
#include "options.h"

namespace gauntlet {

void run_task(const Options& options, Execution& execution, const Image& image);

}  // namespace gauntlet
