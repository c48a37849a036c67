#include "boundary.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <string_view>

#include "entry.h"
#include "exceptions.h"
#include "execution.h"
#include "symbols.h"

using namespace gauntlet;

extern "C" char __libc_single_threaded;

// The program's code, for the quick half of the return thunk; its heap and thread_local variables
// and its globals, for that of the check of stores. `_bytes` there is where a store may begin.
extern "C" {
Address gauntlet_heap_begin;
std::size_t gauntlet_heap_bytes;
Address gauntlet_globals_begin;
std::size_t gauntlet_globals_bytes;
Address gauntlet_code_begin;
std::size_t gauntlet_code_bytes;
}

namespace gauntlet {

Boundary boundary;

namespace {

constexpr Address kNullPageBytes = 4096;
constexpr std::size_t kWidestStore = 16;

// Deleters.
bool is_allocator(std::string_view name) {
    return name.starts_with("_ZdlPv") || name.starts_with("_ZdaPv") || name.starts_with("_Znwm") ||
           name.starts_with("_Znam");
}

// Virtual functions of the standard exceptions that have no members, so that they cannot be led
// anywhere by an object that is none.
bool is_of_plain_exception(std::string_view name) {
    constexpr std::string_view classes[] = {
        "9exception", "9bad_alloc", "20bad_array_new_length", "8bad_cast", "10bad_typeid",
        "13bad_exception", "12bad_weak_ptr", "17bad_function_call"};
    for (const std::string_view one : classes) {
        const std::string inside = "St" + std::string(one);
        if (name == "_ZN" + inside + "D0Ev" || name == "_ZN" + inside + "D1Ev" ||
            name == "_ZN" + inside + "D2Ev" || name == "_ZNK" + inside + "4whatEv")
            return true;
    }
    return name.ends_with("_error4whatEv") || name.ends_with("16invalid_argument4whatEv") ||
           name.ends_with("12out_of_range4whatEv");  // they read the object and no more
}

bool is_the_runners(Address at, std::size_t size) {
    return (boundary.in_stacks(at) && !the_execution->owns_on_stack(at, size)) ||
           exceptions.are_the_librarys(at, size);
}

}  // namespace

void Boundary::draw(const std::string& path, Address program, const Heap& heap) {
    arena_ = {heap.base(), heap.base() + heap.bytes()};
    stacks_ = {heap.base(), heap.base() + kMaxThreads * Heap::kStackBytes};
    gauntlet_heap_begin = stacks_.end;
    gauntlet_heap_bytes = arena_.end - stacks_.end - kWidestStore;
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
                found.constant_ = constant;
                gauntlet_globals_begin = all.begin;
                gauntlet_globals_bytes = all.end - all.begin - kWidestStore;
                search.base = info->dlpi_addr;
                if (!code.empty()) {
                    gauntlet_code_begin = code[0].begin;
                    gauntlet_code_bytes = code[0].end - code[0].begin;
                }
                return 0;
            }
            const bool is_runner = info->dlpi_name[0] == '\0';
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

bool Boundary::is_constant(Address at, std::size_t size) const {
    for (const Range& range : constant_)
        if (range.contains(at, size)) return true;
    return may_read(at, size);
}

bool Boundary::is_a_librarys(Address at) const { return may_read(at, 1); }

bool Boundary::may_call(Address target) const {
    if (std::binary_search(functions_.begin(), functions_.end(), target)) return true;
    Dl_info found{};
    if (!dladdr(reinterpret_cast<void*>(target), &found) || !found.dli_sname) return false;
    if (reinterpret_cast<Address>(found.dli_saddr) != target) return false;
    const std::string_view name = found.dli_sname;
    return name == "free" || name == "malloc" || is_allocator(name) || is_of_plain_exception(name) ||
           name == "_ZNSt18condition_variableD1Ev" || name == "_ZNSt18condition_variableD2Ev" ||
           name == "_ZNSt8ios_base4InitD1Ev" || name == "_ZNSt8ios_base4InitD2Ev";
}

void guard(Address at, std::size_t size, bool writes, Address pc) {
    if (boundary.owns(at, size) && !(writes && is_the_runners(at, size))) return;
    if (!writes && boundary.may_read(at, size)) return;
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

void guard_call(Address target, Address pc) {
    if (boundary.may_call(target)) return;
    the_execution->fail("foreign_jump",
                        "A call through a pointer must reach the beginning of a function of the "
                        "program: this one does not.",
                        pc);
}

}  // namespace gauntlet

extern "C" void gauntlet_check_target(Address target, Address pc) {
    if (!checked()) return;
    InRuntime inside;
    guard_call(target, pc);
}

extern "C" void gauntlet_check_return(Address target, Address slot) {
    if (!checked()) return;
    InRuntime inside;
    if (may_return(target, slot)) return;
    the_execution->fail("foreign_jump",
                        "A function must return to where it was called: the return address on its "
                        "stack was overwritten.",
                        target);
}

// -mindirect-branch=thunk-extern makes `call *%rax` a call of __x86_indirect_thunk_rax. Arguments
// are in registers then, and all of them survive.
asm(R"(
    # Calls a function of C++ with two or three arguments; all registers survive but rbp, which it
    # restores.
    .macro gauntlet_call_saving function, first, second, third
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
    sub $280, %rsp
    and $-16, %rsp
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups %xmm\n, 16*\n(%rsp)
    .endr
    mov \second, %rcx
    mov \first, %rax
    .ifnb \third
    mov \third, %rdx
    .endif
    mov %rax, %rdi
    mov %rcx, %rsi
    call \function
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups 16*\n(%rsp), %xmm\n
    .endr
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
    .endm
    .macro gauntlet_thunk register
    .globl __x86_indirect_thunk_\register
    .type __x86_indirect_thunk_\register, @function
__x86_indirect_thunk_\register:
    push %\register
    jmp gauntlet_indirect
    .endm
    .text
gauntlet_indirect:
    gauntlet_call_saving gauntlet_check_target, 8(%rbp), 16(%rbp)
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
// directly behind a call (0xe8), or, when a body or a callback ends, to entry.cpp.
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
    lea 8(%rbp), %rsi
    call gauntlet_check_return
    mov (%rsp), %rax
    mov 8(%rsp), %rdx
    movups 16(%rsp), %xmm0
    movups 32(%rsp), %xmm1
    leave
    ret
)");

// stores.sed puts a call of one of these before each store. All registers and the flags survive.
extern "C" void gauntlet_doubtful_store(Address at, Address pc) {
    if (!checked()) return;
    InRuntime inside;
    guard(at, 1, true, pc);
}

// A store that no hook has announced: a function's result goes directly where its caller wants it.
// The detector of races is told of it as of any plain write.
static void unannounced_store(Address at, std::size_t size, Address pc) {
    if (!checked() || size == 0) return;
    Announced before = gauntlet_announced;
    if (at == before.restored && size == sizeof at) {
        gauntlet_announced.restored = 0;  // once
        return;
    }
    if (at >= before.begin && size <= before.bytes && at - before.begin <= before.bytes - size) return;
    InRuntime inside;
    guard(at, size, true, pc);
    the_execution->plain(at, size, true, pc);
    gauntlet_announced = before;  // whose own store may still come
}

#define UNANNOUNCED_STORE(size)                                                  \
    extern "C" void gauntlet_unannounced_store_##size(Address at, Address pc) {  \
        unannounced_store(at, size, pc);                                         \
    }

