// Search for a linearization: Wing, Gong, "Testing and verifying concurrent objects", JPDC 1993,
// with the states seen remembered (Lowe, 2017). Real time does not count: two operations are
// ordered only if the end of one happens before the beginning of the other, since an unordered
// "empty" or "full" is what the C++ memory model lets a correct structure answer.
#include "history.h"

#include <deque>
#include <set>

namespace gauntlet {

namespace {

using check::Action;
using check::Spec;

constexpr std::int64_t kTorn = -1;  // what a scenario says of a read whose words do not agree

bool adds(Action action) { return action == Action::push || action == Action::allocate; }
bool takes(Action action) { return action == Action::pop || action == Action::release; }

// A sequential object. Its content is a list of numbers: items, or blocks given out.
class Object {
  public:
    Object(Spec spec, std::int64_t capacity, bool may_hold_more)
        : spec_(spec), capacity_(capacity), may_hold_more_(may_hold_more) {
        if (spec == Spec::reg) content_.push_back(capacity);
    }

    // Whether the object may answer so; if it may, it changes accordingly.
    bool answers(const Operation& operation) {
        const bool full = static_cast<std::int64_t>(content_.size()) >= capacity_;
        const bool overfull = full && !may_hold_more_;
        switch (operation.action) {
            case Action::push:
                if (!operation.succeeded) return full;
                if (overfull) return false;
                content_.push_back(operation.argument);
                return true;
            case Action::pop: return pops(operation);
            case Action::write: content_.assign(1, operation.argument); return true;
            case Action::read: return operation.succeeded && content_.front() == operation.result;
            case Action::allocate:
                if (!operation.succeeded) return full;
                if (overfull || holds(operation.result)) return false;
                content_.push_back(operation.result);
                return true;
            case Action::release: return take(operation.argument);
        }
        return false;
    }

    // An operation that never returned took effect at some time, or not at all.
    void take_effect(const Operation& operation) {
        const bool full =
            static_cast<std::int64_t>(content_.size()) >= capacity_ && !may_hold_more_;
        // Nobody else can be given the block that it would have returned.
        if (operation.action == Action::allocate && !full) content_.push_back(-1);
        if (operation.action == Action::push && !full) content_.push_back(operation.argument);
        if (operation.action == Action::write) content_.assign(1, operation.argument);
        if (operation.action == Action::release) take(operation.argument);
        if (operation.action != Action::pop || content_.empty()) return;
        spec_ == Spec::queue ? content_.pop_front() : content_.pop_back();
    }

    std::deque<std::int64_t> content() const {
        auto content = content_;
        // The order of blocks given out means nothing.
        if (spec_ == Spec::pool) std::sort(content.begin(), content.end());
        return content;
    }

  private:
    bool pops(const Operation& operation) {
        if (!operation.succeeded) return content_.empty();
        if (content_.empty()) return false;
        if (spec_ == Spec::pool) return take(operation.result);
        const bool queue = spec_ == Spec::queue;
        if ((queue ? content_.front() : content_.back()) != operation.result) return false;
        queue ? content_.pop_front() : content_.pop_back();
        return true;
    }

    bool holds(std::int64_t item) const {
        return std::find(content_.begin(), content_.end(), item) != content_.end();
    }

    bool take(std::int64_t item) {
        const auto found = std::find(content_.begin(), content_.end(), item);
        if (found == content_.end()) return false;
        content_.erase(found);
        return true;
    }

    Spec spec_;
    std::int64_t capacity_;
    bool may_hold_more_;
    std::deque<std::int64_t> content_;
};

bool precedes(const Operation& a, const Operation& b) {
    if (a.thread == b.thread) return a.index < b.index;
    return a.finished && b.begin.covers(a.thread, a.end);
}

// What the search for a linearization leaves aside, to find out which rule was broken.
struct Leniency {
    bool failed_pushes = false;  // and allocations
    bool failed_pops = false;    // and reads
    bool order = false;
};

class Linearization {
  public:
    Linearization(const std::vector<Operation>& operations, const check::Scenario& scenario,
                  Leniency leniency)
        : operations_(operations), scenario_(scenario), leniency_(leniency) {
        const std::size_t n = operations.size();
        before_.resize(n);
        excused_.resize(n);
        for (std::size_t b = 0; b < n; ++b) {
            if (operations[b].finished) finished_ |= std::uint64_t{1} << b;
            for (std::size_t a = 0; a < n; ++a) {
                if (a == b) continue;
                if (precedes(operations[a], operations[b])) before_[b] |= std::uint64_t{1} << a;
                else if (operations[a].finished && !precedes(operations[b], operations[a]) &&
                         excuses(operations[a].action, operations[b].action))
                    excused_[b] = true;
            }
        }
    }

    bool exists() {
        const Spec spec = leniency_.order ? Spec::pool : scenario_.spec;
        return extend(0, Object(spec, scenario_.capacity, scenario_.may_hold_more));
    }

