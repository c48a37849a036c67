"""A Python that has imported what most programs need, and is forked for each of them.

Runs inside the slot, as its server. It never reads a byte that a submission wrote: `slot_accept`
forks before, and returns in the new run's init only. What it hands down to every program is the
same as a fresh start would give, but for three things, none of which is a way out: the layout of
its memory (a program learns where libraries lie in later runs, of which it sees nothing else),
`sys.modules`, and what the imports left in memory. Random generators are seeded anew.
"""

import atexit
import builtins
import ctypes
import gc
import importlib
import importlib.machinery
import io
import os
import runpy
import sys
import types
from typing import BinaryIO, TextIO, cast

_TAKES_FROZEN_FOR_LEAKED = {"triton"}  # and says so at the end of every program
_REHEARSAL = "import os, sys, time\ndef f(n: int) -> int: return n\nclass C: pass\nf(len([C()]))"
_LONGEST_REFUSAL = 200  # characters
_NOT_A_PROGRAMS_OWN = 3  # of its arguments: the interpreter, -s and -B


def import_all(modules: list[str]) -> None:
    """Import what programs are to find, so that a fork of this process is as good as a fresh one.

    Raises
    ------
    RuntimeError
        If a module has started a thread, which does not survive a fork, nor do locks it holds.
    """
    if _TAKES_FROZEN_FOR_LEAKED.intersection(modules):
        # The first to be registered, so the last to be called. For others it is only slower.
        atexit.register(gc.unfreeze)
    for module in modules:
        importlib.import_module(module)
    threads = os.listdir("/proc/self/task")
    if len(threads) != 1:
        raise RuntimeError(f"importing must start no threads, and {len(threads) - 1} are there")
    gc.collect()
    gc.freeze()  # or the first collection of every program would copy all pages


def serve(library: ctypes.PyDLL) -> list[str]:
    """Fork one run after another; returns in each program's process, with its arguments.

    Both of a run's processes are forked ahead of it, and the program has done already, for nothing,
    what it will do first: pages that it writes to are its own by then.
    """
    library.slot_accept()
    program = os.fork()
    if program != 0:
        library.slot_init(program)
    library.slot_born()
    renew()
    exec(compile(_REHEARSAL, "rehearsal", "exec"), {"__builtins__": builtins})  # noqa: S102
    library.slot_enter()
    arguments: list[str] = []
    while (argument := library.slot_argument(len(arguments))) is not None:
        arguments.append(os.fsdecode(argument))
    return arguments[_NOT_A_PROGRAMS_OWN:]


def renew() -> None:
    """Undo what a fork shares: streams that looked at /dev/null, and the state of generators.

    `random` seeds itself anew after a fork.
    """
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()
    for name in ("stdin", "stdout", "stderr"):
        stream = _reopened(getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _reopened(old: TextIO) -> io.TextIOWrapper:
    """As the interpreter opens it with PYTHONUNBUFFERED: input buffered, output not."""
    raw = io.FileIO(old.fileno(), old.mode, closefd=False)
    raw.name = old.name
    binary = io.BufferedReader(raw) if old.mode == "r" else raw
    stream = io.TextIOWrapper(
        cast(BinaryIO, binary), old.encoding, old.errors, write_through=old.mode == "w"
    )
    stream.__dict__["mode"] = old.mode
    return stream


def run_main(arguments: list[str]) -> None:
    """Run ``FILE ...`` or ``-m MODULE ...`` as the interpreter's own command line would."""
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __annotations__={})
    sys.modules["__main__"] = main
    if arguments[0] == "-m":
        sys.path[0] = os.getcwd()
        sys.argv = ["-m", *arguments[2:]]
        runpy._run_module_as_main(arguments[1])  # type: ignore[attr-defined]  # what -m calls
        return
    path = os.path.abspath(arguments[0])
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    sys.argv = list(arguments)
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
    main.__dict__.update(__file__=path, __cached__=None)
    with open(path, "rb") as file:
        source = file.read()
    exec(compile(source, path, "exec"), main.__dict__)  # noqa: S102 - what this file is for


def enter(library_path: str, modules: str) -> None:
    library = ctypes.PyDLL(library_path)
    library.slot_argument.restype = ctypes.c_char_p
    library.slot_refuse.argtypes = (ctypes.c_char_p,)
    try:
        import_all(modules.split())
    except Exception as error:
        library.slot_refuse(f"importing {modules}: {error!r}"[:_LONGEST_REFUSAL].encode())
    arguments = serve(library)
    renew()
    try:
        run_main(arguments)
    except SystemExit:
        raise
    except BaseException as error:
        # Without the frames of this file, which are not the program's.
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        sys.exit(1)


if __name__ == "__main__":
    enter(*sys.argv[1:])
