#include "full_search.h"

#include "execution.h"

namespace gauntlet {

bool FullSearch::advance() {
    depth_ = 0;
    while (!decisions_.empty()) {
        if (++decisions_.back().taken < decisions_.back().count) return true;
        decisions_.pop_back();
    }
    return false;
}

std::size_t FullSearch::decide(std::size_t count) {
    if (depth_ == decisions_.size()) decisions_.push_back({0, count});
    return decisions_[depth_++].taken;
}

int FullSearch::next_thread(const Execution& execution) {
    std::array<unsigned, kMaxThreads> ready{};
    std::size_t count = 0;
    for (unsigned t = 1; t < execution.thread_count(); ++t)
        if (execution.can_run(t)) ready[count++] = t;
    return static_cast<int>(ready[decide(count)]);
}

std::size_t FullSearch::choose(const Execution&, const Event&, std::span<const Option> options) {
    return decide(options.size());
}

}  // namespace gauntlet
