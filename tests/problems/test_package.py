"""Packages are found, read whole and kept apart; nothing from outside their folder gets in."""

from __future__ import annotations

import inspect
import os
import re
import shutil
from pathlib import Path

import pytest

from graders.concurrency import scenarios
from problems import folder as folders
from problems.complaints import PackageInvalid
from problems.package import (
    SHIPPED,
    digest,
    find_packages,
    read_package,
    read_packages,
)
from problems.schema import ProblemSpec
from problems.spec_errors import kinds
from tests.problems.broken_packages import BROKEN, SOUND, make


@pytest.fixture
def double(tmp_path: Path) -> Path:
    """A copy of the sound package, to be broken."""
    return shutil.copytree(SOUND, tmp_path / "round-3" / "double")


def complaints(folder: Path) -> str:
    with pytest.raises(PackageInvalid) as raised:
        read_package(folder)
    return str(raised.value)


def test_a_package_holds_every_file_of_its_folder(double: Path) -> None:
    package = read_package(double)
    on_disk = {str(p.relative_to(double)): p.read_text() for p in double.rglob("*") if p.is_file()}
    assert package.files == on_disk
    assert (package.slug, package.spec.title) == ("double", "Double a number")


def test_files_of_tools_are_no_part_of_a_package(double: Path) -> None:
    before = read_package(double).digest
    (double / "__pycache__").mkdir()
    (double / "__pycache__" / "checker.cpython-311.pyc").write_bytes(b"\xff\x00")
    (double / ".statement.md.swp").write_bytes(b"\xff")
    assert read_package(double).digest == before


def test_the_digest_tells_apart_what_joined_text_would_not() -> None:
    sets = [{"a": "bc"}, {"ab": "c"}, {"a": "b", "c": ""}, {"a": "", "b": "c"}, {}]
    assert len({digest(files) for files in sets}) == len(sets)
    assert digest({"a": "1", "b": "2"}) == digest({"b": "2", "a": "1"})


