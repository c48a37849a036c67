#include "fiber.h"

#include <cstring>
#include <cxxabi.h>

#if !defined(__x86_64__)
#error "The context switch is written for x86_64 only."
#endif

extern "C" void gauntlet_switch(void** save_stack_pointer, void* stack_pointer);

// Callee-saved registers go to the old stack and come from the new one; the rest is the caller's.
asm(R"(
    .text
    .globl gauntlet_switch
    .type gauntlet_switch, @function
gauntlet_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .size gauntlet_switch, . - gauntlet_switch
)");

namespace gauntlet {

namespace {

// What __cxa_get_globals points to (Itanium C++ ABI, 2.2.2). The ABI keeps it per OS thread, so a
// fiber left inside a catch block must take its own with it.
struct ExceptionGlobals {
    void* caught;
    unsigned uncaught;
};

constexpr std::size_t kClearedBytes = 8192;

}  // namespace

void Fiber::prepare(char* stack_low, std::size_t stack_bytes, void (*entry)()) {
    low_ = reinterpret_cast<Address>(stack_low);
    high_ = low_ + stack_bytes;
    // The spin detector compares stack contents; what an earlier execution left there would make
    // that comparison depend on history.
    std::memset(reinterpret_cast<void*>(high_ - kClearedBytes), 0, kClearedBytes);
    auto* top = reinterpret_cast<void**>(high_);
    *--top = nullptr;  // a return address for `entry`, keeps its stack aligned as after a call
    *--top = reinterpret_cast<void*>(entry);
    for (int saved = 0; saved < 6; ++saved) *--top = nullptr;
    stack_pointer_ = top;
    caught_exceptions_ = nullptr;
    uncaught_exceptions_ = 0;
}

void Fiber::change(Fiber& from, Fiber& to) {
    auto* globals = reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals());
    from.caught_exceptions_ = globals->caught;
    from.uncaught_exceptions_ = globals->uncaught;
    globals->caught = to.caught_exceptions_;
    globals->uncaught = to.uncaught_exceptions_;
    gauntlet_switch(&from.stack_pointer_, to.stack_pointer_);
}

}  // namespace gauntlet
