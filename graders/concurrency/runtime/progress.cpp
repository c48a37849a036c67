#include "progress.h"

#include "history.h"
#include "json.h"
#include "random_search.h"
#include "replay.h"

namespace gauntlet {

namespace {

constexpr unsigned kSchedules = 24;  // random ones for each step at which a thread is suspended
constexpr std::uint32_t kSlackEvents = 4;

// One thread does a single event, then all others a whole operation each, and so on: the worst that
// can happen to somebody who must try again whenever something changed.
class Disturbed final : public Strategy {
  public:
    explicit Disturbed(unsigned victim) : victim_(victim) {}

    int next_thread(const Execution& execution) override {
        // At its next operation's first step the thread has done the one that it was let do.
        if (served_ && execution.can_run(served_)) {
            const int operation = execution.operation_of(served_);
            if (operation_ < 0) operation_ = operation;
            if (operation == operation_) return static_cast<int>(served_);
        }
        for (; turn_ < execution.thread_count(); ++turn_) {
            if (turn_ == victim_ || !execution.can_run(turn_)) continue;
            served_ = turn_++;
            operation_ = execution.operation_of(served_);
            return static_cast<int>(served_);
        }
        served_ = 0;
        turn_ = 1;
        if (execution.can_run(victim_)) return static_cast<int>(victim_);
        for (unsigned t = 1; t < execution.thread_count(); ++t)
            if (execution.can_run(t)) return static_cast<int>(t);
        return kStop;
    }

    std::size_t choose(const Execution&, const Event&, std::span<const Option>) override {
        return 0;
    }

  private:
    const unsigned victim_;
    unsigned turn_ = 1;
    unsigned served_ = 0;  // the thread that is let do an operation, and which one
    int operation_ = -1;
};

class Classification {
  public:
    Classification(Execution& execution, const check::Scenario& scenario, std::uint64_t seed)
        : execution_(execution), scenario_(scenario), random_(seed) {}

    Json run() {
        const Schedule none;
        Replay alone(none);
        execution_.run(scenario_, alone);
        const unsigned threads = execution_.thread_count();
        std::vector<std::uint32_t> events(threads);
        for (unsigned t = 1; t < threads; ++t)
            events[t] = static_cast<std::uint32_t>(execution_.graph.by_thread[t].size());
        std::string worst;
        std::uint32_t alone_steps = longest_operation(0);
        for (unsigned t = 1; t < threads && worst != "blocking"; ++t)
            for (std::uint32_t k = 0; k < events[t] && worst != "blocking"; ++k)
                suspend(t, k, worst);
        if (!worst.empty()) return result(worst);
        for (unsigned t = 1; t < threads; ++t) {
            Disturbed disturbed(t);
            execution_.run(scenario_, disturbed);
            const std::uint32_t steps = longest_operation(t);
            if (steps <= 2 * alone_steps + kSlackEvents) continue;
            thread_ = t;
            message_ = "Disturbed at every step, an operation of thread " + std::to_string(t) +
                       " takes " + std::to_string(steps) + " steps instead of at most " +
                       std::to_string(alone_steps) + ".";
            return result("lock_free");
        }
        message_ = "No operation took more than " + std::to_string(2 * alone_steps + kSlackEvents) +
                   " steps, however often it was disturbed.";
        return result("wait_free");
    }

  private:
    void suspend(unsigned thread, std::uint32_t after, std::string& worst) {
        execution_.suspended_thread = static_cast<int>(thread);
        execution_.suspended_after = after;
        for (unsigned i = 0; i < kSchedules; ++i) {
            RandomSearch random(random_.next(), static_cast<Flavour>(i % 3), 24);
            const Outcome outcome = execution_.run(scenario_, random);
            const bool stuck = outcome == Outcome::failed && execution_.failure.kind == "stuck";
            if (outcome != Outcome::blocked && !stuck) continue;
            std::string waiting;
            for (unsigned t = 1; t < execution_.thread_count(); ++t)
                if (t != thread && !execution_.has_finished(t)) waiting = std::to_string(t);
            if (!waiting.empty()) {
                note(thread, after, worst, "blocking",
                     "thread " + waiting + " waits for ever inside an operation.");
                break;
            }
            if (worst.empty() && !history_holds(execution_))
                note(thread, after, worst, "stalls",
                     "the others return, but answer wrongly. " + execution_.failure.message);
        }
        execution_.suspended_thread = -1;
    }

    void note(unsigned thread, std::uint32_t after, std::string& worst, const char* found,
              const std::string& what) {
        worst = found;
        thread_ = thread;
        after_ = after;
        message_ = "With thread " + std::to_string(thread) + " suspended after its step " +
                   std::to_string(after) + ", " + what;
        schedule_ = write_schedule(execution_, execution_.schedule);
        const auto& events = execution_.graph.by_thread[thread];
        pc_ = events.empty() ? 0 : execution_.graph.events[events.back()].pc;
    }

    // Events of the longest operation, of one thread or (0) of all.
    std::uint32_t longest_operation(unsigned thread) const {
        std::vector<std::uint32_t> steps(execution_.operations.size());
        for (const Event& event : execution_.graph.events)
            if (event.operation >= 0 && event.thread != 0 &&
                (thread == 0 || event.thread == thread))
                ++steps[static_cast<std::size_t>(event.operation)];
        return steps.empty() ? 0 : *std::max_element(steps.begin(), steps.end());
    }

    Json result(const std::string& name) const {
        Json json;
        json.object().member("type", "progress").member("scenario", scenario_.name);
        json.member("class", name).member("message", message_).member("thread", thread_);
        json.member("after_steps", after_).member("schedule", schedule_);
        json.end_object();
        return json;
    }

    Execution& execution_;
    const check::Scenario& scenario_;
    RandomNumbers random_;
    unsigned thread_ = 0;
    std::uint32_t after_ = 0;
    std::string message_;
    std::string schedule_;
    Address pc_ = 0;
};

}  // namespace

void classify_progress(const Options& options, Execution& execution,
                       const check::Scenario& scenario) {
    send_message(options.descriptor,
                 Classification(execution, scenario, options.seed).run());
}

}  // namespace gauntlet
