#include "entry.h"

#include <cstdlib>

using namespace gauntlet;

extern "C" {
// The innermost frame of the running thread.
EntryFrame* gauntlet_frame;
void gauntlet_call(void (*function)(void*), void* argument);
extern const char gauntlet_return_site[];
}

// The registers are pushed too, but only the unwinder reads those: an exception comes this way.
asm(R"(
    .text
    .globl gauntlet_call
    .type gauntlet_call, @function
gauntlet_call:
    .cfi_startproc
    push %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    push %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    push %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    push %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    push %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    push %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    sub $8, %rsp
    .cfi_adjust_cfa_offset 8
    mov gauntlet_frame(%rip), %rdx
    mov %rbx, (%rdx)
    mov %rbp, 8(%rdx)
    mov %r12, 16(%rdx)
    mov %r13, 24(%rdx)
    mov %r14, 32(%rdx)
    mov %r15, 40(%rdx)
    mov %rsp, 48(%rdx)
    mov 56(%rsp), %rax
    mov %rax, 56(%rdx)
    mov %rdi, %rax
    mov %rsi, %rdi
    call *%rax
    .globl gauntlet_return_site
gauntlet_return_site:
    mov gauntlet_frame(%rip), %rdx
    mov (%rdx), %rbx
    mov 8(%rdx), %rbp
    mov 16(%rdx), %r12
    mov 24(%rdx), %r13
    mov 32(%rdx), %r14
    mov 40(%rdx), %r15
    mov 48(%rdx), %rsp
    add $64, %rsp
    .cfi_adjust_cfa_offset -64
    jmp *56(%rdx)
    .cfi_endproc
    .size gauntlet_call, . - gauntlet_call
)");

namespace gauntlet {

Entries* entries = nullptr;

void use_entries(Entries& of_this_thread) {
    entries = &of_this_thread;
    gauntlet_frame = entries->depth ? &entries->frames[entries->depth - 1] : nullptr;
}

void call_program(void (*function)(void*), void* argument) {
    if (entries->depth == kMostEntries) std::abort();
    const bool was_in_program = in_program;
    gauntlet_frame = &entries->frames[entries->depth++];
    in_program = true;
    gauntlet_call(function, argument);
    in_program = was_in_program;
    --entries->depth;
    use_entries(*entries);
}

bool may_return(Address target, Address slot) {
    if (target != reinterpret_cast<Address>(gauntlet_return_site) || !entries->depth) return false;
    return slot + sizeof target == entries->frames[entries->depth - 1].stack_pointer;
}

}  // namespace gauntlet
