#include "report.h"

#include <cstdio>

#include "history.h"
#include "replay.h"

namespace gauntlet {

namespace {

constexpr const char* kKinds[] = {"load", "store", "exchange", "compare_exchange", "fence", "lock",
                                  "try_lock", "unlock", "wait", "notify"};
constexpr const char* kOrders[] = {"relaxed", "consume", "acquire", "release", "acq_rel",
                                   "seq_cst"};
constexpr const char* kActions[] = {"push", "pop", "write", "read", "allocate", "release"};

std::string hexadecimal(std::uint64_t number) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%lx", static_cast<unsigned long>(number));
    return text;
}

// Small numbers as a person would write them, others (pointers, mostly) in hexadecimal.
std::string value_text(Value value, unsigned size) {
    const auto low = static_cast<std::uint64_t>(value);
    const auto high = static_cast<std::uint64_t>(value >> 64);
    if (size == 16) return high ? hexadecimal(low) + ", " + hexadecimal(high) : value_text(low, 8);
    if (size >= 1 && size < 8 && low >> (8 * size - 1))
        return std::to_string(static_cast<std::int64_t>(low) - (std::int64_t{1} << 8 * size));
    if (size == 8 && low >> 63 && ~low < 4096) return std::to_string(static_cast<std::int64_t>(low));
    return low < 1u << 24 ? std::to_string(low) : hexadecimal(low);
}

class Narrator {
  public:
    Narrator(Json& json, Execution& execution, const Image& image, const Symbols& symbols)
        : json_(json), execution_(execution), image_(image), symbols_(symbols) {}

    void operations() {
        json_.key("operations").array();
        for (const Operation& o : execution_.operations) {
            json_.object().member("thread", o.thread);
            json_.member("action", kActions[static_cast<int>(o.action)]);
            json_.member("argument", o.argument).member("finished", o.finished);
            json_.member("succeeded", o.succeeded).member("result", o.result).end_object();
        }
        json_.end_array();
    }

    void steps() {
        json_.key("steps").array();
        std::size_t access = 0;
        const std::size_t other = last_of_the_other();
        const auto& accesses = execution_.plain_accesses;
        const auto& events = execution_.graph.events;
        for (std::uint32_t e = 0; e <= events.size(); ++e) {
            calls(e);
            for (; access < accesses.size() && accesses[access].after_events <= e; ++access)
                if (access == other || is_the_failing(accesses[access], access + 1 == accesses.size()))
                    plain_step(accesses[access]);
            if (e < events.size() && events[e].thread != 0) event_step(events[e]);
        }
        json_.end_array();
    }

  private:
    std::string place(Address address) const {
        return place_name(address, execution_, image_, symbols_);
    }

    void code(Address pc) {
        if (image_.contains_code(pc)) json_.member("pc", code_offset(pc, image_));
    }

    // Operations that begin or end before event `at`.
    void calls(std::uint32_t at) {
        const auto& all = execution_.operations;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Operation& o = all[i];
            if (o.finished && o.last_event == at && o.first_event != at) call(i, "return");
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Operation& o = all[i];
            if (o.first_event != at) continue;
            call(i, "call");
            if (o.finished && o.last_event == at) call(i, "return");
        }
    }

    void call(std::size_t index, const char* what) {
        const Operation& o = execution_.operations[index];
        json_.object().member("thread", o.thread).member("what", what);
        json_.member("operation", index).end_object();
    }

    bool is_at_the_failure(const PlainAccess& a) const {
        const Failure& failure = execution_.failure;
        if (a.thread == 0 && failure.other_thread != 0 && failure.thread != 0) return false;
        return failure.address - a.address < a.size;
    }

    bool is_the_failing(const PlainAccess& a, bool last) const {
        return last && a.thread == execution_.failure.thread && is_at_the_failure(a);
    }

    // The plain access that the failing one is not ordered with. A result that is cleared and then
    // filled is stored to twice at one time: the last says what it is.
    std::size_t last_of_the_other() const {
        const Failure& failure = execution_.failure;
        const auto& accesses = execution_.plain_accesses;
        for (std::size_t i = accesses.size(); i-- > 0;) {
            const PlainAccess& a = accesses[i];
            if (static_cast<int>(a.thread) == failure.other_thread && a.time == failure.other_time &&
                a.writes == failure.other_writes && is_at_the_failure(a))
                return i;
        }
        return accesses.size();
    }

