#include "watch.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "machine.h"

extern "C" char __executable_start, _end;  // of this program's image, from the linker

namespace gauntlet {

namespace {

using Address = std::uintptr_t;

constexpr std::uint64_t kGapBytes = 4096;
constexpr std::uint64_t kDynamicBytes = 256 << 10;
constexpr unsigned char kPoison = 0xff;  // NaN in every floating-point type

struct Access {
    std::uint64_t block_plus_1;  // 0: none
    std::uint64_t time;
    std::uint32_t block_epoch, warp_epoch;
    std::uint16_t thread;
    bool atomic;
};

// Who last wrote a byte, and two that read it since: a writer races with one of these two if it
// races with any reader.
struct Cell {
    Access write, reads[2];
};

struct Region {
    unsigned char* data = nullptr;
    std::uint64_t n_bytes = 0;
    Cell* cells = nullptr;
    int buffer = -1;  // -1: static shared memory, -2: dynamic
    bool contains(Address at) const {
        return at >= reinterpret_cast<Address>(data) && at < reinterpret_cast<Address>(data) + n_bytes;
    }
};

std::vector<Region> regions;  // buffers by address, then the two of shared memory
std::vector<bool> inputs;
unsigned n_buffers;
unsigned char* marks;  // of the whole arena
unsigned char* arena;
std::uint64_t arena_bytes;
std::uint64_t dynamic_bytes;
std::uint64_t time_now;
std::vector<std::uint64_t> fences;  // of each block of this launch: when it last called a fence
bool block_used_atomics;

std::uint64_t cells_bytes(const Region& region) {
    return (region.buffer == -2 ? kDynamicBytes : region.n_bytes) * sizeof(Cell) + 1;
}

Cell* cells_for(std::uint64_t n_bytes) {
    void* got = mmap(nullptr, n_bytes * sizeof(Cell) + 1, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) std::abort();
    return static_cast<Cell*>(got);
}

// Static shared memory is this program's thread-local data: it lies right below the thread
// pointer (System V ABI for x86-64, "variant II"), and on arm64 16 bytes above it.
int find_shared(dl_phdr_info* info, std::size_t, void* found) {
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& header = info->dlpi_phdr[i];
        if (header.p_type != PT_TLS) continue;
        auto* region = static_cast<Region*>(found);
        const Address pointer = reinterpret_cast<Address>(__builtin_thread_pointer());
        const Address align = header.p_align ? header.p_align : 1;
#if defined(__x86_64__)
        const Address start = pointer - (header.p_memsz + align - 1) / align * align;
#else
        const Address start = pointer + (16 + align - 1) / align * align;
#endif
        region->data = reinterpret_cast<unsigned char*>(start);
        region->n_bytes = header.p_memsz;
    }
    return 1;  // the program itself comes first, and only it counts
}

Region& shared_static() { return regions[n_buffers]; }
Region& shared_dynamic() { return regions[n_buffers + 1]; }

// A write over what another thread wrote or read, unordered: harmless if the bytes stay.
struct Pending {
    Address at = 0;
    unsigned bytes = 0;
    unsigned char before[16];
    Access other;
    int buffer;
    Address pc;
    Position position;
    bool after_read;
} pending;

Region* region_of(Address at) {
    for (Region& region : regions)
        if (region.contains(at)) return &region;
    return nullptr;
}

Extent thread_of(unsigned flat, const Extent& size) {
    return {flat % size.x, flat / size.x % size.y, flat / size.x / size.y};
}

Extent block_of(std::uint64_t flat, const Extent& grid) {
    return {unsigned(flat % grid.x), unsigned(flat / grid.x % grid.y),
            unsigned(flat / grid.x / grid.y)};
}

[[noreturn]] void race(const char* kind, int buffer, std::uint64_t offset, Address pc,
                       const Position& now, const Access& other) {
    const Extent thread = thread_of(other.thread, now.block_size);
    const Extent block = block_of(other.block_plus_1 - 1, now.grid);
    here = now;
    fault("\"kind\": \"%s\", \"buffer\": %d, \"offset_bytes\": %llu, \"pc\": %llu, "
          "\"other_thread\": [%u, %u, %u], \"other_block\": [%u, %u, %u]",
          kind, buffer, (unsigned long long)offset, (unsigned long long)pc, thread.x, thread.y,
          thread.z, block.x, block.y, block.z);
}

void settle() {
    if (pending.bytes == 0) return;
    const Pending one = pending;
    pending.bytes = 0;
    if (std::memcmp(reinterpret_cast<void*>(one.at), one.before, one.bytes) == 0) return;
    const Region* region = region_of(one.at);
    race(one.after_read ? "write_after_read" : "write_after_write", one.buffer,
         one.at - reinterpret_cast<Address>(region->data), one.pc, one.position, one.other);
}

bool ordered(const Access& before, bool atomic, bool is_shared) {
    if (before.block_plus_1 == 0 || (atomic && before.atomic)) return true;
    if (before.block_plus_1 != here.flat_block + 1) {
        if (is_shared) return true;  // another block had this memory, and nothing of it is left
        const std::uint64_t fenced = fences[before.block_plus_1 - 1];
        return block_used_atomics && fenced > before.time;
    }
    if (before.thread == here.flat_thread) return true;
    if (before.block_epoch != here.block_epoch) return true;
    const bool same_warp = before.thread / kWarp == here.flat_thread / kWarp;
    return same_warp && before.warp_epoch != here.warp_epoch;
}

Access access_now(bool atomic) {
    return {here.flat_block + 1, ++time_now, here.block_epoch, here.warp_epoch,
            std::uint16_t(here.flat_thread), atomic};
}

[[noreturn]] void outside(const char* access, Address at, Address pc) {
    int nearest = -3;
    long long offset = 0, size = 0;
    std::uint64_t distance = kGapBytes;
    for (const Region& region : regions) {
        const Address low = reinterpret_cast<Address>(region.data), high = low + region.n_bytes;
        const std::uint64_t far = at < low ? low - at : at - high + 1;
        if (region.n_bytes > 0 && far < distance) {
            distance = far;
            nearest = region.buffer;
            offset = (long long)(at - low);
            size = (long long)region.n_bytes;
        }
    }
    fault("\"kind\": \"outside\", \"access\": \"%s\", \"buffer\": %d, \"offset_bytes\": %lld, "
          "\"buffer_bytes\": %lld, \"pc\": %llu",
          access, nearest, offset, size, (unsigned long long)pc);
}

void look(Address at, unsigned bytes, bool write, bool atomic, Address pc) {
    settle();
    Region* region = region_of(at);
    if (region == nullptr) {
        if (on_own_stack(at)) return;
        const auto low = reinterpret_cast<Address>(&__executable_start);
        if (at >= low && at + bytes <= reinterpret_cast<Address>(&_end)) return;
        outside(write ? "store" : "load", at, pc);
    }
    const std::uint64_t offset = at - reinterpret_cast<Address>(region->data);
    const char* access = write ? "store" : "load";
    if (offset + bytes > region->n_bytes) outside(access, at + (region->n_bytes - offset), pc);
    if ((bytes & (bytes - 1)) == 0 && at % bytes != 0)
        fault("\"kind\": \"misaligned\", \"access\": \"%s\", \"buffer\": %d, \"offset_bytes\": "
              "%llu, \"bytes\": %u, \"pc\": %llu",
              access, region->buffer, (unsigned long long)offset, bytes, (unsigned long long)pc);
    if (write && region->buffer >= 0 && inputs[region->buffer])
        fault("\"kind\": \"writes_input\", \"access\": \"store\", \"buffer\": %d, "
              "\"offset_bytes\": %llu, \"pc\": %llu",
              region->buffer, (unsigned long long)offset, (unsigned long long)pc);
    const bool is_shared = region->buffer < 0;
    const Access now = access_now(atomic);
    for (unsigned i = 0; i < bytes; ++i) {
        Cell& cell = region->cells[offset + i];
        if (!ordered(cell.write, atomic, is_shared)) {
            if (!write)
                race("read_after_write", region->buffer, offset + i, pc, here, cell.write);
            if (pending.bytes == 0)
                pending = {at, bytes, {}, cell.write, region->buffer, pc, here, false};
        }
        if (write) {
            for (Access& read : cell.reads)
                if (!ordered(read, atomic, is_shared) && pending.bytes == 0)
                    pending = {at, bytes, {}, read, region->buffer, pc, here, true};
            cell.write = now;
            cell.reads[0] = cell.reads[1] = Access{};
            if (region->buffer >= 0) marks[region->data - arena + offset + i] = 1;
        } else if (cell.reads[0].block_plus_1 == 0 ||
                   (cell.reads[0].block_plus_1 == now.block_plus_1 &&
                    cell.reads[0].thread == now.thread)) {
            cell.reads[0] = now;
        } else {
            cell.reads[1] = now;
        }
    }
    if (pending.bytes != 0 && pending.at == at)
        std::memcpy(pending.before, reinterpret_cast<void*>(at), bytes);
}

void look_at_range(const void* at, std::size_t bytes, bool write, Address pc) {
    for (std::size_t done = 0; done < bytes; ++done)
        look(reinterpret_cast<Address>(at) + done, 1, write, false, pc);
}

}  // namespace

