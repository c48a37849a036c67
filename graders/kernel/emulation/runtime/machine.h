// One block of threads at a time on one processor: every thread is a fiber that runs until it
// meets a barrier. What the kernel reads and writes goes past watch.h.
#pragma once

#include <cstdint>

namespace gauntlet {

struct Extent {
    unsigned x, y, z;
};

constexpr unsigned kWarp = 32;

// Of the thread that runs now.
struct Position {
    Extent thread, block, block_size, grid;
    unsigned flat_thread;          // x fastest
    std::uint32_t block_epoch;     // barriers of the block that it has passed
    std::uint32_t warp_epoch;      // and of its warp
    std::uint64_t flat_block;
};
extern Position here;

// Runs `kernel` for each thread of each block. Shared memory is made anew for each block.
void launch(Extent grid, Extent block, std::uint64_t dynamic_shared_bytes, void (*kernel)(void*),
            void* argument);

// The running thread waits for all threads of its block that have not returned.
void block_barrier();
// The same, and tells how many of them came with `predicate`.
unsigned block_count(bool predicate);
// It waits for the threads of its warp in `mask`.
void warp_barrier(unsigned mask);
// Each thread of `mask` leaves 16 bytes and then sees what the others left. `slot` counts lanes.
void warp_exchange(unsigned mask, const void* given, unsigned bytes);
const void* warp_slot(unsigned lane);
bool warp_has(unsigned mask, unsigned lane);

// The running thread's stack, for watch.cpp.
bool on_own_stack(std::uintptr_t address);

}  // namespace gauntlet
