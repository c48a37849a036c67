"""Command lines that build the model checker and a program to check, and that run it.

A program is one C++ file that includes the submission and defines scenarios (``check.h``). gcc's
``-fsanitize=thread`` turns each access of it into a call; the runner supplies those calls, so
libtsan is never linked. clang emits other calls and is not supported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from graders.text import say

RUNTIME_OPTIONS = ("-std=c++20", "-O2", "-g0", "-Wall", "-Wextra")
PROGRAM_OPTIONS = (
    "-std=c++20",
    "-O1",
    "-g",
    "-fPIC",
    "-mcx16",
    "-fsanitize=thread",
    "--param=tsan-instrument-func-entry-exit=0",
    "-Wno-tsan",  # fences are modelled here, whatever gcc says of libtsan
    "-U__SANITIZE_THREAD__",  # or a submission could behave while it is watched
    "-D_GLIBCXX_TSAN=1",  # libstdc++ must know: else shared_ptr reads two counters as one word
    "-Dno_sanitize(...)=",
    "-Dno_sanitize_thread=",
    "-D__no_sanitize__(...)=",
    "-D__no_sanitize_thread__=",
    # Indirect calls and returns become jumps to the runner's functions (boundary.cpp), which see
    # that they stay in the program.
    "-mindirect-branch=thunk-extern",
    "-mindirect-branch-register",
    "-mfunction-return=thunk-extern",
    "-fcf-protection=none",
    "-mno-red-zone",  # calls are put between the instructions (stores.sed)
    "-fno-gnu-unique",
    "-fno-ipa-ra",  # those functions take registers that gcc would think untouched
    "-fno-jump-tables",
    "-fno-optimize-sibling-calls",
    # gcc would write a short copy of memory into the code, where nothing instruments it.
    "-fno-builtin",
    *(
        f"-D__builtin_{function}={function}"
        for function in ("memcpy", "memmove", "memset", "memcmp")
    ),
    *("-include", "cstring"),
)
TEXTUAL_EXCEPTIONS = (
    *("11logic_error", "12domain_error", "16invalid_argument", "12length_error"),
    *("12out_of_range", "13runtime_error", "11range_error", "14overflow_error"),
    "15underflow_error",
)
_WRAPPED = (
    *("memcpy", "memmove", "memset", "memcmp", "strlen", "strcmp"),
    *(
        f"_ZNSt8__detail15_List_node_base{function}"
        for function in ("7_M_hookEPS0_", "9_M_unhookEv", "11_M_transferEPS0_S1_")
    ),
    *(f"_ZNSt{name}C1EPKc" for name in TEXTUAL_EXCEPTIONS),
    "_ZSt11_Hash_bytesPKvmm",
    *(
        f"_ZNKSt8__detail20_Prime_rehash_policy{function}"
        for function in ("11_M_next_bktEm", "14_M_need_rehashEmmm")
    ),
)
STORES = "stores.sed"  # of the folder runtime: each store is looked at first
SCRIPT = "program.ld"  # of the folder runtime: static initialisers run when the runner says so
LINK_OPTIONS = (
    "-shared",
    "-nostartfiles",
    # The runner exports what its own templates became; the program must call its own, which are
    # instrumented.
    "-Wl,-Bsymbolic",
    "-Wl,-z,now",  # what the loader writes lazily could not be told from the program's own data
    "-Wl," + ",".join(f"--wrap={name}" for name in _WRAPPED),
)
# With real threads atomics of 16 bytes are calls of libatomic, which comes with g++.
THREADS_LIBRARIES = ("-pthread", "-latomic")
# Of programs with real threads: the drivers define what becomes of a submission's system calls.
THREADS_LINK = ("-Wl,--wrap=syscall", "-Wl,-z,now")


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """How far to search. Executions are counted for each scenario.

    A search that ends by its counts gives the same answer whenever it is repeated with the same
    seed; `time_limit_s` of the processor's time is there for programs that are larger than
    expected.
    """

    random_executions: int = 3000
    exhaustive_executions: int = 200_000
    time_limit_s: float = 8.0


def compile_runtime(gcc: str, source: str, output: str) -> tuple[str, ...]:
    """Compile one file of the runtime."""
    return (gcc, *RUNTIME_OPTIONS, "-c", source, "-o", output)


def link_runner(gcc: str, objects: Sequence[str], output: str) -> tuple[str, ...]:
    """Link the runtime's objects; programs find its functions because it exports them."""
    return (gcc, "-s", "-rdynamic", *objects, "-o", output, "-ldl")


