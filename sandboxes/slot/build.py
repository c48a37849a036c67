"""Compiles the slot launcher; ``python -m sandboxes.slot.build`` does it ahead of time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandboxes.interface import SandboxError
from sandboxes.runtime import runtime_directory

_SOURCES = Path(__file__).resolve().parent
_PROGRAM = ("main.c", "root.c", "serve.c", "confine.c")
_LIBRARY = ("serve.c", "confine.c")
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")
_WHY_NOT_THE_TAIL = 2000  # characters of the compiler's output that an error repeats


@dataclass(frozen=True, slots=True)
class Launcher:
    """The compiled parts: what is started, and what a zygote loads."""

    program: Path
    library: Path


def ensure_launcher(progress: Callable[[str], None] = lambda line: None) -> Launcher:
    """Compile the launcher if this version of it is not there yet; beside the runtime.

    Raises
    ------
    SandboxError
        If there is no C compiler, or it fails, or the folder cannot be written.
    """
    sources = b"".join(path.read_bytes() for path in sorted(_SOURCES.glob("*.[ch]")))
    stamp = hashlib.sha256(sources + f"{_FLAGS}{platform.machine()}".encode()).hexdigest()[:16]
    directory = runtime_directory().parent / f"slot-{stamp}"
    launcher = Launcher(directory / "slot", directory / "slot.so")
    if directory.exists():  # it appears at once and whole
        return launcher
    try:
        directory.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with open(directory.parent / ".slot.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not directory.exists():
                progress(f"Compiling the slot launcher into {directory}")
                _build(directory)
    except OSError as error:
        raise SandboxError(
            f"the slot launcher belongs into {directory}, which cannot be made ({error}); run "
            "python -m sandboxes.slot.build as somebody who can"
        ) from error
    return launcher


def _build(directory: Path) -> None:
    compiler = shutil.which("gcc", path="/usr/bin:/usr/local/bin:/bin")
    if compiler is None:
        raise SandboxError("the slot launcher needs gcc to be compiled: apt install g++")
    staging = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        _compile(compiler, "-static", _PROGRAM, staging / "slot")
        _compile(compiler, "-shared", _LIBRARY, staging / "slot.so")
        for path in (staging, *staging.iterdir()):
            path.chmod(0o755)
        staging.rename(directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _compile(compiler: str, kind: str, names: tuple[str, ...], target: Path) -> None:
    sources = [str(_SOURCES / name) for name in names]
    position = ["-fPIC"] if kind == "-shared" else []
    result = subprocess.run(
        [compiler, *_FLAGS, *position, kind, *sources, "-o", str(target)],
        capture_output=True,
        text=True,
        env={"PATH": os.defpath},
    )
    if result.returncode != 0:
        said = result.stderr.strip()[-_WHY_NOT_THE_TAIL:]
        raise SandboxError(f"the slot launcher could not be compiled: {said}")


if __name__ == "__main__":
    try:
        print(ensure_launcher(print).program)
    except SandboxError as error:
        sys.exit(f"error: {error}")