    void plain_step(const PlainAccess& a) {
        json_.object().member("thread", a.thread);
        json_.member("what", a.writes ? "plain write" : "plain read");
        json_.member("place", place(a.address)).member("size_bytes", a.size);
        code(a.pc);
        if (a.size <= 8) json_.member(a.writes ? "overwritten" : "read", value_text(a.value, static_cast<unsigned>(a.size)));
        json_.member("part_of_failure", true).end_object();
    }

    // The newest store that was there when an older one was read.
    void missed(const Event& event) {
        const Graph& graph = execution_.graph;
        const Event* newest = nullptr;
        for (const Event& other : graph.events) {
            if (&other == &event) break;
            newest = newer(newest, event, other);
        }
        if (!newest) return;
        json_.member("missed", value_text(newest->value_written, newest->size));
        json_.member("missed_thread", newest->thread);
    }

    const Event* newer(const Event* best, const Event& reader, const Event& other) const {
        const auto& messages = execution_.graph.messages;
        if (other.location != reader.location || !other.writes()) return best;
        if (messages[other.wrote].position <= messages[reader.read_from].position) return best;
        return !best || messages[other.wrote].position > messages[best->wrote].position ? &other
                                                                                        : best;
    }

    void event_step(const Event& event) {
        json_.object().member("thread", event.thread);
        json_.member("what", kKinds[static_cast<int>(event.kind)]);
        json_.member("order", kOrders[static_cast<int>(event.order)]);
        if (event.location != kNoLocation) {
            json_.member("place", place(event.address));
            json_.member("size_bytes", static_cast<unsigned>(event.size));
        }
        if (event.reads()) {
            json_.member("read", value_text(event.value_read, event.size));
            json_.member("stale", event.stale);
            if (event.stale) missed(event);
            const EventRef writer = execution_.graph.writer_ref(event.read_from);
            if (writer != kInitial) json_.member("from_thread", writer.thread);
        }
        if (event.writes()) json_.member("written", value_text(event.value_written, event.size));
        if (event.kind == Kind::compare_exchange) json_.member("succeeded", event.writes());
        if (event.spurious) json_.member("spurious", true);
        if (event.blocked) json_.member("blocked", true);
        if (event.operation >= 0) json_.member("operation", event.operation);
        const Failure& failure = execution_.failure;
        const bool other = static_cast<int>(event.thread) == failure.other_thread &&
                           event.clock.time[event.thread] == failure.other_time &&
                           failure.address - event.address < event.size;
        if (other) json_.member("part_of_failure", true);
        code(event.pc);
        json_.end_object();
    }

    Json& json_;
    Execution& execution_;
    const Image& image_;
    const Symbols& symbols_;
};

}  // namespace

std::string place_name(Address address, const Execution& execution, const Image& image,
                       const Symbols& symbols) {
    if (image.contains_code(address)) {
        const std::string name = symbols.variable(address - image.base());
        if (!name.empty()) return name;
    }
    return execution.describe_address(address);
}

// The call ends just before its return address.
std::string code_offset(Address pc, const Image& image) {
    return hexadecimal(pc - image.base() - 1);
}

void describe_failure(Json& json, Execution& execution, const check::Scenario& scenario,
                      const Schedule& schedule, const Image& image, const Symbols& symbols) {
    execution.recording = true;
    Replay replay(schedule);
    if (execution.run(scenario, replay) == Outcome::complete) history_holds(execution);
    execution.recording = false;
    describe_execution(json, execution, scenario, image, symbols);
}

void describe_execution(Json& json, Execution& execution, const check::Scenario& scenario,
                        const Image& image, const Symbols& symbols) {
    json.member("scenario", scenario.name).member("kind", execution.failure.kind);
    json.member("message", execution.failure.message);
    json.member("thread", execution.failure.thread);
    if (execution.failure.other_thread >= 0)
        json.member("other_thread", execution.failure.other_thread);
    const Address pc = execution.failure.pc;
    if (image.contains_code(pc)) json.member("pc", code_offset(pc, image));
    json.member("context_switches", context_switches(execution.schedule));
    json.member("schedule", write_schedule(execution, execution.schedule));
    json.member("outcome", execution.outcome_text());
    Narrator narrator(json, execution, image, symbols);
    narrator.operations();
    narrator.steps();
}

}  // namespace gauntlet