void lay_out(Buffer* buffers, unsigned number) {
    n_buffers = number;
    arena_bytes = kGapBytes;
    for (unsigned i = 0; i < number; ++i)
        arena_bytes += (buffers[i].n_bytes + kGapBytes - 1) / kGapBytes * kGapBytes + kGapBytes;
    void* got = mmap(nullptr, 2 * arena_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) std::abort();
    arena = static_cast<unsigned char*>(got);
    marks = arena + arena_bytes;
    unsigned char* next = arena + kGapBytes;
    for (unsigned i = 0; i < number; ++i) {
        buffers[i].data = next;
        std::memset(next, kPoison, buffers[i].n_bytes);
        regions.push_back({next, buffers[i].n_bytes, cells_for(buffers[i].n_bytes), int(i)});
        inputs.push_back(buffers[i].is_input);
        next += (buffers[i].n_bytes + kGapBytes - 1) / kGapBytes * kGapBytes + kGapBytes;
    }
    Region fixed;
    dl_iterate_phdr(find_shared, &fixed);
    fixed.cells = cells_for(fixed.n_bytes);
    fixed.buffer = -1;
    regions.push_back(fixed);
    Region dynamic;
    dynamic.data = static_cast<unsigned char*>(std::aligned_alloc(1024, kDynamicBytes));
    dynamic.cells = cells_for(kDynamicBytes);
    dynamic.buffer = -2;
    regions.push_back(dynamic);
}

