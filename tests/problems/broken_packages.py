"""Makes each deliberately broken package out of the sound one and what differs from it.

A folder of ``tests/broken_packages`` holds the files that are other than in
``tests/packages/round-3/double``, beside those that are no part of the package:

- ``expected.txt``: what the author must be told when the package is read, word for word; or
- ``verified.txt``: what he must be told when it is verified, because it can be read;
- ``absent.txt``: paths to leave out;
- ``where.txt``: the folder, where it is not ``round-3/double``, or the file, for a problem of one;
- ``twin.txt``: where a copy of the package lies beside it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

TESTS = Path(__file__).parents[1]
SOUND = TESTS / "packages" / "round-3" / "double"
BROKEN = TESTS / "broken_packages"
_NO_PART = {"absent.txt", "where.txt", "twin.txt", "expected.txt", "verified.txt"}


def broken_packages(told_in: str = "expected.txt") -> list[Path]:
    """The folders with a file of that name, in order of their names."""
    return sorted(path.parent for path in BROKEN.glob(f"*/{told_in}"))


def make(broken: Path, root: Path) -> Path:
    """Write the broken package under `root`; its folder, or its file."""
    place = root / _text(broken / "where.txt", "round-3/double").strip()
    if place.suffix == ".yaml":
        place.parent.mkdir(parents=True)
        return Path(shutil.copy(broken / place.name, place))
    shutil.copytree(SOUND, place)
    shutil.copytree(broken, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_NO_PART))
    for path in _text(broken / "absent.txt").splitlines():
        (place / path).unlink()
    twin = _text(broken / "twin.txt").strip()
    if twin:
        copy = shutil.copytree(place, root / twin)
        spec = copy / "problem.yaml"
        number = copy.parent.name.removeprefix("round-")
        spec.write_text(spec.read_text().replace("round: 3", f"round: {number}"))
    return place


def _text(path: Path, default: str = "") -> str:
    return path.read_text() if path.exists() else default
