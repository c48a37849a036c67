// Fibers: several stacks on one OS thread, and a switch between them without a system call.
#pragma once

#include "base.h"

namespace gauntlet {

class Fiber {
  public:
    // Lays out a stack so that the first switch to it calls `entry`, which must never return.
    void prepare(char* stack_low, std::size_t stack_bytes, void (*entry)());
    // Leaves `from` and goes on in `to`; returns when something switches back.
    static void change(Fiber& from, Fiber& to);

    Address stack_high() const { return high_; }
    bool owns_stack(Address address) const { return address >= low_ && address < high_; }

  private:
    void* stack_pointer_ = nullptr;
    Address low_ = 0;
    Address high_ = 0;
    void* caught_exceptions_ = nullptr;
    unsigned uncaught_exceptions_ = 0;
};

}  // namespace gauntlet