void begin_launch() {
    settle();
    for (Region& region : regions)
        madvise(region.cells, cells_bytes(region), MADV_DONTNEED);  // zeros again
    fences.clear();
}

void begin_block(std::uint64_t dynamic) {
    settle();
    dynamic_bytes = dynamic;
    fences.push_back(0);
    block_used_atomics = false;
    Region& fixed = shared_static();
    if (fixed.n_bytes) std::memset(fixed.data, kPoison, fixed.n_bytes);
    shared_dynamic().n_bytes = dynamic < kDynamicBytes ? dynamic : kDynamicBytes;
    std::memset(shared_dynamic().data, kPoison, shared_dynamic().n_bytes);
}

void host_wrote(const unsigned char* at, std::uint64_t n_bytes) {
    std::memset(marks + (at - arena), 1, n_bytes);
}

const unsigned char* written_of(const Buffer& buffer) {
    settle();
    return marks + (buffer.data - arena);
}

void* dynamic_shared() { return shared_dynamic().data; }

void watch_atomic(void* address, unsigned bytes, const void* from) {
    block_used_atomics = true;
    look(reinterpret_cast<Address>(address), bytes, true, true, reinterpret_cast<Address>(from));
}

void fence() { fences.back() = ++time_now; }

void never_meet() { fault("\"kind\": \"barrier\""); }

void fault(const char* fields, ...) {
    std::fflush(stdout);
    if (std::FILE* file = std::fopen("fault.json", "w")) {
        std::fputs("{", file);
        std::va_list values;
        va_start(values, fields);
        std::vfprintf(file, fields, values);
        va_end(values);
        std::fprintf(file, ", \"thread\": [%u, %u, %u], \"block\": [%u, %u, %u]}\n", here.thread.x,
                     here.thread.y, here.thread.z, here.block.x, here.block.y, here.block.z);
        std::fclose(file);
    }
    _exit(3);
}

}  // namespace gauntlet

#define CALLER reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))
#define AT(address) reinterpret_cast<std::uintptr_t>(address)
#define HOOKS(bytes)                                                                              \
    void __tsan_read##bytes(void* at) { gauntlet::look(AT(at), bytes, false, false, CALLER); }    \
    void __tsan_write##bytes(void* at) { gauntlet::look(AT(at), bytes, true, false, CALLER); }    \
    void __tsan_volatile_read##bytes(void* at) {                                                  \
        gauntlet::look(AT(at), bytes, false, false, CALLER);                                      \
    }                                                                                             \
    void __tsan_volatile_write##bytes(void* at) {                                                 \
        gauntlet::look(AT(at), bytes, true, false, CALLER);                                       \
    }
extern "C" {
HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)
#define UNALIGNED(bytes)                                                                          \
    void __tsan_unaligned_read##bytes(void* at) {                                                 \
        gauntlet::look_at_range(at, bytes, false, CALLER);                                        \
    }                                                                                             \
    void __tsan_unaligned_write##bytes(void* at) {                                                \
        gauntlet::look_at_range(at, bytes, true, CALLER);                                         \
    }
UNALIGNED(2)
UNALIGNED(4)
UNALIGNED(8)
UNALIGNED(16)
void __tsan_read_range(void* at, std::size_t bytes) {
    gauntlet::look_at_range(at, bytes, false, CALLER);
}
void __tsan_write_range(void* at, std::size_t bytes) {
    gauntlet::look_at_range(at, bytes, true, CALLER);
}
void __tsan_init() {}
void __tsan_vptr_update(void*, void*) {}
void __tsan_vptr_read(void*) {}
void* gauntlet_memcpy(void* to, const void* from, std::size_t bytes) {
    gauntlet::look_at_range(from, bytes, false, CALLER);
    gauntlet::look_at_range(to, bytes, true, CALLER);
    return std::memmove(to, from, bytes);
}
void* gauntlet_memset(void* to, int value, std::size_t bytes) {
    gauntlet::look_at_range(to, bytes, true, CALLER);
    return std::memset(to, value, bytes);
}
}
