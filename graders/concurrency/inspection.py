"""Looks at the assembly that the compiler made of a submission, before any of it runs.

The model checker sees what comes through its hooks, and it shares a process with the submission. So
what could go round the hooks is refused here, where macros and spellings hide nothing any more:
instructions that nobody instruments, data that could be run, and functions of libraries other than
those that the model checker knows or that do no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from graders.concurrency.build import TEXTUAL_EXCEPTIONS
from graders.text import say

_SECTION = re.compile(r"\.(?:section\s+([^,\s]+)(?:,\s*\"([^\"]*)\")?|(text|data|bss)\b)")
_DATA = re.compile(
    r"\.(?:byte|value|short|word|hword|long|int|quad|octa|string|ascii|asciz|zero|"
    r"skip|space|fill|incbin|2byte|4byte|8byte)\b"
)
_PADDING = ".value\t0x6666"  # part of the usual call of __tls_get_addr
_UNSEEN = re.compile(
    r"(?:syscall|sysenter|int\s|int3|in\w?\s|out\w?\s|"
    r"rdtsc|rdtscp|rdpmc|cpuid|rdfsbase|rdgsbase|wrfsbase|wrgsbase|rdpkru|wrpkru|"
    r"xbegin|xend|xabort|xtest|xsave|xrstor|fxsave|fxrstor|clflush|clwb|cldemote|prefetchw|"
    r"v?movnt|v?maskmov|movdir|enqcmd|monitor|mwait|umwait|tpause|umonitor|lgdt|"
    r"rdrand|rdseed|rdpid|fence_i|hlt)"
)
# A store that stores.sed does not understand, or that has no single place: AVX, a segment, a fixed
# address, a string instruction without its repetition, a comment that hides an operand.
_OPERAND = r"[-+\w.$@]*\((?:%\w+)?(?:,%\w+(?:,[1248])?)?\)"
_ODD_STORE = re.compile(
    r"(?:v[a-z]\w*\s|(?:rep\w*\s+)?(?:stos|movs)[bwlq]$|(?:rep\w*\s+)?(?:cmps|scas|lods|ins|outs)[bwlq]?$|"
    r"std$|.*%[fg]s:|.*#|.*[\s,](?:[-+]\d+|\d{4,})$|movabs\w*\s+%)"
)
_FILL = re.compile(r"rep (?:stos|movs)[bwlq]$")
_IN_MEMORY = re.compile(r".*\)$")
_KNOWN_PLACE = re.compile(rf".*\s{_OPERAND}$")
_ATOMIC = re.compile(r"(?:lock|xchg\w*\s+.*\(|cmpxchg|xadd|[mls]fence)")
_CALL = re.compile(r"(?:call|jmp)q?\s+\*")
_SYMBOL = re.compile(r"([A-Za-z_.$][\w.$]*)@(?:PLT|GOTPCREL|GOT|GOTTPOFF|TLSGD|TLSLD)")
_PLAIN_CALL = re.compile(r"(?:call|jmp)q?\s+([A-Za-z_][\w.$]*)$")
_POINTER = re.compile(r"\.quad\s+([A-Za-z_][\w.$]*)")
_GLOBAL = re.compile(r"\.(?:globl|global|weak)\s+([\w.$]+)")
_COMMON = re.compile(r"\.(?:comm|lcomm|local)\s+([\w.$]+)")
# Whatever has another name may be code.
_DATA_SECTIONS = (
    ".data", ".rodata", ".bss", ".tdata", ".tbss", ".gcc_except_table", ".init_array",
    ".fini_array", ".debug_", ".note", ".comment", ".stapsdt", ".gnu.linkonce.d",
)  # fmt: skip
# The unwinder believes the one, and code in the others would run when the program is opened.
_RESERVED_SECTIONS = re.compile(
    r"\.(?:eh_frame|init|fini|ctors|dtors|preinit_array|gauntlet|dynamic|interp|got|plt)\b(?!_array)"
)
_FUNCTION = re.compile(r"\.type\s+([\w.$]+),\s*@(?:function|gnu_indirect_function)")
_LABEL = re.compile(r"([A-Za-z_.$][\w.$]*):")
_ALIAS = re.compile(r"\.(?:set|symver|equ)\b|=")

# What a submission may ask of a library, and why each is harmless with any argument: a submission
# can call it with pointers that it made up.
_ALLOWED = re.compile(
    # The runner's own functions (hooks_*.cpp, boundary.cpp, exceptions.cpp). Each looks first at
    # what it is to touch or to call (`guard`, `guard_call`), or takes no pointer.
    r"__tsan_\w+|__x86_(?:return_thunk|indirect_thunk_\w+)|_Zn[wa]m\w*|_Zd[la]Pv\w*|"
    r"malloc|free|calloc|realloc|aligned_alloc|posix_memalign|"
    r"memcpy|memmove|memset|memcmp|strlen|strcmp|"
    r"pthread_mutex_(?:lock|trylock|unlock|init|destroy)|"
    r"pthread_cond_(?:init|destroy|wait|timedwait|clockwait|signal|broadcast)|"
    r"pthread_spin_(?:init|destroy|lock|trylock|unlock)|"
    r"pthread_rwlock_(?:rdlock|wrlock|unlock)|pthread_(?:create|join|detach|self)|"
    r"sched_yield|nanosleep|clock_nanosleep|syscall|__tls_get_addr|"
    r"__cxa_(?:atexit|thread_atexit|guard_acquire|guard_release|guard_abort)|"
    r"__cxa_(?:allocate_exception|free_exception|throw|begin_catch|get_exception_ptr)|"
    r"_Unwind_Resume|abort|exit|_exit|_Exit|quick_exit|__assert_fail|atexit|"
    # libstdc++'s, which the runner wraps for the program (hooks_library.cpp).
    r"_ZNSt8__detail15_List_node_base(?:7_M_hook|9_M_unhook|11_M_transfer)E\w+|"
    r"_ZSt11_Hash_bytesPKvmm|"
    rf"_ZNSt(?:{'|'.join(TEXTUAL_EXCEPTIONS)})C1EPKc|"
    r"_ZNKSt8__detail20_Prime_rehash_policy1(?:1_M_next_bkt|4_M_need_rehash)E\w+|"
    # No pointers, or only a text that an exception is made of.
    r"abs|labs|__errno_location|__atomic_is_lock_free|__cxa_(?:end_catch|rethrow|pure_virtual|deleted_virtual)|"
    r"__cxa_(?:throw_bad_array_new_length|bad_cast|bad_typeid)|_ZSt9terminatev|"
    r"_ZSt\d+__throw_\w+|__stack_chk_fail|_ZNSt6thread20hardware_concurrencyEv|"
    r"_ZNSt3_V2(?:15system_category|16generic_category)Ev|"
    # They count, and look at no object.
    r"_ZNSt8ios_base4Init[CD]1Ev|"
    # Members that do nothing but call the runner's: what they were given is looked at there.
    r"_ZNSt18condition_variable\w+|_ZNSt28__atomic_futex_unsigned_base\w+|"
    r"_ZNSt6thread(?:15_M_start_thread\w+|4joinEv|6detachEv|6_StateD\dEv)|"
    # Exceptions without members, and the comparison of two types, which only reads.
    r"_ZNK?St(?:9exception|9bad_alloc|20bad_array_new_length|8bad_cast|10bad_typeid|"
    r"13bad_exception|12bad_weak_ptr|17bad_function_call)(?:D\dEv|4whatEv)|"
    r"_ZNSt19_Sp_make_shared_tag5_S_eqERKSt9type_info|"
    # Data, which can be read.
    r"__dso_handle|_GLOBAL_OFFSET_TABLE_|__libc_single_threaded|_ZSt7nothrow|_ZT[VIS]\w+|"
    r"__pthread_key_create|"
    r"gauntlet_(?:make|destroy|push|pop|allocate|release|write|read)_\d+"
)
# The unwinder calls the one and the library the others, for exceptions that __cxa_throw has looked
# at. Nobody else may: they write where they are told to.
_ONLY_POINTED_AT = ("__gxx_personality_v0",)
_DESTRUCTOR = re.compile(rf"_ZNSt(?:{'|'.join(TEXTUAL_EXCEPTIONS)})D[12]Ev")
# Where nothing is instrumented, the sanitizers' functions too.
_SANITIZERS = re.compile(r"__asan_\w+|__ubsan_\w+")
# With real threads an atomic of 16 bytes is a call of libatomic; under the model checker, a hook.
_LIBATOMIC = re.compile(r"__atomic_(?:load|store|exchange|compare_exchange|fetch_[a-z]+)_16")
_OWN_EXPORTS = re.compile(r"gauntlet_(?:make|destroy|push|pop|allocate|release|write|read)_\d+")
_ADVICE = {
    "printf": "stdout", "puts": "stdout", "putchar": "stdout", "_ZSt4cout": "stdout",
    "_ZSt15__once_callable": "once", "_ZSt11__once_call": "once", "pthread_once": "once",
    "__once_proxy": "once", "fork": "process", "vfork": "process", "execve": "process",
    "system": "process",
    "__atomic_load": "wide", "__atomic_store": "wide", "__atomic_exchange": "wide",
    "__atomic_compare_exchange": "wide",
    "setjmp": "jump", "_setjmp": "jump", "__sigsetjmp": "jump", "longjmp": "jump",
}  # fmt: skip


def objection(assembly: str, *, instrumented: bool = True) -> str | None:
    """Why the submission that became this assembly cannot be checked, or None.

    `instrumented` says that it was compiled for the model checker: each atomic instruction is a
    call then, and one that is none was made behind the compiler's back.
    """
    return next(_objections(assembly, instrumented), None)


def _objections(assembly: str, instrumented: bool) -> Iterator[str]:
    executable = False
    defined: set[str] = set()
    used: dict[str, None] = {}
    called: set[str] = set()
    exported: list[str] = []
    functions: set[str] = set()
    kinds: dict[str, bool] = {}  # section -> whether it may hold code
    for raw in assembly.splitlines():
        line = raw.strip()
        if not line or raw.startswith("#NO_APP"):
            continue
        if raw.startswith("#APP"):
            yield say(
                "Inline assembly is not allowed, since the model checker cannot see what it does. "
                "Use std::atomic and std::atomic_thread_fence."
            )
            continue
        if label := _LABEL.match(line):
            defined.add(label[1])
            continue
        if line.startswith("."):
            if section := _SECTION.match(line):
                name, flags, short = section.groups()
                name = name or f".{short}"
                if _RESERVED_SECTIONS.match(name):
                    yield say(
                        "The section {name} is reserved. Leave the section attribute out.",
                        name=name[:80],
                    )
                executable = "x" in (flags or "") or not name.startswith(_DATA_SECTIONS)
                # The assembler keeps a section's first flags, whatever is written later.
                if kinds.setdefault(name, executable) is not executable:
                    yield say(
                        "Code and data must have different sections: {name} has both. Leave the "
                        "section attribute out.",
                        name=name[:80],
                    )
            elif line.startswith((".pushsection", ".previous")):
                executable = True  # gcc writes neither for code; what follows is looked at
            elif executable and _DATA.match(line) and raw.strip() != _PADDING:
                yield say(
                    "Data must not lie among the instructions: {line}. Leave the section attribute "
                    "out.",
                    line=line[:80],
                )
            elif _ALIAS.match(line) and not line.startswith(".set\t.L"):
                defined.add(line.split(None, 1)[1].split(",")[0])
                if not _is_clone_alias(line):
                    yield say(
                        "One name must not stand for another in the assembly: {line}. Leave the "
                        "alias attribute out.",
                        line=line[:80],
                    )
            if common := _COMMON.match(line):
                defined.add(common[1])
            if function := _FUNCTION.match(line):
                functions.add(function[1])
                if "gnu_indirect_function" in line:
                    yield say(
                        "No function may choose another while the program is loaded, and {name} "
                        "does. Leave the ifunc attribute out.",
                        name=function[1][:80],
                    )
            if visible := _GLOBAL.match(line):
                exported.append(visible[1])
            if pointer := _POINTER.match(line):
                used.setdefault(pointer[1])
            continue
        if not executable:
            continue
        if _UNSEEN.match(line) or (instrumented and _is_unseen_store(line)):
            yield say(
                "The model checker must see every access, and it does not see the instruction "
                "{instruction}. Use std::atomic instead of the compiler's or the processor's own "
                "functions; of those only a pause is allowed.",
                instruction=line.replace("\t", " ")[:60],
            )
        if instrumented and _CALL.match(line) and "__tls_get_addr" not in line:
            yield say("A call through memory cannot be checked: {line}.", line=line[:80])
        for symbol in _SYMBOL.findall(line):
            used.setdefault(symbol)
            called |= {symbol} if "GOT" not in line else set()
        if call := _PLAIN_CALL.match(line):
            used.setdefault(call[1])
            called.add(call[1])
    # A global variable has its own name in C++ too; it must only not be a name of the judge's.
    doubtful = [
        name
        for name in exported
        if name in functions or name.startswith("gauntlet_") or _ALLOWED.fullmatch(name)
    ]
    yield from _about_exports(doubtful, defined)
    foreign = [name for name in used if name not in defined]
    yield from _about_libraries(
        [name for name in foreign if not _may_use(name, called, instrumented)]
    )


def _is_unseen_store(line: str) -> bool:
    """Whether an instruction stores where neither a hook nor ``stores.sed`` looks first."""
    if _ATOMIC.match(line):
        return True
    if _FILL.match(line) or line.startswith(("call", "j")):
        return False
    if _ODD_STORE.match(line):
        return True
    return bool(_IN_MEMORY.match(line)) and not _KNOWN_PLACE.match(line)


def _may_use(name: str, called: set[str], instrumented: bool) -> bool:
    if name in _ONLY_POINTED_AT or _DESTRUCTOR.fullmatch(name):
        return name not in called
    if not instrumented and (_SANITIZERS.fullmatch(name) or _LIBATOMIC.fullmatch(name)):
        return True
    return name.startswith(".") or bool(_ALLOWED.fullmatch(name))


def _is_clone_alias(line: str) -> bool:
    """Constructors of one body: gcc makes C1 an alias of C2 by itself."""
    parts = [part.strip() for part in line.split(None, 1)[1].split(",")]
    return len(parts) == 2 and all(re.fullmatch(r"_ZN\w*[CD][0-5]\w*", part) for part in parts)


def _about_exports(exported: list[str], defined: set[str]) -> Iterator[str]:
    for name in exported:
        if name in defined and not name.startswith("_Z") and not _OWN_EXPORTS.fullmatch(name):
            if name.startswith("DW.ref."):
                continue
            yield say(
                "Functions and variables must have C++ linkage, or they could stand in for the "
                'checker\'s own: {name} has not. Leave extern "C" out.',
                name=name[:80],
            )


def _about_libraries(names: list[str]) -> Iterator[str]:
    for name in names:
        match "tree" if "_Rb_tree_" in name else _ADVICE.get(name, ""):
            case "tree":
                advice = say(
                    "std::map and std::set are not modelled: use std::unordered_map, std::list or "
                    "an array."
                )
            case "stdout":
                advice = say("Leave the output out: millions of executions would print.")
            case "process":
                advice = say("The scenario starts the threads, and there are no processes.")
            case "once":
                advice = say("std::call_once is not modelled: use a static variable instead.")
            case "wide":
                advice = say(
                    "A std::atomic of more than 16 bytes is a lock inside the library: keep to "
                    "8 bytes, or 16 that are aligned."
                )
            case "jump":
                advice = say("Return from functions instead.")
            case _:
                advice = say(
                    "Threads share memory through std::atomic, std::mutex and what the headers "
                    "<atomic>, <mutex>, <memory> and the containers bring."
                )
        yield say(
            "A submission may use the C++ library as far as the model checker knows it, and "
            "{name} it does not know. {advice}",
            name=name[:120],
            advice=advice,
        )
