#include "tasks.h"

#include "cache_lines.h"
#include "json.h"
#include "outcomes.h"
#include "progress.h"
#include "replay.h"
#include "report.h"

namespace gauntlet {

namespace {

void count_map(Json& json, const char* name, const std::map<std::string, std::uint64_t>& counts) {
    json.key(name).object();
    for (const auto& [text, count] : counts) json.member(text, count);
    json.end_object();
}

void list_outcomes(const Options& options, Execution& execution, const check::Scenario& scenario) {
    const SearchKind kind = options.search == "full"     ? SearchKind::full
                            : options.search == "random" ? SearchKind::random
                                                         : SearchKind::reduced;
    const Outcomes found = all_outcomes(
        execution, scenario, kind,
        kind == SearchKind::random ? options.random_executions : options.exhaustive_executions,
        options.seed);
    Json json;
    json.object().member("type", "outcomes").member("scenario", scenario.name);
    count_map(json, "outcomes", found.texts);
    count_map(json, "failures", found.failures);
    json.member("executions", found.complete).member("graphs", found.graphs.size());
    json.member("blocked", found.blocked).member("dropped", found.dropped);
    json.member("cut", found.cut).member("exhausted", found.exhausted);
    json.member("diverged", found.diverged).end_object();
    send_message(options.descriptor, json);
}

void replay_scenario(const Options& options, Execution& execution, const Image& image,
                     const check::Scenario& scenario) {
    const Schedule schedule = read_schedule(options.schedule, execution);
    Json json;
    json.object().member("type", "replay");
    describe_failure(json, execution, scenario, schedule, image, Symbols(options.program));
    json.end_object();
    send_message(options.descriptor, json);
}

}  // namespace

void run_task(const Options& options, Execution& execution, const Image& image) {
    const check::Scenarios all = image.scenarios();
    if (options.task == "check") check_scenarios(options, execution, image);
    for (std::size_t i = 0; i < all.count; ++i) {
        const check::Scenario& scenario = all.first[i];
        if (!options.executions_of(scenario.name)) continue;
        if (options.task == "outcomes") list_outcomes(options, execution, scenario);
        if (options.task == "progress") classify_progress(options, execution, image, scenario);
        if (options.task == "lines") find_shared_lines(options, execution, image, scenario);
        if (options.task == "replay") replay_scenario(options, execution, image, scenario);
    }
    Json done;
    done.object().member("type", "done").member("task", options.task).end_object();
    send_message(options.descriptor, done);
}

}  // namespace gauntlet
