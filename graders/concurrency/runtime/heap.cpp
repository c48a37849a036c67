#include "heap.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

namespace gauntlet {

namespace {

constexpr std::uint8_t kFreed = 0xfd;
constexpr std::size_t kRedzoneBytes = 16;
constexpr int kFill = 0xa5;  // reading memory that was never written gives the same in each run

void* reserve(std::size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        std::perror("the model checker cannot reserve memory");
        std::exit(70);
    }
    return memory;
}

std::size_t round_up(std::size_t n, std::size_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

}  // namespace

Heap::Heap() {
    bytes_ = kMaxThreads * (kStackBytes + kThreadLocalBytes + kHeapBytes);
    base_ = reinterpret_cast<Address>(reserve(bytes_));
    heap_ = base_ + kMaxThreads * (kStackBytes + kThreadLocalBytes);
    granules_ = static_cast<std::uint8_t*>(reserve(kMaxThreads * kHeapBytes / 8));
    for (unsigned t = 0; t < kMaxThreads; ++t)
        mprotect(reinterpret_cast<void*>(base_ + t * kStackBytes), 4096, PROT_NONE);
}

char* Heap::stack_low(unsigned thread) const {
    return reinterpret_cast<char*>(base_ + thread * kStackBytes);
}

char* Heap::thread_local_block(unsigned thread) const {
    return reinterpret_cast<char*>(base_ + kMaxThreads * kStackBytes + thread * kThreadLocalBytes);
}

void Heap::restore() {
    for (unsigned t = 0; t < kMaxThreads; ++t) {
        Part& part = parts_[t];
        if (part.used == 0) continue;
        std::memset(granules(heap_ + t * kHeapBytes), 0, part.used / 8);
        part.used = 0;
        part.blocks.clear();
    }
}

Address Heap::allocate(unsigned thread, std::size_t size, std::size_t alignment,
                       Allocator allocator, Address pc) {
    Part& part = parts_[thread];
    if (size > kHeapBytes || alignment > kHeapBytes / 2) return 0;
    alignment = std::max<std::size_t>(alignment, 16);
    const std::size_t start = round_up(part.used + kRedzoneBytes, alignment);
    const std::size_t end = start + round_up(std::max<std::size_t>(size, 1), 16);
    if (end + kRedzoneBytes > kHeapBytes) return 0;
    part.used = end;
    const Address address = heap_ + thread * kHeapBytes + start;
    std::memset(reinterpret_cast<void*>(address), kFill, size);
    std::memset(granules(address), 8, size / 8);
    if (size % 8) *granules(address + size) = size % 8;
    Block block;
    block.address = address;
    block.size = size;
    block.allocator = allocator;
    block.allocated_by = thread;
    block.allocated_at = pc;
    part.blocks.push_back(block);
    return address;
}

void Heap::mark_freed(Block& block) {
    block.freed = true;
    std::memset(granules(block.address), kFreed, (block.size + 7) / 8);
}

Block* Heap::find(Address address) {
    if (!contains(address)) return nullptr;
    auto& blocks = parts_[(address - heap_) / kHeapBytes].blocks;
    auto after = std::upper_bound(blocks.begin(), blocks.end(), address,
                                  [](Address a, const Block& b) { return a < b.address; });
    return after == blocks.begin() ? nullptr : &*--after;
}

Lifetime Heap::lifetime(Address address, std::size_t size) const {
    if (!contains(address)) return Lifetime::valid;
    for (std::size_t i = 0; i < size;) {
        const std::uint8_t state = *granules(address + i);
        const unsigned first = (address + i) % 8;
        const auto last = static_cast<unsigned>(std::min<std::size_t>(8, first + (size - i)));
        if (state == kFreed) return Lifetime::freed;
        if (last > state) return Lifetime::out_of_bounds;
        i += last - first;
    }
    return Lifetime::valid;
}

std::vector<Block> Heap::unfreed() const {
    std::vector<Block> result;
    for (const Part& part : parts_)
        for (const Block& block : part.blocks)
            if (!block.freed) result.push_back(block);
    return result;
}

}  // namespace gauntlet