def test_a_link_is_refused_wherever_it_points(double: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (double / "notes.md").symlink_to(secret)
    (double / "inside.py").symlink_to("checker.py")
    (double / "elsewhere").symlink_to(tmp_path)
    told = complaints(double)
    assert re.findall(r"double/(\S+): .* this is a link", told) == [
        "elsewhere", "inside.py", "notes.md",
    ]  # fmt: skip
    assert "secret.txt" not in told


def test_a_link_in_place_of_the_folder_is_refused(double: Path, tmp_path: Path) -> None:
    (tmp_path / "round-3" / "linked").symlink_to(double)
    assert "must be a folder" in complaints(tmp_path / "round-3" / "linked")


def test_a_pipe_is_refused_and_not_waited_for(double: Path) -> None:
    os.mkfifo(double / "pipe")
    assert "double/pipe: a package holds files and folders" in complaints(double)


def test_a_file_may_be_as_large_as_the_bound_and_no_larger(double: Path) -> None:
    limit = folders.MAX_FILE_KIB * 1024
    (double / "table.md").write_text("x" * limit)
    assert len(read_package(double).files["table.md"]) == limit
    (double / "table.md").write_text("x" * (limit + 1))
    assert complaints(double) == (
        "round-3/double/table.md: a file may hold 256 KiB, this one is larger; shorten it"
    )


def test_a_package_is_bounded_as_a_whole(double: Path) -> None:
    for number in range(9):
        (double / f"table{number}.md").write_text("x" * folders.MAX_FILE_KIB * 1024)
    assert "a package may hold 2048 KiB in all" in complaints(double)


def test_the_number_of_files_is_bounded(double: Path) -> None:
    for number in range(folders.MAX_FILES):
        (double / f"note{number}.md").write_text("")
    assert "a package may hold 200 files" in complaints(double)


def test_too_few_submissions_are_a_warning_outside_the_project(tmp_path: Path) -> None:
    folder = make(BROKEN / "too_few_submissions", tmp_path)
    told = [str(warning) for warning in read_package(folder).warnings]
    assert "\n".join(told) + "\n" == (BROKEN / "too_few_submissions" / "expected.txt").read_text()


def test_packages_that_share_slug_and_id_are_both_refused(double: Path, tmp_path: Path) -> None:
    other = shutil.copytree(double, tmp_path / "round-4" / "double")
    yaml = other / "problem.yaml"
    yaml.write_text(yaml.read_text().replace("round: 3", "round: 4"))
    packages, told = read_packages(find_packages(tmp_path))
    assert packages == []
    assert [str(complaint) for complaint in told] == [
        "round-3/double: a slug must be unique, the slug double is that of round-4/double too; "
        "rename a folder",
        "round-4/double: a slug must be unique, the slug double is that of round-3/double too; "
        "rename a folder",
        "round-3/double/problem.yaml:2:5: an id must be unique, the id "
        "0d1c5f6e-3a63-4d57-9a1e-6a8b0a3f7c11 is that of round-4/double too; give the newer "
        "package an id of its own",
        "round-4/double/problem.yaml:2:5: an id must be unique, the id "
        "0d1c5f6e-3a63-4d57-9a1e-6a8b0a3f7c11 is that of round-3/double too; give the newer "
        "package an id of its own",
    ]


def test_a_package_in_the_wrong_place_is_found_so_that_it_gets_a_complaint(
    double: Path, tmp_path: Path
) -> None:
    (tmp_path / "round-3" / "empty").mkdir()
    shutil.copytree(double, tmp_path / "rond-3" / "misplaced")
    shutil.copytree(double, tmp_path / "shallow")
    found = [str(folder.relative_to(tmp_path)) for folder in find_packages(tmp_path)]
    assert found == ["rond-3/misplaced", "round-3/double", "round-3/empty", "shallow"]


def test_the_spec_survives_the_database(double: Path) -> None:
    spec = read_package(double).spec
    assert ProblemSpec.model_validate(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize("folder", find_packages(SHIPPED), ids=lambda folder: folder.name)
def test_the_packages_that_we_ship_are_valid(folder: Path) -> None:
    assert read_package(folder).slug == folder.name


def test_the_readme_for_authors_explains_what_a_case_of_a_structure_holds() -> None:
    readme = (SHIPPED / "README.md").read_text()
    explained = set(re.findall(r"^\| `([a-z_]+)`", readme, re.MULTILINE))
    # What a case of the concurrency grader holds is the grader's own matter.
    source = inspect.getsource(scenarios)
    taken = set(re.findall(r"reader\.(?:take|count|ratio)\(\"([a-z_]+)\"", source))
    taken -= {"schedule"}  # only a replay has it
    assert [key for key in taken if f"`{key}`" not in readme] == []
    assert explained <= taken | set(scenarios.Check) | set(kinds())
    assert set(kinds()) <= explained


def test_the_readme_states_the_bounds_that_hold() -> None:
    readme = (SHIPPED / "README.md").read_text()
    for bound in (
        f"{folders.MAX_FILES} files",
        f"{folders.MAX_FILE_KIB} KiB",
        f"{folders.MAX_PACKAGE_KIB} KiB",
    ):
        assert bound in readme


def test_limits_may_be_left_out_only_where_nothing_runs(double: Path, tmp_path: Path) -> None:
    sheet = shutil.copytree(SHIPPED / "round-7" / "goodput", tmp_path / "round-7" / "goodput")
    assert "limits:" not in (sheet / "problem.yaml").read_text()
    assert read_package(sheet).spec.limits.source_kib == 16
    yaml = sheet / "problem.yaml"
    asked = "{cpu_time_s: 1, wall_time_s: 2, memory_mib: 16, source_kib: 4}"
    yaml.write_text(yaml.read_text() + f"limits: {asked}\n")
    assert read_package(sheet).spec.limits.source_kib == 4
    yaml = double / "problem.yaml"
    yaml.write_text(re.sub(r"^limits:\n(  .*\n)+", "", yaml.read_text(), flags=re.MULTILINE))
    assert "limits" in complaints(double)


def test_a_worksheet_s_own_texts_must_be_translated_all_or_none(tmp_path: Path) -> None:
    sheet = shutil.copytree(SHIPPED / "round-7" / "goodput", tmp_path / "round-7" / "goodput")
    yaml, texts = sheet / "problem.yaml", sheet / "texts.zh-hans.yaml"
    yaml.write_text(yaml.read_text().replace("label: 3. Goodput,", 'label: "3. Goodput {g}",'))
    texts.write_text(texts.read_text().replace('"3. Goodput"', '"3. Goodput {{g}}"'))
    read_package(sheet, shipped=True)  # a brace of its own stands twice, as in all templates
    whole = texts.read_text()
    for said in (
        "3. Goodput {{g}}",  # a field
        "Tokens to train on",  # a parameter
        "Restarts, a share of the running time",  # a term
        "Whichever gives most goodput; the period stays.",  # a field's help
        "The restart",  # an option
        "compare restart / mean with write / period",  # its advice
        "checkpoints block training too",  # a misconception
        "one of the three losses",  # a case
    ):
        texts.write_text("".join(x for x in whole.splitlines(True) if f'"{said}":' not in x))
        with pytest.raises(PackageInvalid) as invalid:
            read_package(sheet, shipped=True)
        assert f"{said!r} has none" in str(invalid.value.complaints[0])


@pytest.mark.parametrize(
    "slug",
    [one.name for one in find_packages(SHIPPED) if (one / "starter.yaml").exists()],
)
def test_every_worksheet_speaks_chinese(slug: str) -> None:
    """That its file of texts is whole, reading the package says."""
    package = read_package(next(SHIPPED.glob(f"round-*/{slug}")))
    if package.spec.is_drawn_per_attempt:  # a design is YAML too
        assert "texts.zh-hans.yaml" in package.files
