// One writer, two words, readers that try again later if a write was going on.
#include <atomic>

#include "check.h"

namespace {

std::atomic<unsigned> sequence;
std::atomic<long> words[2];

constexpr auto relaxed = std::memory_order_relaxed;

void store(long value) {
    check::write(value, [&] {
        const unsigned s = sequence.load(relaxed);
        sequence.store(s + 1, relaxed);
#ifndef NO_RELEASE_FENCE
        std::atomic_thread_fence(std::memory_order_release);
#endif
        words[0].store(value, relaxed);
        words[1].store(value, relaxed);
#ifndef RELAXED_END
        sequence.store(s + 2, std::memory_order_release);
#else
        sequence.store(s + 2, relaxed);
#endif
    });
}

void try_load() {
    check::read([](std::int64_t& value) {
        const unsigned before = sequence.load(std::memory_order_acquire);
        if (before % 2) return false;
        const long a = words[0].load(relaxed);
        const long b = words[1].load(relaxed);
#ifndef NO_ACQUIRE_FENCE
        std::atomic_thread_fence(std::memory_order_acquire);
#endif
        if (sequence.load(relaxed) != before) return false;
        value = a == b ? a : -1;  // torn
        return true;
    });
}

}  // namespace

SCENARIOS({.name = "one-reader",
           .threads = {[] { store(1); store(2); }, [] { try_load(); try_load(); }},
           .spec = check::Spec::reg,
           .capacity = 0,
           .of_failed_pop = check::Excuse::opposite})
