"""Every way to break a package that we know of, and what its author is told, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.practice.judging import about_grader
from problems.complaints import PackageInvalid
from problems.package import find_packages, read_package, read_packages
from tests.problems.broken_packages import BROKEN, SOUND, broken_packages, make


def test_the_package_that_the_broken_ones_are_made_of_is_sound() -> None:
    assert read_package(SOUND, shipped=True).warnings == ()


@pytest.mark.parametrize("broken", broken_packages(), ids=lambda path: path.name)
def test_the_author_is_told_everything_at_once(broken: Path, tmp_path: Path) -> None:
    place = make(broken, tmp_path)
    if (broken / "twin.txt").exists():
        _, complaints = read_packages(find_packages(tmp_path), about_grader)
        told = "\n".join(str(complaint) for complaint in complaints)
    else:
        with pytest.raises(PackageInvalid) as raised:
            read_package(place, shipped=True)
        told = str(raised.value)
    assert f"{told}\n" == (broken / "expected.txt").read_text()


def test_every_broken_package_says_what_must_be_told() -> None:
    told = {*broken_packages(), *broken_packages("verified.txt")}
    assert told == {path for path in BROKEN.iterdir() if path.is_dir()}
