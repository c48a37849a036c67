"""Every way to break a package that we know of, and what its author is told, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from problems.complaints import PackageInvalid
from problems.package import read_package
from tests.problems.broken_packages import SOUND, broken_packages, make


def test_the_package_that_the_broken_ones_are_made_of_is_sound() -> None:
    assert read_package(SOUND, shipped=True).warnings == ()


@pytest.mark.parametrize("broken", broken_packages(), ids=lambda path: path.name)
def test_the_author_is_told_everything_at_once(broken: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageInvalid) as raised:
        read_package(make(broken, tmp_path), shipped=True)
    assert f"{raised.value}\n" == (broken / "expected.txt").read_text()
