"""The model checker's program: built once from the files in ``runtime`` and kept.

It is our own code, so it is compiled outside of any sandbox; what it runs, it runs inside one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from graders.concurrency import build
from graders.ports import JudgeError

RUNTIME = Path(__file__).parent / "runtime"
GCC = "/usr/bin/g++"
_PROJECT = Path(__file__).resolve().parent.parent.parent


def runner_path() -> Path:
    """Where the program for these sources and this compiler belongs; it may not be built yet.

    In ``var`` of the project, or in ``GAUNTLET_CACHE_DIR``.
    """
    digest = hashlib.sha256(repr(build.RUNTIME_OPTIONS).encode())
    for source in sorted(RUNTIME.iterdir()):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    compiler = os.stat(GCC) if os.path.exists(GCC) else None
    digest.update(repr(compiler and (compiler.st_size, compiler.st_mtime_ns)).encode())
    chosen = os.environ.get("GAUNTLET_CACHE_DIR")
    parent = Path(chosen) if chosen else _PROJECT / "var"
    return parent / f"model-checker-{digest.hexdigest()[:16]}"


def ensure_runner(progress: Callable[[str], None] = lambda line: None) -> Path:
    """Build the program if it is not there; several processes may ask at once, one builds.

    Returns
    -------
    Path
        The program, complete.

    Raises
    ------
    JudgeError
        If there is no compiler, or it does not compile.
    """
    path = runner_path()
    if path.exists():
        return path
    if not os.path.exists(GCC):
        raise JudgeError(f"C++ is judged by means of {GCC}, which is missing: apt install g++")
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with open(path.parent / f".{path.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            progress(f"Compiling the model checker into {path}")
            _build(path)
    return path


def _build(path: Path) -> None:
    staging = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        sources = sorted(RUNTIME.glob("*.cpp"))
        objects = [str(staging / f"{source.stem}.o") for source in sources]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            compiled = [
                pool.submit(_call, build.compile_runtime(GCC, str(source), output))
                for source, output in zip(sources, objects, strict=True)
            ]
            for one in compiled:
                one.result()
        linked = staging / "runner"
        _call(build.link_runner(GCC, objects, str(linked)))
        linked.chmod(0o755)
        linked.rename(path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _call(command: tuple[str, ...]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise JudgeError(f"the model checker must compile, it does not: {done.stderr[-2000:]}")


@cache
def runner() -> bytes:
    """The program, for a sandbox's files."""
    return ensure_runner().read_bytes()


if __name__ == "__main__":
    try:
        print(ensure_runner(progress=print))
    except JudgeError as error:
        sys.exit(f"error: {error}")
