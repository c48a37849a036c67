#include "progress.h"

#include "history.h"
#include "json.h"
#include "random_search.h"
#include "replay.h"
#include "report.h"

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

// One thread goes on until it is suspended, then the others one after the other: the execution that
// is easiest to follow.
class OneAfterTheOther final : public Strategy {
  public:
    explicit OneAfterTheOther(unsigned first) : first_(first) {}

    int next_thread(const Execution& execution) override {
        if (execution.can_run(first_)) return static_cast<int>(first_);
        if (execution.current() && execution.can_run(execution.current()))
            return static_cast<int>(execution.current());
        for (unsigned t = 1; t < execution.thread_count(); ++t)
            if (execution.can_run(t)) return static_cast<int>(t);
        return kStop;
    }

    std::size_t choose(const Execution&, const Event&, std::span<const Option>) override {
        return 0;
    }

  private:
    const unsigned first_;
};

class Classification {
  public:
    Classification(Execution& execution, const check::Scenario& scenario, const Image& image,
                   const Options& options)
        : execution_(execution),
          scenario_(scenario),
          image_(image),
          program_(options.program),
          random_(options.seed) {}

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
            worst_schedule_ = execution_.schedule;
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
            OneAfterTheOther simple(thread);
            RandomSearch random(random_.next(), static_cast<Flavour>(i % 3), 24);
            Strategy& strategy = i ? static_cast<Strategy&>(random) : simple;
            const Outcome outcome = execution_.run(scenario_, strategy);
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
        worst_schedule_ = execution_.schedule;
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

    Json result(const std::string& name) {
        Json json;
        json.object().member("type", "progress").member("class", name);
        json.member("after_steps", after_);
        if (name == "blocking" || name == "stalls") {
            execution_.suspended_thread = static_cast<int>(thread_);
            execution_.suspended_after = after_;
        }
        execution_.recording = true;
        Replay replay(worst_schedule_);
        execution_.run(scenario_, replay);
        execution_.recording = false;
        execution_.suspended_thread = -1;
        const auto& events = execution_.graph.by_thread[thread_];
        const Address pc = events.empty() ? 0 : execution_.graph.events[events.back()].pc;
        execution_.failure = {name, message_, thread_, pc};
        describe_execution(json, execution_, scenario_, image_, Symbols(program_));
        json.end_object();
        return json;
    }

    Execution& execution_;
    const check::Scenario& scenario_;
    const Image& image_;
    const std::string program_;
    RandomNumbers random_;
    unsigned thread_ = 0;
    std::uint32_t after_ = 0;
    std::string message_;
    Schedule worst_schedule_;
};

}  // namespace

void classify_progress(const Options& options, Execution& execution, const Image& image,
                       const check::Scenario& scenario) {
    send_message(options.descriptor, Classification(execution, scenario, image, options).run());
}

}  // namespace gauntlet
