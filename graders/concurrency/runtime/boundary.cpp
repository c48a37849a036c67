#include "boundary.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <string_view>

#include "execution.h"
#include "symbols.h"

using namespace gauntlet;

extern "C" char __libc_single_threaded;

// The program's code, for the quick half of the return thunk.
extern "C" {
Address gauntlet_code_begin;
std::size_t gauntlet_code_bytes;
}

namespace gauntlet {

Boundary boundary;

namespace {

constexpr Address kNullPageBytes = 4096;

}  // namespace

void Boundary::draw(const std::string& path, Address program, Address arena,
                    std::size_t arena_bytes) {
    arena_ = {arena, arena + arena_bytes};
    struct Search {
        Boundary* boundary;
        Address program;
        Address base = 0;
    } search{this, program};
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) {
            auto& search = *static_cast<Search*>(data);
            Boundary& found = *search.boundary;
            Range all{~Address{0}, 0};
            std::vector<Range> code;
            std::vector<Range> constant;
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const auto& header = info->dlpi_phdr[i];
                const Address begin = info->dlpi_addr + header.p_vaddr;
                if (header.p_type == PT_GNU_RELRO) constant.push_back({begin, begin + header.p_memsz});
                if (header.p_type != PT_LOAD) continue;
                all = {std::min(all.begin, begin), std::max(all.end, begin + header.p_memsz)};
                if (header.p_flags & PF_X) code.push_back({begin, begin + header.p_memsz});
                if (!(header.p_flags & PF_W)) constant.push_back({begin, begin + header.p_memsz});
            }
            if (search.program >= all.begin && search.program < all.end) {
                found.program_ = all;
                search.base = info->dlpi_addr;
                if (!code.empty()) {
                    gauntlet_code_begin = code[0].begin;
                    gauntlet_code_bytes = code[0].end - code[0].begin;
                }
                return 0;
            }
            const bool is_runner = info->dlpi_name[0] == '\0';
            if (is_runner || std::strstr(info->dlpi_name, "libstdc++"))
                found.callers_.insert(found.callers_.end(), code.begin(), code.end());
            if (!is_runner)
                found.readable_.insert(found.readable_.end(), constant.begin(), constant.end());
            return 0;
        },
        &search);
    const Symbols symbols(path);
    for (const Address offset : symbols.functions()) functions_.push_back(search.base + offset);
    std::sort(functions_.begin(), functions_.end());
}

bool Boundary::may_read(Address at, std::size_t size) const {
    if (owns(at, size)) return true;
    // libc's, but the loader puts it into the runner, which names it.
    if (at == reinterpret_cast<Address>(&__libc_single_threaded)) return true;
    if (at == reinterpret_cast<Address>(&errno)) return true;  // atomic waiting looks at it
    for (const Range& range : readable_)
        if (range.contains(at, size)) return true;
    return false;
}

bool Boundary::may_call(Address target) const {
    if (std::binary_search(functions_.begin(), functions_.end(), target)) return true;
    Dl_info found{};
    if (!dladdr(reinterpret_cast<void*>(target), &found) || !found.dli_sname) return false;
    if (reinterpret_cast<Address>(found.dli_saddr) != target) return false;
    const std::string_view name = found.dli_sname;
    // Deleters, and what the virtual functions of the standard exceptions are.
    return name == "free" || name == "malloc" || name.starts_with("_Zd") ||
           name.starts_with("_Zn") || name.ends_with("D0Ev") || name.ends_with("D1Ev") ||
           name.ends_with("D2Ev") || name.ends_with("4whatEv");
}

bool Boundary::may_return_to(Address target) const {
    for (const Range& range : callers_)
        if (range.contains(target, 1)) return true;
    return false;
}

void guard(Address at, std::size_t size, bool writes, Address pc) {
    if (boundary.owns(at, size) || (!writes && boundary.may_read(at, size))) return;
    Failure found{"foreign_memory", "", the_execution->current(), pc, at};
    char place[32];
    std::snprintf(place, sizeof place, "%p", reinterpret_cast<void*>(at));
    if (at < kNullPageBytes) {
        found.kind = "crash";
        found.message = std::string("A thread must only touch memory that exists: it used address ") +
                        (at ? place : "0, a null pointer") + ".";
        the_execution->fail(std::move(found));
    }
    found.message = std::string("A thread must only touch the program's own memory: it ") +
                    (writes ? "writes " : "reads ") + std::to_string(size) + " bytes at " + place +
                    ", which are not.";
    the_execution->fail(std::move(found));
}

}  // namespace gauntlet

