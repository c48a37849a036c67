"""Makes a program of a call's CUDA C++ kernels: the runtime, and a file for each source."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from graders.kernel.emulation import inspection
from graders.ports import (
    Environment,
    JudgeError,
    Launcher,
    ProgramLimits,
    ProgramSpec,
    StopReason,
)

GCC = "/usr/bin/g++"
ADDR2LINE = "/usr/bin/addr2line"
SOURCE_NAME = "kernel.cu"
LIMITS = ProgramLimits(
    cpu_time_s=60.0, wall_time_s=120.0, memory_mib=1024, output_kib=256, processes=8
)
_HEADERS = ("cuda.h", "entry.h", "machine.h", "watch.h")
_SOURCES = ("machine.cpp", "main.cpp", "watch.cpp")
_RUNTIME = ("-std=c++20", "-O2", "-Wall", "-Wextra")
_UNIT = (
    "-std=c++20",
    "-O1",
    "-g1",
    "-I.",
    "-fsanitize=thread",
    "--param=tsan-instrument-func-entry-exit=0",
    "-U__SANITIZE_THREAD__",
    "-ffp-contract=off",
    "-fpermissive",
    "-w",
)
_LITERAL_OR_COMMENT = re.compile(
    r'//(?:\\\n|[^\n])*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])\'(?:\\.|[^\'\\\n])*\'',
    re.DOTALL,
)
_ASSEMBLY = re.compile(r"\b(?:asm|__asm|__asm__)\b")
_DYNAMIC_SHARED = re.compile(
    r"\bextern\s+__shared__\s+((?:__align__\s*\(\s*\d+\s*\)\s*|alignas\s*\(\s*\d+\s*\)\s*)?)"
    r"([A-Za-z_][\w:<>\s,]*?)\s*\b(\w+)\s*\[\s*\]\s*;"
)
_C_BLOCK = re.compile(r'\bextern\s*"C"\s*\{')
_C_LINKAGE = re.compile(r'\bextern\s*"C"')


@dataclass(frozen=True, slots=True)
class NotCompiled:
    """g++ did not take what NVRTC took; `output` is what it said."""

    output: str


def assembly_line(source: str) -> int | None:
    """The first line with inline assembly, which only a GPU can run; None if there is none."""
    code = _LITERAL_OR_COMMENT.sub(
        lambda match: "".join("\n" if one == "\n" else " " for one in match[0]), source
    )
    found = _ASSEMBLY.search(code)
    return code.count("\n", 0, found.start()) + 1 if found else None


def build(
    launcher: Launcher, sources: Sequence[str], kernels: Sequence[tuple[int, str]]
) -> bytes | NotCompiled:
    """An executable with one entry for each of `kernels`: (index of its source, its name).

    Raises
    ------
    JudgeError
        If our own files do not compile.
    """
    runtime = _runtime(launcher)
    files = {name: _read(name) for name in _HEADERS} | runtime
    for number, source in enumerate(sources):
        names = [name for unit, name in kernels if unit == number]
        files[f"unit_{number}.cpp"] = _unit(number, source, names).encode()
    files["entries.cpp"] = _entries(kernels).encode()
    units = [f"unit_{number}" for number in range(len(sources))]
    commands = [
        *([GCC, *_UNIT, "-S", f"{one}.cpp", "-o", f"{one}.s"] for one in units),
        *([GCC, "-c", f"{one}.s", "-o", f"{one}.o"] for one in units),
        [GCC, *_RUNTIME, "-c", "entries.cpp", "-o", "entries.o"],
        [GCC, "-no-pie", *runtime, "entries.o", *(f"{one}.o" for one in units), "-o", "program"],
    ]
    made, said = _run(launcher, commands, files, ("program", *(f"{one}.s" for one in units)))
    if "program" not in made:
        return NotCompiled(said)
    assembly = [made[f"{one}.s"].decode(errors="replace") for one in units]
    if (refused := inspection.objection(assembly)) is not None:
        return NotCompiled(refused)
    return made["program"]


def source_line(launcher: Launcher, program: bytes, address: int) -> int | None:
    """Which line of its source a return address lies behind; None if it is not the kernel's."""
    command = [ADDR2LINE, "-i", "-e", "program", hex(address - 1)]
    spec = ProgramSpec(
        ("/bin/sh", "-c", f"{shlex.join(command)} >lines"),
        {"program": program},
        LIMITS,
        Environment.COMPILE_CPP,
    )
    said = launcher.run(spec, ("lines",)).collected.get("lines", b"").decode(errors="replace")
    # g++ gives the unit's own name to some functions, with the numbers that #line sets.
    found = re.search(rf"(?:{re.escape(SOURCE_NAME)}|unit_\d+\.cpp):(\d+)", said)
    return int(found[1]) if found else None


