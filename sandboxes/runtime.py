"""The locked trees of packages that submissions can import, mounted read-only at /runtime.

``python -m sandboxes.runtime`` builds the one that every host needs, ``python -m sandboxes.runtime
torch`` the one for kernels. They are made for the system's own Python, the only one that every
sandbox has, and apart from the virtual environment of the web application, none of which a
submission should see.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandboxes.interface import SandboxError

PYTHON = "/usr/bin/python3"
_PROJECT = Path(__file__).resolve().parent.parent
_WHY_NOT_THE_TAIL = 2000  # characters of pip's output that an error repeats


@dataclass(frozen=True, slots=True)
class Packages:
    """What one tree holds.

    Attributes
    ----------
    lock : Path
        Their exact versions, with a hash each, but for those whose builds differ by index.
    modules : tuple of str
        Imported once, when the tree is made.
    ending : str
        Tells this tree's folder from others'.
    disk_mib : int
        About what it takes, to be told before.
    advice : str
        What to do if they can be fetched, and not imported.
    """

    name: str
    lock: Path
    modules: tuple[str, ...]
    ending: str
    disk_mib: int
    advice: str


NUMPY = Packages(
    name="numpy",
    lock=_PROJECT / "requirements-sandbox.lock",
    modules=("numpy",),
    ending="",
    disk_mib=100,
    advice="they need the same kind of machine and Python as this host's",
)
TORCH = Packages(
    name="torch",
    lock=_PROJECT / "requirements-sandbox-torch.lock",
    modules=("torch", "triton", "numpy"),
    ending="-torch",
    disk_mib=2000,
    advice="torch has to be a build without CUDA: name an index that has one by pip's own "
    "PIP_EXTRA_INDEX_URL",
)


def runtime_directory(packages: Packages = NUMPY) -> Path:
    """Where the tree for this lock and this Python belongs; it may not be built yet."""
    chosen = os.environ.get("GAUNTLET_RUNTIME_DIR")
    if chosen:
        return Path(chosen + packages.ending)
    version = subprocess.run([PYTHON, "-V"], capture_output=True, check=True).stdout
    digest = hashlib.sha256(packages.lock.read_bytes() + version).hexdigest()[:16]
    # The uid of a run must be able to read it, which the project's own folder need not allow.
    parent = Path("/var/lib/gauntlet") if os.geteuid() == 0 else _PROJECT / "var"
    return parent / f"runtime-{digest}{packages.ending}"


def is_built(packages: Packages) -> bool:
    """Whether this host has a tree of packages."""
    return (runtime_directory(packages) / "COMPLETE").exists()


def built(packages: Packages) -> Path:
    """The tree of packages that not every host has.

    Raises
    ------
    SandboxError
        If this host does not have it.
    """
    directory = runtime_directory(packages)
    if not (directory / "COMPLETE").exists():
        raise SandboxError(
            f"programs that import {packages.name} need packages that are not installed on this "
            f"host: run python -m sandboxes.runtime {packages.name} (about {packages.disk_mib} MiB)"
        )
    return directory


def ensure_runtime(
    directory: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
    packages: Packages = NUMPY,
) -> Path:
    """Build the tree if it is not there; several processes may ask at once, one builds.

    Parameters
    ----------
    directory : Path, optional
        Where it belongs; `runtime_directory` if left out.
    progress : callable
        Told, in a sentence, what takes long.
    packages : Packages
        What it holds.

    Returns
    -------
    Path
        The directory, complete.

    Raises
    ------
    SandboxError
        If the system has no Python, or the packages cannot be fetched or imported.
    """
    if not Path(PYTHON).exists():
        raise SandboxError(f"submissions run on {PYTHON}, which is missing: apt install python3")
    directory = directory or runtime_directory(packages)
    if (directory / "COMPLETE").exists():
        return directory
    directory.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with open(directory.parent / f".{directory.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "COMPLETE").exists():
            progress(
                f"Installing {', '.join(packages.modules)} for submissions into {directory} "
                f"(about {packages.disk_mib} MiB)"
            )
            _build(directory, packages, progress)
    return directory


def _build(directory: Path, packages: Packages, progress: Callable[[str], None]) -> None:
    staging = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        _install(staging, packages)
        progress("Compiling them, so that no run has to")
        compileall = [PYTHON, "-m", "compileall", "-qq", "--invalidation-mode", "unchecked-hash"]
        # Some packages bring files for a newer Python, which no program here can import anyway.
        subprocess.run([*compileall, str(staging)], capture_output=True)
        _make_readable(staging)
        (staging / "COMPLETE").touch(mode=0o644)
        if directory.exists():
            shutil.rmtree(directory)  # a builder of older days that did not finish
        staging.rename(directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _install(target: Path, packages: Packages) -> None:
    options = ["--only-binary", ":all:", "--no-deps", "--no-compile", "--quiet"]
    options += ["--disable-pip-version-check", "--root-user-action", "ignore"]
    install = [*_pip_install(), *options, "--target", str(target)]
    complaint = (
        "the packages for submissions could not be installed; check the network, then run "
        f"python -m sandboxes.runtime {packages.name}"
    )
    # pip asks for a hash of everything or of nothing.
    hashed, unhashed = _by_hash(packages.lock.read_text())
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(hashed)
        file.flush()
        _run([*install, "--require-hashes", "--requirement", file.name], complaint)
    if unhashed:
        _run([*install, *unhashed], complaint)
    importing = [PYTHON, "-s", "-B", "-c", f"import {', '.join(packages.modules)}"]
    complaint = f"the packages for submissions cannot be imported; {packages.advice}"
    _run(importing, complaint, {"PYTHONPATH": str(target), "PATH": os.defpath})


def _by_hash(lock: str) -> tuple[str, list[str]]:
    """The lines of a lock file whose requirements have hashes, and the other requirements."""
    requirements = lock.replace("\\\n", "\0").splitlines()
    stated = [line for line in requirements if line.strip() and not line.startswith("#")]
    hashed = [line for line in stated if "--hash=" in line]
    unhashed = [line.strip() for line in stated if "--hash=" not in line]
    return "\n".join(hashed).replace("\0", "\\\n") + "\n", unhashed


def _pip_install() -> list[str]:
    """The system's own pip; without one, ours, told what the system's Python can use."""
    if subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [PYTHON, "-m", "pip", "install"]
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.run([PYTHON, "-c", ask], capture_output=True, check=True, text=True)
    kind = ["--implementation", "cp", "--python-version", version.stdout.strip()]
    return [sys.executable, "-m", "pip", "install", *kind]


def _run(command: list[str], complaint: str, environment: dict[str, str] | None = None) -> None:
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
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


def main(arguments: Sequence[str]) -> int:
    """Build the tree that is named, ``numpy`` if none is."""
    named = {packages.name: packages for packages in (NUMPY, TORCH)}
    name = arguments[0] if arguments else NUMPY.name
    if name not in named or len(arguments) > 1:
        print(f"usage: python -m sandboxes.runtime [{' | '.join(named)}]", file=sys.stderr)
        return 2
    try:
        print(ensure_runtime(progress=print, packages=named[name]))
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