UNANNOUNCED_STORE(1)
UNANNOUNCED_STORE(2)
UNANNOUNCED_STORE(4)
UNANNOUNCED_STORE(8)
UNANNOUNCED_STORE(10)
UNANNOUNCED_STORE(16)

extern "C" void gauntlet_unannounced_fill(Address at, std::size_t size, Address pc) {
    unannounced_store(at, size, pc);
}

asm(R"(
    .text
    .globl gauntlet_check_store
    .type gauntlet_check_store, @function
gauntlet_check_store:
    pushfq
    push %rax
    mov %rdi, %rax
    sub gauntlet_heap_begin(%rip), %rax
    cmp gauntlet_heap_bytes(%rip), %rax
    jbe 1f
    mov %rdi, %rax
    sub gauntlet_globals_begin(%rip), %rax
    cmp gauntlet_globals_bytes(%rip), %rax
    jbe 1f
    cmp %rsp, %rdi
    jb 2f
    mov gauntlet_frame(%rip), %rax
    test %rax, %rax
    jz 2f
    mov 48(%rax), %rax
    sub $16, %rax
    cmp %rax, %rdi
    ja 2f
1:  pop %rax
    popfq
    ret
2:  mov 16(%rsp), %rax
    gauntlet_call_saving gauntlet_doubtful_store, %rdi, %rax
    pop %rax
    popfq
    ret

    .globl gauntlet_check_fill
    .type gauntlet_check_fill, @function
gauntlet_check_fill:
    pushfq
    gauntlet_call_saving gauntlet_unannounced_fill, %rdi, %rsi, 16(%rbp)
    popfq
    ret

    # Nearly every store follows its own hook, and is inside of what that one announced.
    .macro gauntlet_store size
    .globl gauntlet_check_store_\size
    .type gauntlet_check_store_\size, @function
gauntlet_check_store_\size:
    pushfq
    push %rax
    mov %rdi, %rax
    sub gauntlet_announced(%rip), %rax
    jb 1f
    add $\size, %rax
    cmp gauntlet_announced+8(%rip), %rax
    ja 1f
    pop %rax
    popfq
    ret
1:  mov 16(%rsp), %rax
    gauntlet_call_saving gauntlet_unannounced_store_\size, %rdi, %rax
    pop %rax
    popfq
    ret
    .endm
    gauntlet_store 1
    gauntlet_store 2
    gauntlet_store 4
    gauntlet_store 8
    gauntlet_store 10
    gauntlet_store 16
)");
