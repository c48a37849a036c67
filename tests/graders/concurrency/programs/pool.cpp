// Fixed-size blocks, given out by a bitmap or (wrongly) by a counter that goes back.
#include <atomic>

#include "check.h"

namespace {

constexpr unsigned kBlocks = 2;
alignas(16) char memory[kBlocks][16];
std::atomic<unsigned> used;

void* take() {
#ifdef OVERLAPS
    const unsigned at = used.load(std::memory_order_acquire);
    if (at == kBlocks) return nullptr;
    used.store(at + 1, std::memory_order_release);
    return memory[at];
#else
    unsigned old = used.load(std::memory_order_relaxed);
    for (;;) {
        unsigned at = 0;
        while (at < kBlocks && old >> at & 1) ++at;
        if (at == kBlocks) return nullptr;
        if (used.compare_exchange_weak(old, old | 1u << at, std::memory_order_acquire,
                                       std::memory_order_relaxed))
            return memory[at];
    }
#endif
}

void give_back(void* block) {
#ifdef OVERLAPS
    used.fetch_sub(1, std::memory_order_release);
    (void)block;
#else
    used.fetch_and(block == memory[0] ? ~1u : ~2u, std::memory_order_release);
#endif
}

void use() {
    void* block = check::allocate(take);
    if (!block) return;
    *static_cast<char*>(block) = 1;
    check::release(block, [&] { give_back(block); });
}

}  // namespace

SCENARIOS({.name = "three-users",
           .threads = {use, use, use},
           .spec = check::Spec::pool,
           .capacity = kBlocks,
           .of_failed_push = check::Excuse::opposite})
