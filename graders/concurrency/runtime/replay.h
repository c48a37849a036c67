// Repeats an execution from its schedule, as closely as the program lets it.
#pragma once

#include <string>

#include "execution.h"

namespace gauntlet {

// Follows the steps; a step that cannot happen (any more) is left out, and after the last one each
// thread runs to its end. So a schedule that was cut or changed still means something.
class Replay final : public Strategy {
  public:
    explicit Replay(const Schedule& schedule) : schedule_(schedule) {}

    int next_thread(const Execution& execution) override;
    std::size_t choose(const Execution& execution, const Event& event,
                       std::span<const Option> options) override;
    bool performed(const Execution& execution, EventId event) override;

  private:
    const Schedule& schedule_;
    std::size_t cursor_ = 0;
};

// A schedule and the operations left out, as text: what `--schedule` takes.
std::string write_schedule(const Execution& execution, const Schedule& schedule);
Schedule read_schedule(const std::string& text, Execution& execution);

unsigned context_switches(const Schedule& schedule);

}  // namespace gauntlet
