// How the runner calls the program, and what it keeps so that the program cannot lead it astray.
//
// The program may spoil its own stack. So nothing that the runner needs afterwards is read from
// there: registers, stack pointer and return address lie in frames outside of the program's memory,
// and a return to the runner is one to this place, with the stack as it was (`may_return`).
#pragma once

#include "base.h"

namespace gauntlet {

// A call of the program that has not returned.
struct EntryFrame {
    std::uint64_t registers[6];  // rbx, rbp, r12 to r15
    Address stack_pointer;       // when the call instruction was reached
    Address return_address;      // of whoever called call_program
};

constexpr unsigned kMostEntries = 16;  // of a thread: a destructor of an exception is called inside

// The entries of one thread of the program.
struct Entries {
    EntryFrame frames[kMostEntries];
    unsigned depth = 0;

    // Where the program's part of the stack begins (it grows downwards); 0 before the first call.
    Address stack_high() const { return depth ? frames[0].stack_pointer : 0; }
};

// Those of the thread that runs now.
extern Entries* entries;
void use_entries(Entries& of_this_thread);

// Calls a function of the program, with `in_program` set. Exceptions come through.
void call_program(void (*function)(void*), void* argument);

// Whether a function of the program that returns to `target`, which it found at `slot`, returns to
// the call of `call_program` that waits for it.
bool may_return(Address target, Address slot);

}  // namespace gauntlet
