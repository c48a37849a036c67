// The command line of the runner.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gauntlet {

struct Options {
    std::string task;     // check, progress, outcomes or replay
    std::string program;  // path of the shared object
    int descriptor = 4;   // where messages go
    std::uint64_t seed = 1;
    std::uint64_t random_executions = 3000;      // of each scenario
    std::uint64_t exhaustive_executions = 200000;  // of each scenario, at most
    double time_limit_s = 8.0;                   // of the processor's time, for the whole task
    // Only these, if any are given, with a limit of their own on exhaustive executions.
    std::vector<std::pair<std::string, std::uint64_t>> scenarios;
    std::string search = "reduced";              // outcomes: reduced, full or random
    std::string schedule;                        // replay: see report.h

    // How many exhaustive executions a scenario may have; 0 if it was not asked for.
    std::uint64_t executions_of(const std::string& scenario) const;
};

// Prints what is wrong and exits with 2 if the arguments are not understood.
Options parse_options(int argc, char** argv);

}  // namespace gauntlet
