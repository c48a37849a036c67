#include "cache_lines.h"

#include <map>

#include "json.h"
#include "random_search.h"
#include "replay.h"
#include "report.h"

namespace gauntlet {

namespace {

constexpr Address kLineBytes = 64;
constexpr unsigned kRandomExecutions = 60;
constexpr unsigned kOftenStores = 2;

struct Variable {
    std::size_t size = 0;
    std::set<unsigned> threads;
    std::array<unsigned, kMaxThreads> most_stores{};  // by a thread in one execution
    Address pc = 0;
};

class SharedLines {
  public:
    explicit SharedLines(Execution& execution) : execution_(execution) {}

    // Counts the stores of the execution that was recorded last.
    void count() {
        std::map<std::pair<Address, unsigned>, unsigned> stores;
        const auto note = [&](Address at, std::size_t size, unsigned thread, Address pc) {
            if (thread == 0) return;
            Variable& variable = variables_[at];
            variable.size = std::max(variable.size, size);
            variable.threads.insert(thread);
            variable.pc = pc;
            const unsigned now = ++stores[{at, thread}];
            unsigned& most = variable.most_stores[thread];
            most = std::max(most, now);
        };
        for (const Event& event : execution_.graph.events)
            if (event.writes()) note(event.address, event.size, event.thread, event.pc);
        for (const PlainAccess& access : execution_.plain_accesses)
            if (access.writes) note(access.address, access.size, access.thread, access.pc);
    }

    template <class Visit>
    void for_each_pair(Visit visit) const {
        for (auto a = variables_.begin(); a != variables_.end(); ++a) {
            if (!is_index(a->second)) continue;
            for (auto b = std::next(a); b != variables_.end(); ++b) {
                if (b->first / kLineBytes > last_line(*a)) break;
                if (is_index(b->second) && a->second.threads != b->second.threads) visit(*a, *b);
            }
        }
    }

  private:
    static bool is_index(const Variable& variable) {
        return variable.threads.size() == 1 &&
               variable.most_stores[*variable.threads.begin()] >= kOftenStores;
    }

    static Address last_line(const std::pair<const Address, Variable>& variable) {
        return (variable.first + variable.second.size - 1) / kLineBytes;
    }

    Execution& execution_;
    std::map<Address, Variable> variables_;
};

}  // namespace

void find_shared_lines(const Options& options, Execution& execution, const Image& image,
                       const check::Scenario& scenario) {
    SharedLines lines(execution);
    RandomNumbers seeds(options.seed);
    execution.recording = true;
    const Schedule in_order;
    Replay replay(in_order);
    execution.run(scenario, replay);
    lines.count();
    for (unsigned i = 0; i < kRandomExecutions; ++i) {
        RandomSearch random(seeds.next(), static_cast<Flavour>(i % 3), 24);
        execution.run(scenario, random);
        lines.count();
    }
    execution.recording = false;
    const Symbols symbols(options.program);
    Json json;
    json.object().member("type", "cache_lines").member("scenario", scenario.name);
    json.key("pairs").array();
    lines.for_each_pair([&](const auto& first, const auto& second) {
        json.object();
        for (const auto* one : {&first, &second}) {
            const auto& [at, variable] = *one;
            const unsigned thread = *variable.threads.begin();
            json.key(one == &first ? "first" : "second").object();
            json.member("thread", thread);
            json.member("stores", variable.most_stores[thread]);
            json.member("line_offset_bytes", at % kLineBytes).member("size_bytes", variable.size);
            json.member("place", place_name(at, execution, image, symbols));
            json.member("pc", code_offset(variable.pc, image)).end_object();
        }
        json.end_object();
    });
    json.end_array().end_object();
    send_message(options.descriptor, json);
}

}  // namespace gauntlet
