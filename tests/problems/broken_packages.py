"""Makes each deliberately broken package out of the sound one and what differs from it.

A folder of ``tests/broken_packages`` holds the files that are other than in
``tests/packages/round-3/double``, beside three that are no part of the package: ``absent.txt``
(paths to leave out), ``where.txt`` (the folder, where it is not ``round-3/double``) and
``expected.txt`` (what the author must be told, word for word).
"""

from __future__ import annotations

import shutil
from pathlib import Path

TESTS = Path(__file__).parents[1]
SOUND = TESTS / "packages" / "round-3" / "double"
BROKEN = TESTS / "broken_packages"
_NO_PART = {"absent.txt", "where.txt", "expected.txt"}


def broken_packages() -> list[Path]:
    """The folders, in order of their names."""
    return sorted(path for path in BROKEN.iterdir() if path.is_dir())


def make(broken: Path, root: Path) -> Path:
    """Write the broken package under `root`; its folder."""
    folder = root / _text(broken / "where.txt", "round-3/double").strip()
    shutil.copytree(SOUND, folder)
    shutil.copytree(broken, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_NO_PART))
    for path in _text(broken / "absent.txt").splitlines():
        (folder / path).unlink()
    return folder


def _text(path: Path, default: str = "") -> str:
    return path.read_text() if path.exists() else default
