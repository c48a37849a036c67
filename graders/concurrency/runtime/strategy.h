// Who decides, at each step of an execution, which thread goes on and how its event happens.
#pragma once

#include <span>
#include <vector>

#include "memory_model.h"

namespace gauntlet {

class Execution;

// One step of a schedule: the thread that goes on, and the message its event reads or follows.
struct Step {
    std::uint32_t thread;
    Role role;
    EventRef message;  // its writer
    std::uint32_t stamp = 0;  // used by ReducedSearch
};

using Schedule = std::vector<Step>;

constexpr int kStop = -1;

class Strategy {
  public:
    virtual ~Strategy() = default;
    // A thread that can go on, or kStop to give this execution up.
    virtual int next_thread(const Execution& execution) = 0;
    // Which of the options happens; the first one is always the newest message.
    virtual std::size_t choose(const Execution& execution, const Event& event,
                               std::span<const Option> options) = 0;
    // After each event; false gives the execution up.
    virtual bool performed(const Execution&, EventId) { return true; }
    virtual void yielded(const Execution&, unsigned /*thread*/) {}
    // Blocked threads of explored executions stay blocked: the wake-up is another execution.
    virtual bool wakes_blocked_threads() const { return true; }
    virtual bool wants_doomed_updates() const { return false; }
};

}  // namespace gauntlet
