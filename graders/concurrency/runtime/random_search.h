// Random executions, in three flavours that find different mistakes.
#pragma once

#include "strategy.h"

namespace gauntlet {

class RandomNumbers {
  public:
    explicit RandomNumbers(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();                    // splitmix64
    std::uint64_t below(std::uint64_t limit) { return next() % limit; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

  private:
    std::uint64_t state_;
};

enum class Flavour : std::uint8_t {
    uniform,  // any thread at every step
    sticky,   // mostly the same thread again: few context switches
    pct,      // the thread of highest priority, with a few random changes of priority
};

class RandomSearch final : public Strategy {
  public:
    RandomSearch(std::uint64_t seed, Flavour flavour, std::uint32_t expected_events);

    int next_thread(const Execution& execution) override;
    std::size_t choose(const Execution& execution, const Event& event,
                       std::span<const Option> options) override;
    bool performed(const Execution& execution, EventId event) override;
    void yielded(const Execution& execution, unsigned thread) override;

  private:
    int pick(std::span<const unsigned> ready, const Execution& execution);

    RandomNumbers random_;
    Flavour flavour_;
    unsigned stale_one_in_;
    std::uint32_t events_ = 0;
    std::array<int, kMaxThreads> priority_{};
    std::array<bool, kMaxThreads> yielded_{};
    std::vector<std::uint32_t> change_points_;
    int lowest_ = 0;
};

}  // namespace gauntlet
