// Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing sequential consistency in C/C++11", PLDI 2017:
//
//   scb      = sb | sb_other_location; hb; sb_other_location | hb_same_location | mo | fr
//   psc_base = ([E_sc] | [F_sc]; hb?); scb; ([E_sc] | hb?; [F_sc])
//   psc_F    = [F_sc]; (hb | hb; eco; hb); [F_sc]
//
// The search walks these paths piece by piece, so that no relation has to be stored.
#include "seq_cst.h"

namespace gauntlet {

namespace {

enum Phase : unsigned {
    kNode,         // at a seq_cst event, an edge of psc begins or ends here
    kLeft,         // left of scb, came from a seq_cst access
    kLeftOfFence,  // left of scb, came from a fence by hb?
    kRight,        // right of scb
    kRightByRead,  // right of eco that ends in a read: only a fence may follow
    kPhases,
};

class Search {
  public:
    Search(const Graph& graph, const Event& probe, Option option)
        : graph_(graph), probe_(probe), count_(graph.events.size() + 1), seen_(count_ * kPhases) {
        const std::uint32_t position = 2 * graph.messages[option.message].position;
        probe_writes_ = option.role != Role::read && option.role != Role::spurious &&
                        option.role != Role::block;
        probe_write_position_ = position + 1;
        for (std::size_t i = 0; i + 1 < count_; ++i)
            if (is_fence(i) && happens_before(i, count_ - 1)) probe_after_fence_ = true;
    }

    bool finds_cycle() {
        const std::size_t probe = count_ - 1;
        if (probe_.order == Order::seq_cst && reaches(probe, kLeft, false)) return true;
        return probe_after_fence_ && reaches(probe, kLeftOfFence, true);
    }

  private:
    const Event& event(std::size_t i) const {
        return i + 1 == count_ ? probe_ : graph_.events[i];
    }
    bool is_sc(std::size_t i) const { return event(i).order == Order::seq_cst; }
    bool is_fence(std::size_t i) const { return is_sc(i) && event(i).kind == Kind::fence; }
    bool writes(std::size_t i) const { return i + 1 == count_ ? probe_writes_ : event(i).writes(); }
    std::uint32_t write_position(std::size_t i) const {
        return i + 1 == count_ ? probe_write_position_
                               : 2 * graph_.messages[event(i).wrote].position;
    }
    std::uint32_t read_position(std::size_t i) const {
        return 2 * graph_.messages[event(i).read_from].position;
    }
    Time time(std::size_t i) const { return event(i).clock.time[event(i).thread]; }
    bool happens_before(std::size_t a, std::size_t b) const {
        return a != b && event(b).clock.covers(event(a).thread, time(a));
    }
    bool same_location(std::size_t a, std::size_t b) const {
        return event(a).location != kNoLocation && event(a).location == event(b).location;
    }

    bool mo_or_fr(std::size_t a, std::size_t b) const {
        if (a == b || !same_location(a, b) || !writes(b)) return false;
        if (writes(a) && write_position(a) < write_position(b)) return true;
        return event(a).reads() && read_position(a) < write_position(b);
    }

    bool reads_from(std::size_t a, std::size_t b) const {
        return event(a).writes() && event(b).reads() && event(a).wrote == event(b).read_from;
    }

    // sb_other_location; hb; sb_other_location
    bool around(std::size_t a, std::size_t b) const {
        const auto& after = graph_.by_thread[event(a).thread];
        const auto& before = graph_.by_thread[event(b).thread];
        for (std::size_t u = event(a).index + 1; u < after.size(); ++u) {
            if (same_location(after[u], a)) continue;
            for (std::size_t v = event(b).index; v-- > 0;)
                if (!same_location(before[v], b)) return happens_before(after[u], before[v]);
            return false;
        }
        return false;
    }

    bool scb(std::size_t a, std::size_t b) const {
        if (a == b) return false;
        if (event(a).thread == event(b).thread && event(a).index < event(b).index) return true;
        if (same_location(a, b) && happens_before(a, b)) return true;
        return mo_or_fr(a, b) || around(a, b);
    }

    bool reaches(std::size_t from, Phase phase, bool to_fence_before_probe) {
        std::fill(seen_.begin(), seen_.end(), 0);
        stack_.clear();
        visit(from, phase);
        while (!stack_.empty()) {
            const auto [at, in] = stack_.back();
            stack_.pop_back();
            if (in == kNode) {
                const bool goal = to_fence_before_probe
                                      ? is_fence(at) && happens_before(at, count_ - 1)
                                      : at == count_ - 1;
                if (goal) return true;
            }
            expand(at, in);
        }
        return false;
    }

    void expand(std::size_t at, Phase phase) {
        switch (phase) {
            case kNode:
                visit(at, is_fence(at) ? kLeftOfFence : kLeft);
                if (!is_fence(at)) return;
                for (std::size_t i = 0; i < count_; ++i) {
                    if (!happens_before(at, i)) continue;
                    visit(i, kLeftOfFence);
                    if (is_fence(i)) visit(i, kNode);
                }
                return;
            case kLeft:
            case kLeftOfFence:
                for (std::size_t i = 0; i < count_; ++i) {
                    if (scb(at, i)) visit(i, kRight);
                    if (phase == kLeft) continue;
                    if (reads_from(at, i)) visit(i, kRightByRead);
                    if (!mo_or_fr(at, i)) continue;
                    for (std::size_t r = 0; r < count_; ++r)
                        if (reads_from(i, r)) visit(r, kRightByRead);
                }
                return;
            case kRight:
                if (is_sc(at)) visit(at, kNode);
                [[fallthrough]];
            case kRightByRead:
                for (std::size_t i = 0; i < count_; ++i)
                    if (is_fence(i) && happens_before(at, i)) visit(i, kNode);
                return;
            default: return;
        }
    }

    void visit(std::size_t at, Phase phase) {
        auto& seen = seen_[at * kPhases + phase];
        if (seen) return;
        seen = 1;
        stack_.push_back({at, phase});
    }

    const Graph& graph_;
    const Event& probe_;
    const std::size_t count_;
    bool probe_writes_ = false;
    bool probe_after_fence_ = false;
    std::uint32_t probe_write_position_ = 0;
    std::vector<std::uint8_t> seen_;
    std::vector<std::pair<std::size_t, Phase>> stack_;
};

}  // namespace

bool seq_cst_acyclic(const Graph& graph, const Event& probe, Option option) {
    return !Search(graph, probe, option).finds_cycle();
}

}  // namespace gauntlet
