#include "machine.h"

#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <ucontext.h>

#include "watch.h"

namespace gauntlet {

Position here;

namespace {

constexpr std::size_t kStackBytes = 64 << 10;
constexpr unsigned kMostThreads = 1024;

enum class State { kReady, kAtBlockBarrier, kAtWarpBarrier, kDone };

// makecontext gives a fiber its stack, once; _setjmp and _longjmp change between fibers without a
// system call.
struct Thread {
    ucontext_t first;
    jmp_buf where;
    bool begun;
    Position at;
    State state;
    unsigned mask;  // whom it waits for, of its warp
    bool predicate;
    unsigned char slot[16];
};

Thread threads[kMostThreads];
unsigned n_threads;
unsigned counted;  // threads that came to the last barrier of the block with a true predicate
jmp_buf scheduler;
Thread* current;
char* stacks;
void (*body)(void*);
void* body_argument;

void back_to_scheduler() {
    if (_setjmp(current->where) == 0) _longjmp(scheduler, 1);
}

// A fiber serves one thread of each block after the other.
void enter() {
    for (;;) {
        body(body_argument);
        current->state = State::kDone;
        back_to_scheduler();
    }
}

void wait(State state) {
    current->state = state;
    current->at = here;
    back_to_scheduler();
}

void run(Thread& thread) {
    current = &thread;
    here = thread.at;
    if (_setjmp(scheduler) != 0) return;
    if (thread.begun) _longjmp(thread.where, 1);
    thread.begun = true;
    setcontext(&thread.first);
}

// All living threads wait for the block: let them go on.
bool release_block() {
    unsigned living = 0, waiting = 0;
    counted = 0;
    for (unsigned i = 0; i < n_threads; ++i) {
        living += threads[i].state != State::kDone;
        waiting += threads[i].state == State::kAtBlockBarrier;
        counted += threads[i].state == State::kAtBlockBarrier && threads[i].predicate;
    }
    if (living == 0 || waiting != living) return false;
    for (unsigned i = 0; i < n_threads; ++i) {
        if (threads[i].state == State::kDone) continue;
        threads[i].state = State::kReady;
        ++threads[i].at.block_epoch;
    }
    return true;
}

// The lanes of one warp that all wait for each other go on.
bool release_warp(unsigned first) {
    bool released = false;
    for (unsigned lane = 0; lane < kWarp && first + lane < n_threads; ++lane) {
        Thread& one = threads[first + lane];
        if (one.state != State::kAtWarpBarrier) continue;
        bool all = true;
        for (unsigned other = 0; other < kWarp && first + other < n_threads; ++other) {
            if (!(one.mask >> other & 1)) continue;
            const Thread& that = threads[first + other];
            all &= that.state == State::kDone ||
                   (that.state == State::kAtWarpBarrier && that.mask == one.mask);
        }
        if (!all) continue;
        const unsigned mask = one.mask;
        for (unsigned other = 0; other < kWarp && first + other < n_threads; ++other) {
            Thread& that = threads[first + other];
            if (!(mask >> other & 1) || that.state == State::kDone) continue;
            that.state = State::kReady;
            ++that.at.warp_epoch;
        }
        released = true;
    }
    return released;
}

void run_block() {
    for (;;) {
        bool any_ready = false, all_done = true;
        for (unsigned i = 0; i < n_threads; ++i) {
            if (threads[i].state == State::kReady) {
                any_ready = true;
                run(threads[i]);
            }
            all_done &= threads[i].state == State::kDone;
        }
        if (all_done) return;
        if (any_ready || release_block()) continue;
        bool released = false;
        for (unsigned first = 0; first < n_threads; first += kWarp) released |= release_warp(first);
        if (released) continue;
        for (unsigned i = 0; i < n_threads; ++i) {
            if (threads[i].state != State::kAtWarpBarrier) continue;
            here = threads[i].at;
            never_meet();
        }
    }
}

void prepare(Thread& thread, unsigned number) {
    getcontext(&thread.first);
    thread.first.uc_stack.ss_sp = stacks + number * kStackBytes;
    thread.first.uc_stack.ss_size = kStackBytes;
    thread.first.uc_link = nullptr;
    makecontext(&thread.first, enter, 0);
}

unsigned lane() { return here.flat_thread % kWarp; }

}  // namespace

void launch(Extent grid, Extent block, std::uint64_t dynamic_shared_bytes, void (*kernel)(void*),
            void* argument) {
    if (stacks == nullptr) {
        void* got = mmap(nullptr, kMostThreads * kStackBytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (got == MAP_FAILED) std::abort();
        stacks = static_cast<char*>(got);
    }
    body = kernel;
    body_argument = argument;
    n_threads = block.x * block.y * block.z;
    std::uint64_t number = 0;
    for (unsigned z = 0; z < grid.z; ++z)
        for (unsigned y = 0; y < grid.y; ++y)
            for (unsigned x = 0; x < grid.x; ++x, ++number) {
                begin_block(dynamic_shared_bytes);
                for (unsigned i = 0; i < n_threads; ++i) {
                    Thread& thread = threads[i];
                    if (!thread.begun) prepare(thread, i);
                    const Extent at{i % block.x, i / block.x % block.y, i / block.x / block.y};
                    thread.at = Position{at, {x, y, z}, block, grid, i, 0, 0, number};
                    thread.state = State::kReady;
                }
                run_block();
            }
}

void block_barrier() { block_count(false); }

unsigned block_count(bool predicate) {
    current->predicate = predicate;
    wait(State::kAtBlockBarrier);
    return counted;
}

void warp_barrier(unsigned mask) {
    current->mask = mask | 1u << lane();
    wait(State::kAtWarpBarrier);
}

void warp_exchange(unsigned mask, const void* given, unsigned bytes) {
    std::memcpy(current->slot, given, bytes);
    warp_barrier(mask);
}

const void* warp_slot(unsigned lane) {
    const unsigned first = here.flat_thread / kWarp * kWarp;
    return threads[first + lane].slot;
}

bool warp_has(unsigned mask, unsigned lane) {
    const unsigned index = here.flat_thread / kWarp * kWarp + lane;
    return mask >> lane & 1 && index < n_threads && threads[index].state != State::kDone;
}

bool on_own_stack(std::uintptr_t address) {
    if (current == nullptr) return false;
    const auto low = reinterpret_cast<std::uintptr_t>(current->first.uc_stack.ss_sp);
    return address >= low && address < low + kStackBytes;
}

}  // namespace gauntlet
