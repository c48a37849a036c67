"""What authors run: a new problem that verifies at once, and a package back out of the site."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from app.practice.loading import load_problems
from app.practice.models import ProblemVersion


def told(name: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, no_color=True)
    return out.getvalue()


@pytest.mark.parametrize("one_file", [False, True], ids=["folder", "one_file"])
def test_a_new_problem_verifies_and_loads_as_it_stands(
    tmp_path: Path, one_file: bool, db: None
) -> None:
    flags = ["--one-file"] if one_file else []
    said = told("new_problem", "my-sum", "--kind", "answers", "--round", "5", "--to",
                str(tmp_path), *flags)  # fmt: skip
    place = tmp_path / "round-5" / ("my-sum.yaml" if one_file else "my-sum")
    assert said.splitlines()[0] == str(place)
    assert place.is_file() is one_file
    summary = told("verify_problems", "--from", str(tmp_path)).splitlines()[-2].split()
    assert summary[:4] == ["my-sum", "10", "10", "0"]
    (loaded,) = load_problems([tmp_path]).problems
    assert (loaded.slug, ProblemVersion.objects.get().spec.title) == ("my-sum", "My sum")


def test_a_new_problem_overwrites_nothing(tmp_path: Path) -> None:
    arguments = ["my-sum", "--kind", "function", "--to", str(tmp_path)]
    told("new_problem", *arguments, "--round", "5")
    with pytest.raises(CommandError, match="a slug must be new"):
        told("new_problem", *arguments, "--round", "6", "--one-file")
    assert not (tmp_path / "round-6").exists()


def test_a_slug_that_is_none_writes_nothing(tmp_path: Path) -> None:
    for slug in ("My_Sum", "../up", "a b"):
        with pytest.raises(CommandError, match="slug: small letters"):
            told("new_problem", slug, "--kind", "function", "--round", "5", "--to", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_export_gives_back_what_was_loaded(tmp_path: Path, db: None) -> None:
    told("new_problem", "my-sum", "--kind", "answers", "--round", "5", "--to", str(tmp_path))
    load_problems([tmp_path])
    spec = tmp_path / "round-5" / "my-sum" / "problem.yaml"
    before = spec.read_text()
    spec.write_text(before.replace("version: 1\n", "version: 2\n"))
    load_problems([tmp_path])
    for arguments, text in (([], spec.read_text()), (["--version-number", "1"], before)):
        zip_path = tmp_path / "out.zip"
        told("export_problem", "my-sum", "--to", str(zip_path), *arguments)
        with zipfile.ZipFile(zip_path) as archive:
            assert archive.read("round-5/my-sum/problem.yaml").decode() == text
            assert len(archive.namelist()) == len(
                [path for path in spec.parent.rglob("*") if path.is_file()]
            )


def test_export_of_what_is_not_there_says_what_is(tmp_path: Path, db: None) -> None:
    told("new_problem", "my-sum", "--kind", "answers", "--round", "5", "--to", str(tmp_path))
    load_problems([tmp_path])
    with pytest.raises(CommandError, match=r"my-sums is none; did you mean my-sum\?"):
        told("export_problem", "my-sums")
    with pytest.raises(CommandError, match="got 7; there are 1"):
        told("export_problem", "my-sum", "--version-number", "7")


IMPORTS = Path(__file__).parents[2] / "imports"


def test_an_imported_kattis_package_verifies_at_once(tmp_path: Path) -> None:
    arguments = [str(IMPORTS / "kattis" / "shortestjob"), "--round", "6", "--to", str(tmp_path)]
    said = told("import_problem", *arguments)
    assert said.splitlines()[:2] == [
        str(tmp_path / "round-6" / "shortestjob"),
        "Did not carry over:",
    ]
    summary = told("verify_problems", "--from", str(tmp_path)).splitlines()[-2].split()
    assert summary[:4] == ["shortestjob", "6", "6", "0"]
    with pytest.raises(CommandError, match="a slug must be new"):
        told("import_problem", *arguments)


def test_an_imported_task_says_what_makes_it_valid(tmp_path: Path) -> None:
    said = told("import_problem", str(IMPORTS / "gpu_mode" / "histogram_py"), "--round", "2",
                "--to", str(tmp_path))  # fmt: skip
    assert "Not valid yet:" in said
    assert 'got the text "histogram"; choose one' in said


def test_a_folder_of_neither_format_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="PATH must be a Kattis package or a folder with task"):
        told("import_problem", str(tmp_path), "--round", "2", "--to", str(tmp_path))
