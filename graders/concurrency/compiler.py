"""Compiles a submission with the files around it, in a sandbox, and tells of the errors."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graders.concurrency import build
from graders.concurrency.program import SUBMISSION
from graders.concurrency.runner import GCC, RUNTIME
from graders.ports import (
    Environment,
    Finished,
    JudgeError,
    Launcher,
    Outcome,
    ProgramLimits,
    ProgramSpec,
    StopReason,
)
from graders.text import say

LIMITS = ProgramLimits(
    cpu_time_s=30.0, wall_time_s=60.0, memory_mib=1024, output_kib=256, processes=8
)
ADDR2LINE = "/usr/bin/addr2line"
READELF = "/usr/bin/readelf"
SED = "/usr/bin/sed"
_LAID = ("check.h", build.SCRIPT, build.STORES)
_SHOWN_LINES = 60
_ERROR = re.compile(rf"^{re.escape(SUBMISSION)}:(\d+):(?:\d+:)? (?:fatal )?error: (.*)$", re.M)
_OUR_ERROR = re.compile(r"^(?:scenarios|main)\.cpp:\d+:.* error: ", re.M)
_UNDEFINED = re.compile(r"undefined reference to [`'](.*)'$", re.M)
_FOREIGN_ERROR = re.compile(r"^\S+: (?:fatal )?error: (?:static assertion failed: )?(.*)$", re.M)


@dataclass(frozen=True, slots=True)
class NotCompiled:
    """The submission did not compile, or cannot be checked; `output` is what the compiler said."""

    message: str
    output: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program, and what the compiler made of the submission on the way: as assembly, and for the
    model checker also as text without macros.
    """

    program: bytes
    assembly: str
    preprocessed: str = ""


def compile_for_checker(
    launcher: Launcher, source: bytes, interface: str, scenarios: str
) -> Compiled | NotCompiled:
    """A shared object for the model checker."""
    files = {
        SUBMISSION: source,
        "interface.cpp": interface.encode(),
        "scenarios.cpp": scenarios.encode(),
        **{name: (RUNTIME / name).read_bytes() for name in _LAID},
    }
    options = (*build.PROGRAM_OPTIONS, "-I.")
    commands = [
        (GCC, *options, "-save-temps", "-S", "interface.cpp", "-o", "interface.s"),
        build.look_at_stores(SED, "interface.s", build.STORES),
        build.assemble_program(GCC, "interface.s", "interface.o"),
        (GCC, *options, "-c", "scenarios.cpp", "-o", "scenarios.o"),
        (
            *(GCC, "interface.o", "scenarios.o", "-o", "program.so"),
            *(*build.LINK_OPTIONS, f"-Wl,-T,{build.SCRIPT}"),
        ),
    ]
    return _compile(
        *(launcher, files, commands, "program.so", "interface.s.compiled", "interface.ii")
    )


def compile_for_threads(
    launcher: Launcher,
    source: bytes,
    files: Mapping[str, str],
    options: Sequence[str],
    defines: Sequence[str],
) -> Compiled | NotCompiled:
    """A program of its own; `files` holds ``interface.cpp`` and ``main.cpp``.

    `defines` are for ``main.cpp`` alone: the submission must not see which program it is part of.
    """
    laid = {SUBMISSION: source, **{name: text.encode() for name, text in files.items()}}
    commands = [
        (GCC, *options, "-S", "interface.cpp", "-o", "interface.s"),
        (GCC, "-c", "interface.s", "-o", "interface.o"),
        (GCC, *options, *defines, "-c", "main.cpp", "-o", "main.o"),
        (
            *(GCC, *options, "interface.o", "main.o", "-o", "program"),
            *(*build.THREADS_LIBRARIES, *build.THREADS_LINK),
        ),
    ]
    return _compile(launcher, laid, commands, "program", "interface.s")


