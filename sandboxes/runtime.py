"""The locked tree of packages that submissions can import, mounted read-only at /runtime.

``python -m sandboxes.runtime`` builds it. It is made for the system's own Python, the only one
that every sandbox has, and apart from the virtual environment of the web application, none of
which a submission should see.
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
from pathlib import Path

from sandboxes.interface import SandboxError

PYTHON = "/usr/bin/python3"
_PROJECT = Path(__file__).resolve().parent.parent
LOCK = _PROJECT / "requirements-sandbox.lock"
_WHY_NOT_THE_TAIL = 2000  # characters of pip's output that an error repeats


def runtime_directory() -> Path:
    """Where the tree for this lock and this Python belongs; it may not be built yet."""
    chosen = os.environ.get("GAUNTLET_RUNTIME_DIR")
    if chosen:
        return Path(chosen)
    version = subprocess.run([PYTHON, "-V"], capture_output=True, check=True).stdout
    digest = hashlib.sha256(LOCK.read_bytes() + version).hexdigest()[:16]
    # The uid of a run must be able to read it, which the project's own folder need not allow.
    parent = Path("/var/lib/gauntlet") if os.geteuid() == 0 else _PROJECT / "var"
    return parent / f"runtime-{digest}"


def ensure_runtime(
    directory: Path | None = None, progress: Callable[[str], None] = lambda line: None
) -> Path:
    """Build the tree if it is not there; several processes may ask at once, one builds.

    Parameters
    ----------
    directory : Path, optional
        Where it belongs; `runtime_directory` if left out.
    progress : callable
        Told, in a sentence, what takes long.

    Returns
    -------
    Path
        The directory, complete.

    Raises
    ------
    SandboxError
        If the system has no Python, or the packages cannot be fetched.
    """
    if not Path(PYTHON).exists():
        raise SandboxError(f"submissions run on {PYTHON}, which is missing: apt install python3")
    directory = directory or runtime_directory()
    if (directory / "COMPLETE").exists():
        return directory
    directory.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with open(directory.parent / f".{directory.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "COMPLETE").exists():
            progress(f"Installing the packages that submissions can import into {directory}")
            _build(directory, progress)
    return directory


def _build(directory: Path, progress: Callable[[str], None]) -> None:
    staging = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        _install(staging)
        progress("Compiling them, so that no run has to")
        compileall = [PYTHON, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        _run([*compileall, str(staging)], "the packages could not be compiled")
        _make_readable(staging)
        (staging / "COMPLETE").touch(mode=0o644)
        if directory.exists():
            shutil.rmtree(directory)  # a builder of older days that did not finish
        staging.rename(directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _install(target: Path) -> None:
    options = ["install", "--require-hashes", "--only-binary", ":all:", "--no-deps"]
    options += [
        "--no-compile",
        "--disable-pip-version-check",
        "--quiet",
        "--root-user-action",
    ]
    options += ["ignore", "--target", str(target), "--requirement", str(LOCK)]
    has_pip = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True)
    if has_pip.returncode == 0:
        command = [PYTHON, "-m", "pip", *options]
    else:
        ask = "import sys; print('%d.%d' % sys.version_info[:2])"
        version = subprocess.run([PYTHON, "-c", ask], capture_output=True, check=True, text=True)
        command = [sys.executable, "-m", "pip", *options]
        command += [
            "--implementation",
            "cp",
            "--python-version",
            version.stdout.strip(),
        ]
    _run(
        command,
        "the packages for submissions could not be installed; check the network, then run "
        "python -m sandboxes.runtime",
    )


def _run(command: list[str], complaint: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        said = (result.stderr or result.stdout).strip()[-_WHY_NOT_THE_TAIL:]
        raise SandboxError(f"{complaint}: {said}")


def _make_readable(tree: Path) -> None:
    tree.chmod(0o755)
    for folder, names, files in os.walk(tree):
        for name in names:
            Path(folder, name).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


if __name__ == "__main__":
    try:
        print(ensure_runtime(progress=print))
    except SandboxError as error:
        sys.exit(f"error: {error}")
