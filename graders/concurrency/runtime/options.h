// The command line of the runner.
#pragma once

#include <cstdint>
#include <string>

namespace gauntlet {

struct Options {
    std::string task;     // check, progress, outcomes or replay
    std::string program;  // path of the shared object
    int descriptor = 4;   // where messages go
    std::uint64_t seed = 1;
    std::uint64_t random_executions = 3000;      // of each scenario
    std::uint64_t exhaustive_executions = 200000;  // of each scenario, at most
    double time_limit_s = 8.0;                   // of the whole task
    std::string scenario;                        // only this one, if given
    std::string search = "reduced";              // outcomes: reduced, full or random
    std::string schedule;                        // replay: see report.h
};

// Prints what is wrong and exits with 2 if the arguments are not understood.
Options parse_options(int argc, char** argv);

}  // namespace gauntlet