def compile_program(
    gcc: str, source: str, output: str, include: Sequence[str], defines: Sequence[str] = ()
) -> tuple[str, ...]:
    """Compile a program to assembly; `include` must name the folder of ``check.h``."""
    folders = [f"-I{folder}" for folder in include]
    macros = [f"-D{define}" for define in defines]
    return (gcc, *PROGRAM_OPTIONS, *folders, *macros, "-S", source, "-o", output)


def look_at_stores(sed: str, assembly: str, script: str) -> tuple[str, ...]:
    """Put the runner's look before each store of an assembly; the file is changed, and kept.

    `script` is the path of the runtime's ``stores.sed``. The original gets the suffix
    ``.compiled``.
    """
    return (sed, "-E", "-i.compiled", "-f", script, assembly)


def assemble_program(gcc: str, assembly: str, output: str) -> tuple[str, ...]:
    """Make an object file of a compiled program."""
    return (gcc, "-c", assembly, "-o", output)


def link_program(gcc: str, object_file: str, output: str, script: str) -> tuple[str, ...]:
    """Link a compiled program into the shared object that the runner opens.

    `script` is the path of the runtime's ``program.ld``.
    """
    return (gcc, object_file, "-o", output, *LINK_OPTIONS, f"-Wl,-T,{script}")


def check(
    runner: str,
    program: str,
    *,
    descriptor: int,
    seed: int,
    limits: SearchLimits,
    scenarios: Mapping[str, int] | None = None,
) -> tuple[str, ...]:
    """Look for a counterexample in all scenarios, at random first and then exhaustively.

    `scenarios` names the only ones, each with a number of exhaustive executions of its own.
    """
    chosen = [("--scenario", f"{name}:{number}") for name, number in (scenarios or {}).items()]
    return (
        *(runner, "check", program, "--fd", str(descriptor), "--seed", str(seed)),
        *(argument for pair in chosen for argument in pair),
        *("--random-executions", str(limits.random_executions)),
        *("--exhaustive-executions", str(limits.exhaustive_executions)),
        *("--time-limit-s", str(limits.time_limit_s)),
    )


def progress(
    runner: str, program: str, *, descriptor: int, seed: int, scenario: str | None = None
) -> tuple[str, ...]:
    """Suspend threads for ever and name each scenario's progress class."""
    return _of_scenarios(runner, "progress", program, descriptor, seed, scenario)


def cache_lines(
    runner: str, program: str, *, descriptor: int, seed: int, scenario: str | None = None
) -> tuple[str, ...]:
    """Find variables of two threads in one cache line."""
    return _of_scenarios(runner, "lines", program, descriptor, seed, scenario)


def _of_scenarios(
    runner: str, task: str, program: str, descriptor: int, seed: int, scenario: str | None
) -> tuple[str, ...]:
    command = (runner, task, program, "--fd", str(descriptor), "--seed", str(seed))
    return command if scenario is None else (*command, "--scenario", scenario)


def replay(
    runner: str, program: str, *, descriptor: int, scenario: str, schedule: str
) -> tuple[str, ...]:
    """Repeat one execution and tell it step by step."""
    return (
        *(runner, "replay", program, "--fd", str(descriptor)),
        *("--scenario", scenario, "--schedule", schedule),
    )


