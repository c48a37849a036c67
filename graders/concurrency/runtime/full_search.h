// Every interleaving and every choice, without any reduction: slow, simple, and what the reduced
// search is tested against.
#pragma once

#include "strategy.h"

namespace gauntlet {

class FullSearch final : public Strategy {
  public:
    // Goes to the next combination of decisions; false after the last one.
    bool advance();

    int next_thread(const Execution& execution) override;
    std::size_t choose(const Execution& execution, const Event& event,
                       std::span<const Option> options) override;
    bool wakes_blocked_threads() const override { return false; }

  private:
    struct Decision {
        std::size_t taken;
        std::size_t count;
    };
    std::size_t decide(std::size_t count);

    std::vector<Decision> decisions_;
    std::size_t depth_ = 0;
};

}  // namespace gauntlet