namespace {

bool checked() { return in_program && the_execution && the_execution->running(); }

}  // namespace

extern "C" void gauntlet_check_target(Address target, Address pc) {
    if (!checked()) return;
    InRuntime inside;
    if (boundary.may_call(target)) return;
    the_execution->fail("foreign_jump",
                        "A call through a pointer must reach the beginning of a function of the "
                        "program: this one does not.",
                        pc);
}

extern "C" void gauntlet_check_return(Address target) {
    if (!checked()) return;
    InRuntime inside;
    if (boundary.may_return_to(target)) return;
    the_execution->fail("foreign_jump",
                        "A function must return to where it was called: the return address on its "
                        "stack was overwritten.",
                        target);
}

// -mindirect-branch=thunk-extern makes `call *%rax` a call of __x86_indirect_thunk_rax. Arguments
// are in registers then, and all of them survive.
asm(R"(
    .macro gauntlet_thunk register
    .globl __x86_indirect_thunk_\register
    .type __x86_indirect_thunk_\register, @function
__x86_indirect_thunk_\register:
    push %\register
    jmp gauntlet_indirect
    .endm
    .text
gauntlet_indirect:
    push %rbp
    mov %rsp, %rbp
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    sub $136, %rsp
    and $-16, %rsp
    movups %xmm0, (%rsp)
    movups %xmm1, 16(%rsp)
    movups %xmm2, 32(%rsp)
    movups %xmm3, 48(%rsp)
    movups %xmm4, 64(%rsp)
    movups %xmm5, 80(%rsp)
    movups %xmm6, 96(%rsp)
    movups %xmm7, 112(%rsp)
    mov 8(%rbp), %rdi
    mov 16(%rbp), %rsi
    call gauntlet_check_target
    movups (%rsp), %xmm0
    movups 16(%rsp), %xmm1
    movups 32(%rsp), %xmm2
    movups 48(%rsp), %xmm3
    movups 64(%rsp), %xmm4
    movups 80(%rsp), %xmm5
    movups 96(%rsp), %xmm6
    movups 112(%rsp), %xmm7
    lea -72(%rbp), %rsp
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    pop %rbp
    ret
    gauntlet_thunk rax
    gauntlet_thunk rbx
    gauntlet_thunk rcx
    gauntlet_thunk rdx
    gauntlet_thunk rsi
    gauntlet_thunk rdi
    gauntlet_thunk rbp
    gauntlet_thunk r8
    gauntlet_thunk r9
    gauntlet_thunk r10
    gauntlet_thunk r11
    gauntlet_thunk r12
    gauntlet_thunk r13
    gauntlet_thunk r14
    gauntlet_thunk r15
)");

// -mfunction-return=thunk-extern makes `ret` a jump to here. The program returns to its own code,
// directly behind a call (0xe8), or, when a body or a callback ends, to whoever called it.
asm(R"(
    .text
    .globl __x86_return_thunk
    .type __x86_return_thunk, @function
__x86_return_thunk:
    mov (%rsp), %rcx
    mov %rcx, %rsi
    sub gauntlet_code_begin(%rip), %rsi
    cmp gauntlet_code_bytes(%rip), %rsi
    jae 1f
    cmpb $0xe8, -5(%rcx)
    jne 1f
    ret
1:  push %rbp
    mov %rsp, %rbp
    sub $64, %rsp
    and $-16, %rsp
    mov %rax, (%rsp)
    mov %rdx, 8(%rsp)
    movups %xmm0, 16(%rsp)
    movups %xmm1, 32(%rsp)
    mov 8(%rbp), %rdi
    call gauntlet_check_return
    mov (%rsp), %rax
    mov 8(%rsp), %rdx
    movups 16(%rsp), %xmm0
    movups 32(%rsp), %xmm1
    leave
    ret
)");
