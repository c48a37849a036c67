#include "shadow.h"

#include <sys/mman.h>

namespace gauntlet {

namespace {

constexpr unsigned kThreadShift = 28;
constexpr std::uint32_t kShared = 15;
static_assert(kMaxThreads <= kShared);

std::uint32_t epoch(unsigned thread, Time time) { return thread << kThreadShift | time; }
unsigned thread_of(std::uint32_t epoch) { return epoch >> kThreadShift; }
Time time_of(std::uint32_t epoch) { return epoch & Shadow::kLastTime; }

template <class T>
T* zeroed(std::size_t count) {
    return static_cast<T*>(mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
}

}  // namespace

void Shadow::watch(Address base, std::size_t bytes) {
    regions_.push_back({base, bytes, zeroed<Cell>(bytes), zeroed<std::uint32_t>(bytes / 8 + 1)});
}

void Shadow::wipe() {
    // Fresh anonymous pages read as zero.
    for (Region& region : regions_)
        madvise(region.cells, region.bytes * sizeof(Cell), MADV_DONTNEED);
    first_reader_ = 0;
}

void Shadow::begin_execution(Time start, std::uint32_t serial) {
    first_reader_ += static_cast<std::uint32_t>(readers_.size());
    readers_.clear();
    if (first_reader_ > kLastTime / 2) wipe();
    start_ = start;
    serial_ = serial;
}

const Shadow::Region* Shadow::region_of(Address address) const {
    for (const Region& region : regions_)
        if (address - region.base < region.bytes) return &region;
    return nullptr;
}

bool Shadow::unordered(std::uint32_t epoch, const VectorClock& clock, Conflict& conflict,
                       Address address, bool writes) const {
    const Time time = time_of(epoch);
    if (time < start_ || clock.covers(thread_of(epoch), time)) return false;
    conflict = {true, writes, thread_of(epoch), time, address};
    return true;
}

bool Shadow::unordered_read(const Cell& cell, const VectorClock& clock, Conflict& conflict,
                            Address address) const {
    if (thread_of(cell.read) != kShared) return unordered(cell.read, clock, conflict, address, false);
    const std::uint32_t index = time_of(cell.read) - first_reader_;
    if (index >= readers_.size()) return false;  // of an earlier execution
    for (unsigned t = 0; t < kMaxThreads; ++t)
        if (readers_[index].time[t] &&
            unordered(epoch(t, readers_[index].time[t]), clock, conflict, address, false))
            return true;
    return false;
}

Conflict Shadow::plain_read(Address address, std::size_t size, unsigned thread,
                            const VectorClock& clock) {
    Conflict conflict;
    const Region* region = region_of(address);
    if (!region) return conflict;
    const std::uint32_t now = epoch(thread, clock.time[thread]);
    for (Address at = address; at < address + size; ++at) {
        Cell& cell = region->cells[at - region->base];
        if (unordered(cell.write, clock, conflict, at, true)) return conflict;
        if (cell.read == now) continue;
        if (thread_of(cell.read) == kShared) {
            const std::uint32_t index = time_of(cell.read) - first_reader_;
            if (index < readers_.size()) {
                readers_[index].time[thread] = clock.time[thread];
                continue;
            }
        } else if (time_of(cell.read) >= start_ &&
                   !clock.covers(thread_of(cell.read), time_of(cell.read))) {
            VectorClock readers;
            readers.time[thread_of(cell.read)] = time_of(cell.read);
            readers.time[thread] = clock.time[thread];
            cell.read =
                epoch(kShared, first_reader_ + static_cast<std::uint32_t>(readers_.size()));
            readers_.push_back(readers);
            continue;
        }
        cell.read = now;
    }
    return conflict;
}

Conflict Shadow::plain_write(Address address, std::size_t size, unsigned thread,
                             const VectorClock& clock) {
    Conflict conflict;
    const Region* region = region_of(address);
    if (!region) return conflict;
    const std::uint32_t now = epoch(thread, clock.time[thread]);
    for (Address at = address; at < address + size; ++at) {
        Cell& cell = region->cells[at - region->base];
        if (cell.write == now && cell.read == now) continue;
        if (unordered(cell.write, clock, conflict, at, true)) return conflict;
        if (unordered_read(cell, clock, conflict, at)) return conflict;
        cell.write = now;
        cell.read = now;
    }
    return conflict;
}

Conflict Shadow::atomic_access(Address address, std::size_t size, bool writes,
                               const VectorClock& clock) const {
    Conflict conflict;
    const Region* region = region_of(address);
    if (!region) return conflict;
    for (Address at = address; at < address + size; ++at) {
        const Cell& cell = region->cells[at - region->base];
        if (unordered(cell.write, clock, conflict, at, true)) return conflict;
        if (writes && unordered_read(cell, clock, conflict, at)) return conflict;
    }
    return conflict;
}

void Shadow::mark_atomic(Address address) {
    if (const Region* region = region_of(address))
        region->atomic_serial[(address - region->base) / 8] = serial_;
}

bool Shadow::may_hold_atomic(Address address, std::size_t size) const {
    const Region* region = region_of(address);
    if (!region) return false;
    const std::size_t last = (address + size - 1 - region->base) / 8;
    for (std::size_t g = (address - region->base) / 8; g <= last; ++g)
        if (region->atomic_serial[g] == serial_) return true;
    return false;
}

}  // namespace gauntlet
