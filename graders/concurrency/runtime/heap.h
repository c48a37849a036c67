// The program's heap and stacks: one arena, a part of it for each thread.
//
// Addresses depend only on what the thread itself did before, so an execution can be repeated with
// its threads interleaved otherwise. Freed memory is not given out again in the same execution:
// whoever still holds it is caught by its first use.
#pragma once

#include <vector>

#include "base.h"

namespace gauntlet {

enum class Allocator : std::uint8_t { malloc, scalar_new, array_new };

struct Block {
    Address address = 0;
    std::size_t size = 0;  // bytes
    Allocator allocator = Allocator::malloc;
    bool freed = false;
    unsigned allocated_by = 0;
    unsigned freed_by = 0;
    Address allocated_at = 0;  // program counters
    Address freed_at = 0;
    Time freed_when = 0;
};

enum class Lifetime : std::uint8_t { valid, freed, out_of_bounds };

class Heap {
  public:
    static constexpr std::size_t kStackBytes = 256 << 10;
    static constexpr std::size_t kThreadLocalBytes = 64 << 10;
    static constexpr std::size_t kHeapBytes = 4 << 20;

    Heap();
    // Every execution begins with an empty heap.
    void restore();

    // 0 when the thread's part is used up.
    Address allocate(unsigned thread, std::size_t size, std::size_t alignment, Allocator allocator,
                     Address pc);
    void mark_freed(Block& block);
    Block* find(Address address);
    Lifetime lifetime(Address address, std::size_t size) const;
    // Blocks of this execution that nobody freed.
    std::vector<Block> unfreed() const;

    char* stack_low(unsigned thread) const;
    char* thread_local_block(unsigned thread) const;
    bool contains(Address address) const { return address - heap_ < kMaxThreads * kHeapBytes; }
    Address base() const { return base_; }
    std::size_t bytes() const { return bytes_; }

  private:
    struct Part {
        std::size_t used = 0;
        std::vector<Block> blocks;  // by address
    };

    std::uint8_t* granules(Address address) const { return granules_ + (address - heap_) / 8; }

    Address base_ = 0;
    std::size_t bytes_ = 0;
    Address heap_ = 0;
    std::uint8_t* granules_ = nullptr;  // for each 8 bytes: how many are addressable, or kFreed
    std::array<Part, kMaxThreads> parts_;
};

}  // namespace gauntlet
