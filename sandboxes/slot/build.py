"""Compiles the slot launcher; ``python -m sandboxes.slot.build`` does it ahead of time."""

from __future__ import annotations

import contextlib
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
_PREFIX = "slot-"
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")
_WHY_NOT_THE_TAIL = 2000  # characters of the compiler's output that an error repeats


@dataclass(frozen=True, slots=True)
class Launcher:
    """The compiled parts: what is started, and what a zygote loads."""

    program: Path
    library: Path


_held: dict[Path, int] = {}  # descriptors of the folders that this process uses, locked shared


def ensure_launcher(progress: Callable[[str], None] = lambda line: None) -> Launcher:
    """Compile the launcher if this version of it is not there yet; beside the runtime.

    Other versions that no process uses are removed when a new one is made.

    Raises
    ------
    SandboxError
        If there is no C compiler, or it fails, or the folder cannot be written.
    """
    sources = b"".join(path.read_bytes() for path in sorted(_SOURCES.glob("*.[ch]")))
    stamp = hashlib.sha256(sources + f"{_FLAGS}{platform.machine()}".encode()).hexdigest()[:16]
    directory = runtime_directory().parent / f"{_PREFIX}{stamp}"
    launcher = Launcher(directory / "slot", directory / "slot.so")
    if _hold(directory):
        return launcher
    try:
        directory.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with open(directory.parent / ".slot.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            while not _hold(directory):
                progress(f"Compiling the slot launcher into {directory}")
                _build(directory)
            _remove_unused(directory.parent)
    except OSError as error:
        raise SandboxError(
            f"the slot launcher belongs into {directory}, which cannot be made ({error}); run "
            "python -m sandboxes.slot.build as somebody who can"
        ) from error
    return launcher


def _hold(directory: Path) -> bool:
    """Lock a folder against removal until this process ends; False if it is not there."""
    if directory in _held and directory.exists():
        return True
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    fcntl.flock(fd, fcntl.LOCK_SH)  # it appears at once and whole, but may be on its way out
    if not (directory / "slot").exists():
        os.close(fd)
        return False
    _held[directory] = fd
    return True


def _remove_unused(parent: Path) -> None:
    """Remove the versions that no living process holds."""
    for directory in parent.glob(f"{_PREFIX}*"):
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory)
        finally:
            os.close(fd)


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
