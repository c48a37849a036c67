// For each byte of the program's memory: who wrote it last, and who read it since (FastTrack).
//
// Flanagan, Freund, "FastTrack: efficient and precise dynamic race detection", PLDI 2009.
#pragma once

#include <vector>

#include "base.h"

namespace gauntlet {

struct Conflict {
    bool found = false;
    bool other_writes = false;
    unsigned other_thread = 0;
    Time other_time = 0;
    Address address = 0;
};

class Shadow {
  public:
    // Watches [base, base + bytes); accesses elsewhere are not checked.
    void watch(Address base, std::size_t bytes);
    // Forgets every access before time `start`; times only grow, so nothing has to be cleared.
    void begin_execution(Time start, std::uint32_t serial);
    void wipe();

    Conflict plain_read(Address address, std::size_t size, unsigned thread,
                        const VectorClock& clock);
    Conflict plain_write(Address address, std::size_t size, unsigned thread,
                         const VectorClock& clock);
    // Against plain accesses only: atomic ones do not race with each other.
    Conflict atomic_access(Address address, std::size_t size, bool writes,
                           const VectorClock& clock) const;

    void mark_atomic(Address address);
    bool may_hold_atomic(Address address, std::size_t size) const;
    bool watches(Address address) const { return region_of(address) != nullptr; }

    static constexpr Time kLastTime = (1u << 28) - 1;

  private:
    struct Cell {
        std::uint32_t write;  // thread in the upper 4 bits, time in the lower 28
        std::uint32_t read;   // the same, or kShared and an index into `readers_`
    };
    struct Region {
        Address base;
        std::size_t bytes;
        Cell* cells;
        std::uint32_t* atomic_serial;  // for each 8 bytes
    };

    const Region* region_of(Address address) const;
    bool unordered(std::uint32_t epoch, const VectorClock& clock, Conflict& conflict,
                   Address address, bool writes) const;
    bool unordered_read(const Cell& cell, const VectorClock& clock, Conflict& conflict,
                        Address address) const;

    std::vector<Region> regions_;
    std::vector<VectorClock> readers_;
    std::uint32_t first_reader_ = 0;  // index of readers_[0] among those of all executions
    Time start_ = 1;
    std::uint32_t serial_ = 1;
};

}  // namespace gauntlet
