// Words that the whole runtime shares: threads, times, vector clocks, values, memory orders.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace gauntlet {

// Thread 0 is the program's main thread: it runs the set-up before the others and the end after.
constexpr unsigned kMaxThreads = 8;

using Time = std::uint32_t;
using Value = unsigned __int128;
using Address = std::uintptr_t;

struct VectorClock {
    std::array<Time, kMaxThreads> time{};

    void join(const VectorClock& other) {
        for (unsigned t = 0; t < kMaxThreads; ++t) time[t] = std::max(time[t], other.time[t]);
    }
    bool covers(unsigned thread, Time at) const { return time[thread] >= at; }
};

// The numbers are gcc's __ATOMIC_*.
enum class Order : std::uint8_t { relaxed, consume, acquire, release, acq_rel, seq_cst };

inline bool acquires(Order order) { return order != Order::relaxed && order != Order::release; }
inline bool releases(Order order) { return order >= Order::release; }

inline Value load_bytes(Address address, unsigned size) {
    Value value = 0;
    __builtin_memcpy(&value, reinterpret_cast<const void*>(address), size);
    return value;
}

inline void store_bytes(Address address, unsigned size, Value value) {
    __builtin_memcpy(reinterpret_cast<void*>(address), &value, size);
}

// True while code of the program runs, false inside the runtime. Interposed functions such as
// malloc ask it whose call they see.
extern bool in_program;

// The end of the program's part of the stack that runs: where it called the hook that is running.
extern Address hook_called_at;

// What the hook of a plain access has just told of the store that follows it, which then need not be
// told again (boundary.cpp). `restored` is a pointer to virtual functions that is stored once more.
struct Announced {
    Address begin;
    std::size_t bytes;
    Address restored;
};
extern "C" Announced gauntlet_announced;

// Held by every hook. A fiber may be left and resumed while it is held, so what it restores is on
// the fiber's own stack.
class InRuntime {
  public:
    // Part of the hook's own frame, and the program's part of the stack ends above that.
    [[gnu::always_inline]] InRuntime() : was_in_program_(in_program) {
        if (was_in_program_)
            hook_called_at = reinterpret_cast<Address>(__builtin_frame_address(0)) + 16;
        in_program = false;
        gauntlet_announced = {};
    }
    ~InRuntime() { in_program = was_in_program_; }
    InRuntime(const InRuntime&) = delete;
    InRuntime& operator=(const InRuntime&) = delete;

  private:
    const bool was_in_program_;
};

}  // namespace gauntlet
