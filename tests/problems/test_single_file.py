"""A problem of one file is the package that a folder would be, and is told of its own lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from problems import strict_yaml
from problems.complaints import PackageInvalid
from problems.package import (
    SHIPPED,
    Package,
    find_packages,
    read_files,
    read_package,
    read_packages,
    slug_of,
)
from problems.single_file import folded
from tests.problems.broken_packages import SOUND

EXAMPLES = SHIPPED / "examples"


def in_one_file(folder: Path) -> str:
    """The folder's problem.yaml with its other files below it, as an author would write it."""
    files = {
        f"{path.relative_to(folder)}": path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return folded(files.pop("problem.yaml"), files)


@pytest.fixture
def double(tmp_path: Path) -> Path:
    """The sound package, in one file."""
    path = tmp_path / "round-3" / "double.yaml"
    path.parent.mkdir()
    path.write_text(in_one_file(SOUND))
    return path


def complaints(path: Path) -> list[str]:
    with pytest.raises(PackageInvalid) as raised:
        read_package(path)
    return str(raised.value).split("\n")


def edit(path: Path, old: str, new: str) -> int:
    """Replace once; the line, from 1, where the new text begins."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def test_one_file_holds_what_the_folder_does(double: Path) -> None:
    one, folder = read_package(double), read_package(SOUND)
    assert (one.slug, one.spec) == (folder.slug, folder.spec)
    assert {**one.files, "problem.yaml": ""} == {**folder.files, "problem.yaml": ""}
    assert one.files["problem.yaml"] == double.read_text()
    assert (one.is_single_file, folder.is_single_file) == (True, False)


def test_it_is_found_beside_folders_and_shares_no_slug_with_one(double: Path) -> None:
    (double.parent / "empty").mkdir()
    (double.parent / "notes.txt").write_text("no package")
    found = find_packages(double.parent.parent)
    assert [slug_of(path) for path in found] == ["double", "empty"]


def test_a_fault_in_a_block_of_code_is_told_at_the_files_own_line(double: Path) -> None:
    line = edit(double, "    return {", "    retrun {")
    told = complaints(double)
    assert told[0].startswith(f"round-3/double.yaml:{line}:")
    assert "must be Python, got stuck here" in told[0]
    text = double.read_text().split("\n")[line - 1]
    column = int(told[0].split(":")[2])
    assert text[column - 1 :].startswith("{")  # where Python stopped, in the file as it is written


def test_a_fault_in_another_blocks_yaml_is_told_at_the_files_own_line(double: Path) -> None:
    double.write_text(double.read_text() + "  texts.de.yaml: |\n    a: 1\n")
    last = double.read_text().rstrip("\n").count("\n") + 1
    assert f"round-3/double.yaml:{last}:8: a translation must be text" in "\n".join(
        complaints(double)
    )


def test_everything_wrong_with_files_is_told_at_once_in_its_place(double: Path) -> None:
    first = edit(double, "  statement.md: |\n", "  statement.md: >\n")
    second = edit(double, "  editorial.md: |\n", "  ../editorial.md: |\n")
    third = edit(double, "files:\n", "files:\n  problem.yaml: |\n    format: 1\n") + 1
    told = [line.removeprefix("round-3/double.yaml:") for line in complaints(double)]
    assert told == [
        f"{third - 1}:1: a package must have editorial.md, it has none; write it",
        f"{third}:3: a problem of one file is its own problem.yaml, files holds another; remove it",
        f"{second + 2}:3: names must be letters, digits, dots, hyphens and underscores, 120 at "
        "most with the folders; rename it",
        f"{first + 2}:3: a file's text must be a block, statement.md is not; write | after the "
        "colon and the text below it, indented",
    ]


def test_a_mistyped_files_is_recognized_and_a_number_is_no_text(double: Path) -> None:
    line = edit(double, "\nfiles:\n", "\nfile:\n") + 1
    assert f"round-3/double.yaml:{line}:1: keys must be known to the format, file is not; " + (
        "did you mean files?"
    ) in complaints(double)
    edit(double, "\nfile:\n", "\nfiles:\n  version.txt: 3\n")
    (told,) = complaints(double)
    assert told == (
        f"round-3/double.yaml:{line + 1}:16: files.version.txt must be text, got 3; "
        "put it in quotes"
    )


def test_a_folders_problem_yaml_has_no_files(tmp_path: Path, double: Path) -> None:
    folder = tmp_path / "round-3" / "treble"
    folder.mkdir()
    (folder / "problem.yaml").write_text(double.read_text())
    assert any(
        "keys must be known to the format, files is not" in one for one in complaints(folder)
    )


def test_the_id_of_two_problems_of_one_file_is_told_of_both(double: Path) -> None:
    (double.parent / "twice.yaml").write_text(double.read_text())
    _, told = read_packages(find_packages(double.parent.parent))
    assert [str(one).split(": ")[0] for one in told] == [
        "round-3/double.yaml:2:5",
        "round-3/twice.yaml:2:5",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a\n",
        "a\n\n",
        "\n\na\n",
        "  a\nb\n",
        "\n   a\n",
        "a\n\n  b\n",
        "# a: |\n\ta\n",
        " \n",
    ],
)
def test_any_text_comes_back_out_of_one_file(tmp_path: Path, text: str) -> None:
    files = {"problem.yaml": folded((SOUND / "problem.yaml").read_text(), {"notes.md": text})}
    document = strict_yaml.read(files["problem.yaml"])
    assert document.faults == []
    assert document.value["files"] == {"notes.md": text}


def same(one: Package, other: Package) -> bool:
    return (one.slug, one.spec, dict(one.files), one.digest) == (
        other.slug, other.spec, dict(other.files), other.digest,
    )  # fmt: skip


def test_a_package_that_lies_on_no_disk_is_read_as_one_that_does(double: Path) -> None:
    on_disk = read_package(double)
    assert same(read_files("double", {"problem.yaml": double.read_text()}), on_disk)
    assert same(read_files("double", on_disk.files), on_disk)  # as the database has it
    folder = read_package(SOUND)
    assert same(read_files("double", folder.files), folder)


def test_what_was_read_out_of_one_file_before_does_not_outlive_it(double: Path) -> None:
    files = {**read_package(double).files, "stale.md": "gone from the file"}
    assert "stale.md" not in read_files("double", files).files


def test_paths_of_an_upload_stay_inside(double: Path) -> None:
    files = dict(read_package(SOUND).files)
    for path in ("../up.md", "/etc/passwd", "a//b.md", ".hidden", "a/b/c/d/e.md", "sp ace.md"):
        with pytest.raises(PackageInvalid) as raised:
            read_files("double", {**files, path: "text"})
        assert [one.path for one in raised.value.complaints] == [f"round-3/double/{path}"]


@pytest.mark.parametrize("path", find_packages(EXAMPLES), ids=slug_of)
def test_the_examples_are_valid(path: Path) -> None:
    assert read_package(path).is_single_file


def test_the_examples_are_no_part_of_the_site_unless_asked_for() -> None:
    assert not [path for path in find_packages(SHIPPED) if EXAMPLES in path.parents]
