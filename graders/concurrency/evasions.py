"""Attempts to be accepted with a ring that is wrong. None may succeed.

Every attempt is the same ring with a relaxed publish, and something that should keep the judge from
seeing it: `before` stands before the class, `in_push` at the beginning of ``try_push``, `fill` in
place of the store of the item, `publish` in place of the one that announces it, `cell` in place of
the type of a cell.
"""

from __future__ import annotations

from dataclasses import dataclass

_RING = """\
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
%(before)s
template <class T, std::size_t Capacity>
struct Queue {
    %(attributes)s bool try_push(const T& item) {
        %(in_push)s
        const std::size_t at = tail.load(std::memory_order_relaxed);
        if (at - head.load(std::memory_order_acquire) == Capacity) return false;
        %(fill)s
        %(publish)s
        return true;
    }

    %(attributes)s bool try_pop(T& item) {
        const std::size_t at = head.load(std::memory_order_relaxed);
        if (tail.load(std::memory_order_acquire) == at) return false;
        item = cells[at %% Capacity];
        head.store(at + 1, std::memory_order_release);
        return true;
    }

    alignas(64) std::atomic<std::size_t> head{0};
    alignas(64) std::atomic<std::size_t> tail{0};
    alignas(64) %(cell)s cells[Capacity];
};
"""
_RELAXED = "tail.store(at + 1, std::memory_order_relaxed);"


@dataclass(frozen=True, slots=True)
class Evasion:
    """One attempt, and what the judge must say of it.

    `case` is the one that it aims at, and `message` what that one says; `earlier` what another case
    says before it when all are judged.
    """

    message: str
    earlier: str = ""
    before: str = ""
    in_push: str = ""
    fill: str = "cells[at % Capacity] = item;"
    publish: str = _RELAXED
    cell: str = "T"
    attributes: str = ""
    case: str = "one-item"

    @property
    def source(self) -> str:
        return _RING % {
            "before": self.before,
            "in_push": self.in_push,
            "fill": self.fill,
            "cell": self.cell,
            "publish": self.publish,
            "attributes": self.attributes,
        }


_RACE = "are not ordered"
_TRIPLE = (
    "#include <new>\n"
    "template <class T> struct Triple { T a, b, c; operator T() const { return b; } };\n"
    "template <class T> __attribute__((noinline)) Triple<T> tripled(T item) "
    "{ return {item, item, item}; }"
)
_PAIR = (
    "#include <new>\ntemplate <class T> struct Pair { T a, b; operator T() const { return b; } };\n"
    "template <class T> __attribute__((noinline)) Pair<T> paired(T item) { return {item, item}; }"
)
_UNKNOWN = "does not know"
_RESERVED = "are reserved"

