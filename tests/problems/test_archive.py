"""A package that was exported and unpacked is the one that it was, byte for byte."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

from problems.archive import zipped
from problems.package import Package, read_package
from problems.skeletons import EXAMPLE_OF, EXAMPLES
from tests.problems.broken_packages import SOUND


def unpacked(package: Package, root: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(again(package))) as archive:
        archive.extractall(root)
    return {str(path.relative_to(root)): path.read_bytes() for path in files_under(root)}


def again(package: Package) -> bytes:
    return zipped(package.slug, package.spec.round.value, package.files)


def files_under(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_a_folder_comes_back_with_its_line_ends_and_without_a_new_last_line(tmp_path: Path) -> None:
    folder = shutil.copytree(SOUND, tmp_path / "round-3" / "double")
    (folder / "editorial.md").write_bytes("no last line, é\r\nand CRLF".encode())
    (folder / "empty.md").write_bytes(b"")
    package = read_package(folder)
    before = {str(path.relative_to(tmp_path)): path.read_bytes() for path in files_under(tmp_path)}
    assert unpacked(package, tmp_path / "out") == before
    assert read_package(tmp_path / "out" / "round-3" / "double").digest == package.digest


def test_a_problem_of_one_file_comes_back_as_one_file(tmp_path: Path) -> None:
    place = EXAMPLE_OF["answers"].removeprefix("examples/")
    package = read_package(EXAMPLES / place)
    assert unpacked(package, tmp_path) == {place: (EXAMPLES / place).read_bytes()}


def test_the_same_package_gives_the_same_zip_on_any_day() -> None:
    package = read_package(SOUND)
    with zipfile.ZipFile(io.BytesIO(again(package))) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {oct(entry.external_attr >> 16) for entry in entries} == {"0o100644"}
    assert again(package) == again(read_package(SOUND))