def outcomes(
    runner: str, program: str, *, descriptor: int, search: str = "reduced"
) -> tuple[str, ...]:
    """List all outcomes of each scenario; `search` is ``reduced``, ``full`` or ``random``."""
    return (runner, "outcomes", program, "--fd", str(descriptor), "--search", search)


def resolve_lines(addr2line: str, program: str, pcs: Sequence[str]) -> tuple[str, ...]:
    """Ask binutils for the source lines of program counters, inlined calls included."""
    return (addr2line, "-a", "-i", "-e", program, *pcs)


_LITERAL_OR_COMMENT = re.compile(
    r'R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r"|//(?:\\\n|[^\n])*|/\*.*?\*/"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])*'",
    re.DOTALL,
)
_ASSEMBLY = re.compile(r"\b(?:asm|__asm|__asm__)\b")
_CHECKER = re.compile(
    r"\b(?:__SANITIZE_\w+|_GLIBCXX_TSAN\w*|__tsan_\w+|__asan_\w+|gauntlet_\w+|\w*no_sanitize\w*)\b"
)
# What gcc writes into the code itself is no call that a hook could stand for. These touch no
# memory, or are names of the functions that the runner stands for.
_HARMLESS = "|".join(
    (
        *("expect", "expect_with_probability", "unreachable", "trap", "prefetch", "ia32_pause"),
        *(r"clz\w*", r"ctz\w*", r"popcount\w*", r"ffs\w*", r"parity\w*", r"clrsb\w*", r"bswap\d+"),
        *(r"\w*_overflow(?:_p)?", "assume_aligned", "addressof", "launder", "bit_cast", "abs"),
        *("constant_p", "is_constant_evaluated", "offsetof", "object_size", "types_compatible_p"),
        *(r"huge_val\w*", r"inf\w?", r"nan\w?", "LINE", "FILE", "FUNCTION", "labs", "llabs"),
        *("memcpy", "memmove", "memset", "memcmp"),
    )
)
_UNSEEN = re.compile(
    rf"\b(?:__builtin_(?!(?:{_HARMLESS})\b)\w+|_mm(?:256|512)?_(?!pause\b)\w+|__seg_[fg]s)\b"
)
_RENUMBERED = re.compile(r"^[ \t]*(?:#|%:)[ \t]*(?:line\b|\d)", re.MULTILINE)
_MARKER = re.compile(r'^# \d+ "([^"]*)"')


def own_part(preprocessed: str, name: str) -> str:
    """What the preprocessor made of the file `name`, without what that includes."""
    own = False
    lines = []
    for line in preprocessed.splitlines():
        if marker := _MARKER.match(line):
            own = PurePath(marker[1]).name == name
        elif own:
            lines.append(line)
    return "\n".join(lines)


def refusal(source: str) -> str | None:
    """Why this source cannot be checked at all, or None.

    Inline assembly is not instrumented: what it stores no checker sees. Nor are functions that the
    compiler writes into the code. A submission that knows that it is watched could behave. The
    words are refused outside of comments and literals, even where a macro would give them another
    meaning.
    """
    code = _LITERAL_OR_COMMENT.sub(lambda match: " " * len(match[0]), source.replace("\r", ""))
    for text in (code.replace("\\\n", ""), code):
        if found := _ASSEMBLY.search(text):
            return say(
                "Inline assembly is not allowed, since the model checker cannot see what it does: "
                "found {word}. Use std::atomic.",
                word=found[0],
            )
        if found := _CHECKER.search(text):
            return say(
                "Names of the checker are reserved: found {word}. Choose another name.",
                word=found[0],
            )
        if found := _UNSEEN.search(text):
            return say(
                "The model checker must see every access, and it does not see what {word} does. "
                "Use std::atomic, std::memcpy and the language's own words.",
                word=found[0],
            )
        if _RENUMBERED.search(text):
            return say("Lines must keep their numbers and files their names. Leave #line out.")
    return None


def is_own(path: str, own: Sequence[str]) -> bool:
    """Whether a file that a debugger names is one of the candidate's."""
    return PurePath(path).name in {PurePath(name).name for name in own}