EVASIONS: dict[str, Evasion] = {
    "asks-for-the-macro": Evasion(
        _RESERVED,
        before="#ifdef __SANITIZE_THREAD__\n#define ORDER std::memory_order_release\n#else\n"
        "#define ORDER std::memory_order_relaxed\n#endif",
        publish="tail.store(at + 1, ORDER);",
    ),
    "asks-for-the-macro-of-the-library": Evasion(_RESERVED, before="#if _GLIBCXX_TSAN\n#endif"),
    "asks-for-address-sanitizer": Evasion(_RESERVED, before="#ifdef __SANITIZE_ADDRESS__\n#endif"),
    "attribute": Evasion(_RESERVED, attributes='__attribute__((no_sanitize("thread")))'),
    "attribute-of-another-name": Evasion(_RESERVED, attributes="[[gnu::no_sanitize_thread]]"),
    "attribute-pasted-together": Evasion(
        _RACE,
        before="#define PASTE_(a, b) a##b\n#define PASTE(a, b) PASTE_(a, b)",
        attributes='__attribute__((PASTE(no_sani, tize)("thread")))',
    ),
    "attribute-undefined-first": Evasion(_RESERVED, before="#undef no_sanitize"),
    "optimize-attribute": Evasion(
        _RACE, attributes='__attribute__((optimize("O3", "no-sanitize=thread")))'
    ),
    "optimize-pragma": Evasion(_RACE, before='#pragma GCC optimize("no-sanitize=thread")'),
    "inline-assembly": Evasion("Inline assembly", publish='asm volatile("" ::: "memory");'),
    "inline-assembly-pasted-together": Evasion(
        "Inline assembly",
        before="#define PASTE(a, b) a##b",
        publish='PASTE(a, sm) volatile("mov %0, (%1)" :: "r"(at + 1), "r"(&tail) : "memory");',
    ),
    "top-level-assembly": Evasion(
        "Inline assembly", before='#define PASTE(a, b) a##b\nPASTE(__a, sm__)("nop");'
    ),
    "writes-to-the-descriptor": Evasion(
        _UNKNOWN,
        before="#include <unistd.h>\n"
        "static const bool forged = [] { for (int fd = 1; fd < 64; ++fd) "
        'if (::write(fd, "{}", 2)) {} return true; }();',
    ),
    "prints": Evasion(_UNKNOWN, before="#include <cstdio>", in_push='std::puts("AC");'),
    "ends-the-process": Evasion(
        "must not end itself", before="#include <unistd.h>", in_push="::_exit(0);"
    ),
    "ends-the-process-at-start": Evasion(
        "must not end itself",
        before="#include <unistd.h>\nstatic const bool over = [] { ::_exit(0); return true; }();",
    ),
    "ends-by-exit": Evasion("must not end itself", in_push="std::exit(0);"),
    "crashes": Evasion("memory that exists", in_push="*(volatile int*)nullptr = 1;"),
    "raises-a-signal": Evasion(_UNKNOWN, before="#include <csignal>", in_push="std::raise(9);"),
    "handles-signals": Evasion(
        _UNKNOWN, before="#include <csignal>", in_push="std::signal(SIGALRM, SIG_IGN);"
    ),
    "jumps": Evasion(
        _UNKNOWN,
        before="#include <csetjmp>\nstatic std::jmp_buf buffer;",
        in_push="if (!setjmp(buffer)) std::longjmp(buffer, 1);",
    ),
    "forks": Evasion(
        _UNKNOWN, before="#include <unistd.h>", in_push="if (::fork() == 0) return true;"
    ),
    "executes": Evasion(
        _UNKNOWN, before="#include <unistd.h>", in_push='::execl("/bin/true", "true", nullptr);'
    ),
    "looks-functions-up": Evasion(
        _UNKNOWN, before="#include <dlfcn.h>", in_push='::dlsym(RTLD_DEFAULT, "write");'
    ),
    "threads-of-its-own": Evasion(
        "pthread_create", before="#include <thread>", in_push="std::thread([] {}).join();"
    ),
    "system-call": Evasion(
        "system calls",
        before="#include <sys/syscall.h>\n#include <unistd.h>",
        in_push='::syscall(SYS_write, 4, "{}", 2);',
    ),
    "endless-loop": Evasion("A loop must end", in_push="for (volatile bool on = true; on;) {}"),
    "endless-loop-without-accesses": Evasion(
        "A loop must end", in_push="for (;;) __builtin_ia32_pause();"
    ),
    "huge-allocation": Evasion(
        "must not allocate more", in_push="if (!::operator new(1ul << 40)) return false;"
    ),
    "reads-a-file-of-the-host": Evasion("must compile", before='#include "/etc/passwd"'),
    "reads-the-judges-files": Evasion("must compile", before='#include "scenarios.cpp"'),
    "searches-the-runners-memory": Evasion(
        "the program's own memory",
        in_push="auto* at_ = reinterpret_cast<unsigned char*>(&std::abort);"
        "for (int i = 0; i < 1 << 20; ++i) if (at_[i] == 1) break;",
    ),
    "overwrites-the-runners-memory": Evasion(
        "the program's own memory",
        in_push="auto* at_ = reinterpret_cast<unsigned char*>(&std::abort);"
        "at_ += 1 << 16; *at_ = 0;",
    ),
    "overwrites-it-atomically": Evasion(
        "the program's own memory",
        in_push="auto* at_ = reinterpret_cast<std::atomic<long>*>("
        "(reinterpret_cast<std::uintptr_t>(&std::abort) + (1 << 16)) & ~7ul);"
        "at_->store(0);",
    ),
    "overwrites-the-stack": Evasion(
        "overwritten",
        before="__attribute__((noinline)) static void smash(volatile std::uintptr_t* at, long n) "
        "{ for (long i = 0; i < n; ++i) at[i] = 0x1234567; }\n"
        "__attribute__((noinline)) static void victim() "
        "{ volatile std::uintptr_t here[2] = {1, 2}; smash(here, 8); }",
        in_push="victim();",
    ),
    "calls-through-a-computed-pointer": Evasion(
        "the beginning of a function",
        in_push="auto* call = reinterpret_cast<void (*)()>("
        "reinterpret_cast<std::uintptr_t>(&std::abort) + 4096); call();",
    ),
    "calls-into-the-middle-of-itself": Evasion(
        "the beginning of a function",
        before="static long constant() { return 0x050f050f050f; }",
        in_push="auto* call = reinterpret_cast<void (*)()>("
        "reinterpret_cast<std::uintptr_t>(&constant) + 2); call();",
    ),
    "calls-data": Evasion(
        "Data must not lie among the instructions",
        before='__attribute__((section(".text"))) extern const unsigned char code_[] = '
        "{0x0f, 0x05, 0xc3};",
        in_push="reinterpret_cast<void (*)()>(reinterpret_cast<std::uintptr_t>(code_))();",
    ),
    "stands-in-for-a-function-of-the-judge": Evasion(
        _RESERVED,
        before='extern "C" void gauntlet_operation_ends(bool, long) {}',
    ),
    "stands-in-under-a-pasted-name": Evasion(
        _RESERVED,
        before="#define PASTE(a, b) a##b\n"
        'extern "C" void PASTE(gauntlet, _operation_ends)(bool, long) {}',
    ),
    "stands-in-for-an-access": Evasion(
        _RESERVED,
        before='#define PASTE(a, b) a##b\nextern "C" void PASTE(__tsan, _write8)(void*) {}',
    ),
    "stands-in-for-a-call-by-macro": Evasion(
        _RACE, before="#define gauntlet_push_0 nothing\n".replace("gauntlet_push_0", "the_0")
    ),
    "looks-at-the-clock": Evasion(
        _UNKNOWN,
        before="#include <ctime>",
        in_push="timespec t; clock_gettime(CLOCK_REALTIME, &t);",
    ),
    "reads-the-processors-clock": Evasion(
        "must see every access", in_push="if (__builtin_ia32_rdtsc() == 1) return false;"
    ),
    "stores-past-the-cache": Evasion(
        "must see every access",
        before="#include <emmintrin.h>",
        publish="_mm_stream_si64(reinterpret_cast<long long*>(&tail), "
        "static_cast<long long>(at + 1));",
    ),
    "volatile": Evasion(
        _RACE,
        publish="*reinterpret_cast<volatile std::size_t*>(&tail) = at + 1;",
    ),
    "builtin-atomics": Evasion(
        _RACE,
        publish="__atomic_store_n(reinterpret_cast<std::size_t*>(&tail), at + 1, "
        "__ATOMIC_RELAXED);",
    ),
    "copies-the-index": Evasion(
        _RACE,
        before="#include <cstring>",
        publish="const std::size_t next = at + 1; "
        "std::memcpy(reinterpret_cast<void*>(&tail), &next, sizeof next);",
    ),
    "forges-reports-before-it-is-checked": Evasion(
        "system calls",
        before="#include <sys/syscall.h>\n#include <unistd.h>\n"
        'static const bool forged = [] { ::syscall(SYS_write, 4, "{}", 2); '
        "::syscall(SYS_exit_group, 0); return true; }();",
    ),
    "forges-before-other-initialisers": Evasion(
        "system calls",
        before="#include <sys/syscall.h>\n#include <unistd.h>\n"
        "__attribute__((constructor(101))) static void forge() { ::syscall(SYS_exit_group, 0); }",
    ),
    "forges-while-it-is-loaded": Evasion(
        "Leave the ifunc attribute out",
        before='extern "C" { static void (*choose())() { return nullptr; } }\n'
        '__attribute__((ifunc("choose"), used)) void chosen();',
    ),
    "answers-for-the-driver": Evasion(
        "signal 6",
        earlier="must not call system calls",
        before="#include <sys/syscall.h>\n#include <unistd.h>\n"
        "static const bool answered = [] { char bytes[64]; "
        "for (long n; (n = ::syscall(SYS_read, 3, bytes, sizeof bytes)) > 0;) "
        "::syscall(SYS_write, 4, bytes, n); return true; }();",
        case="throughput",
    ),
    "clears-the-runners-memory": Evasion(
        "the program's own memory",
        before="#include <cstring>\nstruct Three { long a, b, c; };",
        in_push="auto* at_ = reinterpret_cast<Three*>("
        "reinterpret_cast<std::uintptr_t>(&std::abort) + (1 << 16));"
        "std::memset(at_, 0, sizeof *at_);",
    ),
    "stores-outside-of-a-local-array": Evasion(
        "the program's own memory",
        before="static volatile long far_ = -(1l << 40);",
        in_push="long here[2] = {1, 2}; here[far_] = 0; if (here[far_ & 1] == 9) return false;",
    ),
    "returns-outside-of-the-program": Evasion(
        "the program's own memory",
        before="struct Four { long a, b, c, d; };\n"
        "__attribute__((noinline)) static Four four() { return {1, 2, 3, 4}; }",
        in_push="auto* at_ = reinterpret_cast<Four*>("
        "reinterpret_cast<std::uintptr_t>(&std::abort) + (1 << 16)); ::new (at_) Four(four());",
    ),
    "lets-an-allocator-write": Evasion(
        "the program's own memory",
        in_push="if (posix_memalign(reinterpret_cast<void**>("
        "reinterpret_cast<std::uintptr_t>(&std::abort) + (1 << 16)), 16, 16)) return false;",
    ),
    "frees-what-is-no-block": Evasion(
        "the start of an allocated block",
        before="static long block_[8] = {0, 0x40};",
        in_push="std::free(block_ + 2);",
    ),
    "lets-the-runner-jump": Evasion(
        "the beginning of a function",
        before='namespace __cxxabiv1 { extern "C" int '
        "__cxa_thread_atexit(void (*)(void*), void*, void*) noexcept; }",
        in_push="__cxxabiv1::__cxa_thread_atexit(reinterpret_cast<void (*)(void*)>("
        "reinterpret_cast<std::uintptr_t>(&std::abort) + 1), nullptr, nullptr);",
    ),
    "returns-into-the-runner": Evasion(
        "overwritten",
        before="__attribute__((noinline)) static void smash(volatile std::uintptr_t* at, long n) "
        "{ for (long i = 0; i < n; ++i) "
        "at[i] = reinterpret_cast<std::uintptr_t>(&std::abort) + 64; }\n"
        "__attribute__((noinline)) static void victim() "
        "{ volatile std::uintptr_t here[2] = {1, 2}; smash(here, 8); }",
        in_push="victim();",
    ),
    "overwrites-the-runners-frames": Evasion(
        "the program's own memory",
        in_push="volatile long here_[2] = {1, 2}; volatile long* at_ = here_; "
        "for (long i = 4096; i-- > 0;) at_[i] = 0;",
    ),
    "resumes-an-exception-of-its-own": Evasion(
        "is no exception",
        before='extern "C" void _Unwind_Resume(void*);\nstatic long fake[32];',
        in_push="_Unwind_Resume(fake);",
    ),
    "throws-a-type-of-its-own": Evasion(
        "is no exception",
        before='namespace __cxxabiv1 { extern "C" { void* __cxa_allocate_exception(unsigned long) '
        "noexcept; void __cxa_throw(void*, void*, void (*)(void*)); } }\nstatic long fake[32];",
        in_push="__cxxabiv1::__cxa_throw(__cxxabiv1::__cxa_allocate_exception(8), fake, nullptr);",
    ),
    "copies-by-a-builtin-pasted-together": Evasion(
        "must see every access",
        before="#define PASTE(a, b) a##b",
        publish="const std::size_t next = at + 1; "
        "PASTE(__builtin_, mempcpy)(reinterpret_cast<void*>(&tail), &next, sizeof next);",
    ),
    "fills-a-cell-by-a-result-in-memory": Evasion(
        _RACE,
        before=_TRIPLE,
        cell="Triple<T>",
        fill="::new (&cells[at % Capacity]) Triple<T>(tripled<T>(item));",
    ),
    "fills-a-cell-by-a-result-in-registers": Evasion(
        _RACE,
        before=_PAIR,
        cell="Pair<T>",
        fill="::new (&cells[at % Capacity]) Pair<T>(paired<T>(item));",
    ),
    "fills-a-cell-by-a-large-result": Evasion(
        _RACE,
        before="#include <new>\ntemplate <class T> struct Large { T items[64]; "
        "operator T() const { return items[0]; } };\n"
        "template <class T> __attribute__((noinline)) Large<T> large(T item) "
        "{ Large<T> made = {}; made.items[0] = item; return made; }",
        cell="Large<T>",
        fill="::new (&cells[at % Capacity]) Large<T>(large<T>(item));",
    ),
    "hides-its-lines": Evasion("Leave #line out", before='#line 1 "other.hpp"'),
}