  private:
    // Whether a finished operation of kind `other` excuses a failed one that it overlaps. A
    // suspended one never does: whoever fails because of it is held up by it.
    bool excuses(Action other, Action failed) const {
        const check::Excuse excuse =
            adds(failed) ? scenario_.of_failed_push : scenario_.of_failed_pop;
        if (excuse != check::Excuse::opposite) return excuse == check::Excuse::any;
        if (failed == Action::read) return other == Action::write;
        return adds(failed) ? takes(other) : adds(other);
    }

    bool excused(std::size_t i) const {
        const Operation& operation = operations_[i];
        if (operation.succeeded) return false;
        return excused_[i] || (adds(operation.action) ? leniency_.failed_pushes : leniency_.failed_pops);
    }

    bool extend(std::uint64_t done, const Object& object) {
        if ((finished_ & ~done) == 0) return true;
        if (!seen_.insert({done, object.content()}).second) return false;
        for (std::size_t i = 0; i < operations_.size(); ++i) {
            const std::uint64_t bit = std::uint64_t{1} << i;
            if (done & bit || (before_[i] & ~done)) continue;
            Object next = object;
            if (!operations_[i].finished) next.take_effect(operations_[i]);
            else if (!excused(i) && !next.answers(operations_[i])) continue;
            if (extend(done | bit, next)) return true;
        }
        return false;
    }

    const std::vector<Operation>& operations_;
    const check::Scenario& scenario_;
    const Leniency leniency_;
    std::uint64_t finished_ = 0;
    std::vector<std::uint64_t> before_;
    std::vector<bool> excused_;
    std::set<std::pair<std::uint64_t, std::deque<std::int64_t>>> seen_;
};

std::string item_text(std::int64_t item) { return std::to_string(item); }

// Mistakes that need no search: items from nowhere and items that came out twice.
std::string obvious_mistake(const Execution& execution, std::string& kind) {
    std::multiset<std::int64_t> pushed;
    std::set<std::int64_t> popped;
    for (const Operation& o : execution.operations)
        if (o.action == Action::push && o.succeeded) pushed.insert(o.argument);
    for (const Operation& o : execution.operations) {
        if (o.action != Action::pop || !o.succeeded) continue;
        if (!pushed.contains(o.result)) {
            kind = "invented";
            return "Only what was pushed may be popped: " + item_text(o.result) + " never was.";
        }
        if (!popped.insert(o.result).second && pushed.count(o.result) < 2) {
            kind = "duplicate";
            return "An item must be popped once: " + item_text(o.result) + " was popped twice.";
        }
    }
    return "";
}

std::string explain(const Execution& execution, std::string& kind) {
    const check::Scenario& scenario = execution.scenario();
    std::string mistake = obvious_mistake(execution, kind);
    if (!mistake.empty()) return mistake;
    const auto fits = [&](Leniency leniency) {
        return Linearization(execution.operations, scenario, leniency).exists();
    };
    if (scenario.spec == Spec::reg) {
        for (const Operation& o : execution.operations)
            if (o.action == Action::read && o.succeeded && o.result == kTorn) {
                kind = "torn";
                return "A read must give all words of one write: this one gave words of two.";
            }
        kind = fits({.failed_pops = true}) ? "false_failure" : "wrong_value";
        return kind == "false_failure"
                   ? "A read must succeed when no write overlaps it."
                   : "A read must give the last value written before it, or one that a concurrent "
                     "write stores.";
    }
    if (fits({.failed_pushes = true})) {
        kind = "false_full";
        if (scenario.spec == Spec::pool)
            return "An allocation may fail only when all blocks are out: no order of these "
                   "operations makes it so.";
        return "A push may fail only when the structure is full: no order of these operations "
               "makes it so.";
    }
    if (fits({.failed_pops = true})) {
        kind = "false_empty";
        return "A pop may fail only when the structure is empty: no order of these operations "
               "makes it so.";
    }
    if (scenario.spec != Spec::pool && fits({.order = true})) {
        kind = "order";
        return scenario.spec == Spec::queue ? "Items must come out in the order in which they went "
                                              "in: no order of these operations gives that."
                                            : "The last item in must come out first: no order of "
                                              "these operations gives that.";
    }
    if (fits({.failed_pushes = true, .failed_pops = true, .order = true})) {
        kind = "loss";
        return "An item that was pushed must be there until it is popped: no order of these "
               "operations accounts for all items.";
    }
    kind = "capacity";
    if (scenario.spec == Spec::pool)
        return "A block must not be given out twice, nor more than " +
               std::to_string(scenario.capacity) +
               " blocks at a time: no order of these operations avoids it.";
    return "The structure must not hold more than its capacity of " +
           std::to_string(scenario.capacity) + ": no order of these operations avoids it.";
}

}  // namespace

bool history_holds(Execution& execution) {
    const check::Scenario& scenario = execution.scenario();
    if (scenario.spec == Spec::none) return true;
    if (execution.operations.size() > 60) {
        execution.failure = {"unsupported", "A scenario must have at most 60 operations."};
        return false;
    }
    if (Linearization(execution.operations, scenario, {}).exists()) return true;
    execution.failure = {};
    execution.failure.message = explain(execution, execution.failure.kind);
    return false;
}

}  // namespace gauntlet