def _unit(number: int, source: str, names: Sequence[str]) -> str:
    # A namespace of its own for each source, so that two may use the same names: C's linkage,
    # which has no namespaces, goes.
    code = _C_LINKAGE.sub("", _C_BLOCK.sub("inline namespace gauntlet_c {", source))
    code = _DYNAMIC_SHARED.sub(
        r"[[maybe_unused]] \2* const \3 = (\2*)gauntlet::dynamic_shared();", code
    )
    space = f"gauntlet_unit_{number}"
    calls = "".join(
        f"void gauntlet_run_{number}_{name}(void* given) {{\n"
        f"    gauntlet::call({space}::{name}, static_cast<const gauntlet::Argument*>(given));\n}}\n"
        for name in dict.fromkeys(names)
    )
    return (
        f'#include "cuda.h"\nnamespace {space} {{\n#line 1 "{SOURCE_NAME}"\n{code}\n'
        f'#line 1 "calls.cpp"\n}}\n{calls}'
    )


def _entries(kernels: Sequence[tuple[int, str]]) -> str:
    functions = [f"gauntlet_run_{unit}_{name}" for unit, name in kernels]
    declared = "".join(f"void {one}(void*);\n" for one in dict.fromkeys(functions))
    rows = "".join(f"    {{{one}}},\n" for one in functions)
    return (
        f'#include "entry.h"\n{declared}extern const gauntlet::Entry gauntlet_entries[];\n'
        f"const gauntlet::Entry gauntlet_entries[] = {{\n{rows}}};\n"
    )


@cache
def _read(name: str) -> bytes:
    return resources.files("graders.kernel.emulation.runtime").joinpath(name).read_bytes()


_made: dict[str, bytes] = {}


def _runtime(launcher: Launcher) -> dict[str, bytes]:
    """The runtime's objects, compiled when first asked for."""
    if not _made:
        files = {name: _read(name) for name in (*_HEADERS, *_SOURCES)}
        objects = {name: name.replace(".cpp", ".o") for name in _SOURCES}
        commands = [[GCC, *_RUNTIME, "-c", name, "-o", made] for name, made in objects.items()]
        collected, said = _run(launcher, commands, files, tuple(objects.values()))
        if set(collected) != set(objects.values()):
            raise JudgeError(f"the emulator must compile, it does not: {said[:2000]}")
        _made.update(collected)
    return dict(_made)


def _run(
    launcher: Launcher,
    commands: Sequence[Sequence[str]],
    files: dict[str, bytes],
    collect: tuple[str, ...],
) -> tuple[dict[str, bytes], str]:
    script = " && ".join(shlex.join(command) for command in commands)
    spec = ProgramSpec(("/bin/sh", "-c", script), files, LIMITS, Environment.COMPILE_CPP)
    done = launcher.run(spec, collect)
    said = done.stderr.decode(errors="replace")
    if done.outcome.reason is not StopReason.EXITED or done.outcome.exit_code != 0:
        return {}, said or done.outcome.reason.value
    return dict(done.collected), said
