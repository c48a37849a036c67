#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace gauntlet {

namespace {

[[noreturn]] void usage(const std::string& wrong) {
    std::fprintf(stderr,
                 "%s\nusage: runner check|progress|lines|outcomes|replay PROGRAM.so [--fd N] [--seed N]\n"
                 "  [--random-executions N] [--exhaustive-executions N] [--time-limit-s S]\n"
                 "  [--scenario NAME[:EXECUTIONS]]... [--search reduced|full|random]\n"
                 "  [--schedule TEXT]\n",
                 wrong.c_str());
    _exit(2);
}

std::pair<std::string, std::uint64_t> scenario_of(const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return {text, 0};
    return {text.substr(0, colon), std::strtoull(text.c_str() + colon + 1, nullptr, 10)};
}

}  // namespace

std::uint64_t Options::executions_of(const std::string& scenario) const {
    if (scenarios.empty()) return exhaustive_executions;
    for (const auto& [name, executions] : scenarios)
        if (name == scenario) return executions ? executions : exhaustive_executions;
    return 0;
}

Options parse_options(int argc, char** argv) {
    if (argc < 3) usage("A task and a program must be named.");
    Options options;
    options.task = argv[1];
    options.program = argv[2];
    for (int i = 3; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const std::string value = argv[i + 1];
        const auto number = [&] { return std::strtoull(value.c_str(), nullptr, 10); };
        if (name == "--fd") options.descriptor = static_cast<int>(number());
        else if (name == "--seed") options.seed = number();
        else if (name == "--random-executions") options.random_executions = number();
        else if (name == "--exhaustive-executions") options.exhaustive_executions = number();
        else if (name == "--time-limit-s") options.time_limit_s = std::strtod(value.c_str(), nullptr);
        else if (name == "--scenario") options.scenarios.push_back(scenario_of(value));
        else if (name == "--search") options.search = value;
        else if (name == "--schedule") options.schedule = value;
        else usage("Unknown option: " + name);
    }
    if (argc % 2 == 0) usage(std::string("An option needs a value: ") + argv[argc - 1]);
    return options;
}

}  // namespace gauntlet
