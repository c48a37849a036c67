// PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic
// guarantees of finding bugs", ASPLOS 2010.
#include "random_search.h"

#include "execution.h"

namespace gauntlet {

namespace {

constexpr unsigned kChangePoints = 3;
constexpr unsigned kStickyOneIn = 8;
constexpr std::uint32_t kTiredAfterEvents = 100;  // in one operation: somebody else's turn

}  // namespace

std::uint64_t RandomNumbers::next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

RandomSearch::RandomSearch(std::uint64_t seed, Flavour flavour, std::uint32_t expected_events)
    : random_(seed), flavour_(flavour) {
    stale_one_in_ = static_cast<unsigned>(2 + random_.below(5));
    for (unsigned t = 0; t < kMaxThreads; ++t)
        priority_[t] = static_cast<int>(1 + random_.below(1 << 16));
    for (unsigned i = 0; i < kChangePoints; ++i)
        change_points_.push_back(
            static_cast<std::uint32_t>(random_.below(std::max(expected_events, 4u))));
}

int RandomSearch::next_thread(const Execution& execution) {
    std::array<unsigned, kMaxThreads> ready{};
    std::size_t count = 0;
    const auto collect = [&](bool also_waiting) {
        for (unsigned t = 1; t < execution.thread_count(); ++t) {
            if (!execution.can_run(t)) continue;
            const bool waits =
                yielded_[t] || execution.events_in_operation(t) > kTiredAfterEvents;
            if (also_waiting || !waits) ready[count++] = t;
        }
    };
    collect(false);
    if (count == 0) {
        yielded_ = {};
        collect(true);
    }
    return pick({ready.data(), count}, execution);
}

int RandomSearch::pick(std::span<const unsigned> ready, const Execution& execution) {
    const auto any = [&] { return static_cast<int>(ready[random_.below(ready.size())]); };
    switch (flavour_) {
        case Flavour::sticky:
            for (const unsigned t : ready)
                if (t == execution.current() && !random_.one_in(kStickyOneIn))
                    return static_cast<int>(t);
            return any();
        case Flavour::pct: {
            unsigned best = ready[0];
            for (const unsigned t : ready)
                if (priority_[t] > priority_[best]) best = t;
            // A tired thread is among the ready ones only when all are: then nobody may starve.
            return execution.events_in_operation(best) > kTiredAfterEvents ? any()
                                                                           : static_cast<int>(best);
        }
        default: return any();
    }
}

std::size_t RandomSearch::choose(const Execution&, const Event&, std::span<const Option> options) {
    if (options.size() == 1 || !random_.one_in(stale_one_in_)) return 0;
    return random_.below(options.size());
}

bool RandomSearch::performed(const Execution& execution, EventId) {
    yielded_ = {};
    for (const std::uint32_t point : change_points_)
        if (point == events_) priority_[execution.current()] = --lowest_;
    ++events_;
    return true;
}

void RandomSearch::yielded(const Execution&, unsigned thread) {
    yielded_[thread] = true;
    priority_[thread] = --lowest_;
}

}  // namespace gauntlet