def _compile(
    launcher: Launcher,
    files: Mapping[str, bytes],
    commands: Sequence[Sequence[str]],
    program: str,
    *others: str,
) -> Compiled | NotCompiled:
    # The submission's own file is compiled first; what fails later and names none of it is ours.
    script = " && ".join(shlex.join(command) for command in commands)
    done = _run(launcher, ("/bin/sh", "-c", script), files, (program, *others))
    said = done.stderr.decode(errors="replace")
    if done.outcome.reason is not StopReason.EXITED:
        return NotCompiled(_stopped(done.outcome), said)
    if done.outcome.exit_code != 0 and _OUR_ERROR.search(said):
        raise JudgeError(f"the judge's own files must compile, they do not: {said[:2000]}")
    if done.outcome.exit_code != 0:
        return NotCompiled(_first_error(said), _own_lines(said))
    if not {program, *others} <= set(done.collected):
        raise JudgeError("the compiler must leave a program, and it left none")
    texts = [done.collected[name].decode(errors="replace") for name in others]
    return Compiled(done.collected[program], *texts)


@dataclass(frozen=True, slots=True)
class DebugInfo:
    """What binutils say of a program: addr2line's lines, readelf's dump of its types."""

    lines: str
    types: str


def debug_info(launcher: Launcher, program: bytes, pcs: Sequence[str]) -> DebugInfo:
    """The source lines of these program counters, and the layout of all types."""
    commands = [f"{READELF} --debug-dump=info program.so >types"]
    if pcs:
        lines = shlex.join(build.resolve_lines(ADDR2LINE, "program.so", pcs))
        commands.append(f"{lines} >lines")
    argv = ("/bin/sh", "-c", "; ".join(commands))
    collected = _run(launcher, argv, {"program.so": program}, ("types", "lines")).collected
    return DebugInfo(
        collected.get("lines", b"").decode(errors="replace"),
        collected.get("types", b"").decode(errors="replace"),
    )


def _run(
    launcher: Launcher,
    argv: tuple[str, ...],
    files: Mapping[str, bytes],
    collect: tuple[str, ...],
) -> Finished:
    return launcher.run(ProgramSpec(argv, files, LIMITS, Environment.COMPILE_CPP), collect)


def _stopped(outcome: Outcome) -> str:
    rule = {
        StopReason.CPU_TIME: say(
            "Compiling may take {limit_s} s of CPU time, and this takes longer. Look for a "
            "template that instantiates itself.",
            limit_s=round(LIMITS.cpu_time_s),
        ),
        StopReason.WALL_TIME: say(
            "Compiling may take {limit_s} s, and this takes longer. Look for a template that "
            "instantiates itself.",
            limit_s=round(LIMITS.wall_time_s),
        ),
        StopReason.MEMORY: say(
            "The compiler may use {limit_mib} MiB, and this takes more. Look for a template that "
            "instantiates itself, or for a large initialised array.",
            limit_mib=LIMITS.memory_mib,
        ),
    }
    return rule.get(
        outcome.reason,
        say("The submission must compile, and the compiler was stopped. See what it said."),
    )


def _first_error(said: str) -> str:
    own = _ERROR.search(said)
    if own:
        return say(
            "The submission must compile; line {line}: {error}", line=int(own[1]), error=own[2]
        )
    if undefined := _UNDEFINED.search(said):
        return say(
            "The submission must link, and nothing defines {name}. Define it in the header, or do "
            "without it.",
            name=undefined[1][:200],
        )
    other = _FOREIGN_ERROR.search(said)
    if other:
        return say("The submission must compile; {error}", error=other[1])
    return say("The submission must compile and link. See what the compiler said.")


def _own_lines(said: str) -> str:
    """What the compiler said, cut before it tires."""
    lines = said.splitlines()
    cut = [*lines[:_SHOWN_LINES], f"... {len(lines) - _SHOWN_LINES} more lines"]
    return "\n".join(lines if len(lines) <= _SHOWN_LINES else cut)
