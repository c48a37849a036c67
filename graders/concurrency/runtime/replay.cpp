#include "replay.h"

#include <cstdlib>
#include <sstream>

namespace gauntlet {

int Replay::next_thread(const Execution& execution) {
    for (; cursor_ < schedule_.size(); ++cursor_)
        if (execution.can_run(schedule_[cursor_].thread))
            return static_cast<int>(schedule_[cursor_].thread);
    if (execution.current() != 0 && execution.can_run(execution.current()))
        return static_cast<int>(execution.current());
    for (unsigned t = 1; t < execution.thread_count(); ++t)
        if (execution.can_run(t)) return static_cast<int>(t);
    return kStop;
}

std::size_t Replay::choose(const Execution& execution, const Event&,
                           std::span<const Option> options) {
    if (cursor_ == schedule_.size() || schedule_[cursor_].thread != execution.current()) return 0;
    const Step& step = schedule_[cursor_];
    for (std::size_t i = 0; i < options.size(); ++i)
        if (execution.graph.writer_ref(options[i].message) == step.message &&
            (options[i].role == Role::spurious) == (step.role == Role::spurious))
            return i;
    return 0;
}

bool Replay::performed(const Execution& execution, EventId) {
    if (cursor_ < schedule_.size() && schedule_[cursor_].thread == execution.current()) ++cursor_;
    return true;
}

unsigned context_switches(const Schedule& schedule) {
    unsigned switches = 0;
    for (std::size_t i = 1; i < schedule.size(); ++i)
        switches += schedule[i].thread != schedule[i - 1].thread;
    return switches;
}

// "1.0+2.1;1r0.3,2p-" : left out are operation 0 of thread 1 and operation 1 of thread 2; then
// thread 1 reads what event 3 of thread 0 stored, then thread 2 stores after the initial value.
std::string write_schedule(const Execution& execution, const Schedule& schedule) {
    std::ostringstream text;
    const char* separator = "";
    for (const auto& [thread, index] : execution.skipped_operations) {
        text << separator << thread << '.' << index;
        separator = "+";
    }
    text << ';';
    separator = "";
    for (const Step& step : schedule) {
        text << separator << step.thread << "rudsbp"[static_cast<int>(step.role)];
        if (step.message == kInitial) text << '-';
        else text << step.message.thread << '.' << step.message.index;
        separator = ",";
    }
    return text.str();
}

Schedule read_schedule(const std::string& text, Execution& execution) {
    constexpr std::string_view roles = "rudsbp";
    std::istringstream input(text);
    unsigned thread = 0;
    unsigned index = 0;
    char mark = 0;
    execution.skipped_operations.clear();
    while (input.peek() != ';' && input >> thread >> mark >> index) {
        execution.skipped_operations.emplace(thread, index);
        if (input.peek() == '+') input.get();
    }
    input.get();
    Schedule schedule;
    while (input >> thread >> mark) {
        Step step{thread, static_cast<Role>(std::max<int>(0, static_cast<int>(roles.find(mark)))),
                  kInitial};
        if (input.peek() == '-') input.get();
        else input >> step.message.thread >> mark >> step.message.index;
        schedule.push_back(step);
        if (input.peek() == ',') input.get();
    }
    return schedule;
}

}  // namespace gauntlet
