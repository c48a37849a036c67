// False sharing: variables of two threads in one 64-byte line.
#pragma once

#include "execution.h"
#include "options.h"

namespace gauntlet {

// Sends every pair of variables in one line of which each is stored to again and again, and by one
// thread alone, the two threads being different: {"type": "cache_lines", "pairs": [{"first",
// "second"}]}, each with thread, place, stores, pc and the bytes from the beginning of the line.
//
// What both threads store to is shared in truth and no false sharing, and what is stored to once in
// a scenario is an item rather than an index.
void find_shared_lines(const Options& options, Execution& execution, const Image& image,
                       const check::Scenario& scenario);

}  // namespace gauntlet
