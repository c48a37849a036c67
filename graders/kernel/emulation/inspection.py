"""Looks at the assembly that g++ made of a kernel, before any of it runs.

A kernel shares a process with the code that watches it. NVRTC takes a kernel only if a GPU could
run it, but a macro can show g++ another one; so what no kernel has is refused here: functions of
the host's libraries, code that runs by itself, system calls.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from graders.text import say

_LABEL = re.compile(r"^([A-Za-z_.$][\w.$]*):", re.MULTILINE)
_DEFINED = re.compile(r"^\t\.(?:comm|lcomm|local|set)\s+([\w.$]+)", re.MULTILINE)
_CALLED = re.compile(r"^\t(?:call|jmp|j\w+)\s+([A-Za-z_][\w.$]*)(?:@PLT)?$", re.MULTILINE)
_NAMED = re.compile(
    r"(?:[\s,$(]([A-Za-z_][\w.$]*)(?:[-+]\d+)?(?:@[A-Z]+)?\(%\w+|"
    r"\.(?:quad|long)\s+([A-Za-z_][\w.$]*)|\$([A-Za-z_][\w.$]*)|%fs:([A-Za-z_][\w.$]*)@)"
)
_SELF_STARTING = re.compile(
    r"^\t\.section\t(\.(?:init|fini|ctors|dtors|preinit_array)\b[^,\n]*).*\n((?:\t\..*\n)*)",
    re.MULTILINE,
)
_OF_THE_SANITIZER = re.compile(r"(?:\t\.align 8\n)?\t\.quad\t_sub_I_00099_0\n")
_HOST_CODE = re.compile(r"^(?:#APP|\t(?:syscall|sysenter|int)\b.*|.*gnu_indirect_function)", re.M)
_ALLOWED = re.compile(
    r"__tsan_(?:init|(?:unaligned_|volatile_)?(?:read|write)\d+|(?:read|write)_range|vptr_\w+)|"
    r"_ZN8gauntlet(?:4hereE|13block_barrierEv|11block_countEb|12warp_barrierEj|"
    r"13warp_exchangeEjPKvj|9warp_slotEj|8warp_hasEjj|14dynamic_sharedEv|"
    r"12watch_atomicEPvjPKv|5fenceEv)|gauntlet_mem(?:cpy|set)|mem(?:cpy|set|move|cmp)|"
    r"(?:a?(?:sin|cos|tan)h?|atan2|exp(?:2|10|m1)?|log(?:2|10|1p|b)?|pow|sqrt|cbrt|hypot|erfc?|"
    r"[lt]gamma|floor|ceil|trunc|(?:l?l)?round|(?:near|l?l?r)by?int|l?l?rint|fmod|remainder|"
    r"fma|fmin|fmax|fabs|fdim|ldexp|scalbl?n|frexp|modf|ilogb|copysign|nextafter|sincos)[fl]?|"
    r"__[a-z]+(?:[sdtx][ifc]){1,2}\d?|"  # libgcc's arithmetic
    r"printf|puts|putchar|abort|__assert_fail|__stack_chk_fail|__gxx_personality_v0|_Unwind_Resume|"
    r"_GLOBAL_OFFSET_TABLE_|_ZTV\w+|__cxa_pure_virtual|gauntlet_run_\w+"
)


def objection(assembly: Sequence[str]) -> str | None:
    """Why these files of assembly, one of each source of a call, are not a kernel's; or None."""
    for text in assembly:
        if found := _HOST_CODE.search(text):
            return _refused(found[0])
        for section in _SELF_STARTING.finditer(text):
            return _refused(section[1])
        for array in re.finditer(
            r"^\t\.section\t(\.init_array[^,\n]*|\.fini_array[^,\n]*).*\n((?:\t\..*\n)*)",
            text,
            re.MULTILINE,
        ):
            if not _OF_THE_SANITIZER.match(array[2]):
                return _refused(array[1])
        known = {*_LABEL.findall(text), *_DEFINED.findall(text)}
        named = {name for match in _NAMED.findall(text) for name in match if name}
        for name in sorted({*_CALLED.findall(text), *named} - known):
            if not _ALLOWED.fullmatch(name):
                return _refused(name)
    return None


def _refused(name: str) -> str:
    return say(
        "A kernel must hold nothing but what a GPU can run, and for the processor this one has "
        "{name}. Leave it out.",
        name=name.strip()[:100],
    )
