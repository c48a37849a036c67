"""Every kind of grader has a skeleton, and it is a whole package in any round, folder or file."""

from __future__ import annotations

import pytest

from problems.package import SHIPPED, find_packages, read_files, read_package
from problems.schema import ProblemSpec, Round
from problems.skeletons import EXAMPLE_OF, EXAMPLES, skeleton
from problems.spec_errors import kinds

TITLE = 'A "quoted" title: with # and \\ 你好'


def test_every_kind_has_a_skeleton_and_every_example_is_one() -> None:
    assert set(EXAMPLE_OF) == set(kinds())
    shown = {f"{path.relative_to(SHIPPED)}" for path in find_packages(EXAMPLES)}
    assert shown == {path for path in EXAMPLE_OF.values() if path.startswith("examples/")}


@pytest.mark.parametrize("kind", EXAMPLE_OF)
def test_a_folder_and_one_file_are_the_same_problem_with_another_name(kind: str) -> None:
    example = read_package(SHIPPED / EXAMPLE_OF[kind])
    folder = {
        path.removeprefix("round-6/my-problem/"): text
        for path, text in skeleton(kind, "my-problem", TITLE, Round(6), one_file=False).items()
    }
    (one_file,) = skeleton(kind, "my-problem", TITLE, Round(6), one_file=True).items()
    assert one_file[0] == "round-6/my-problem.yaml"
    assert "files:" not in folder["problem.yaml"].split()
    packages = [read_files("my-problem", folder)]
    packages.append(read_files("my-problem", {"problem.yaml": one_file[1]}))
    ids = {example.spec.id, *(package.spec.id for package in packages)}
    assert len(ids) == 3  # each problem has its own
    for package in packages:
        assert package.warnings == ()
        assert (package.spec.title, package.spec.round) == (TITLE, 6)
        assert rest_of(package.spec) == rest_of(example.spec)
        assert {**package.files, "problem.yaml": ""} == {**example.files, "problem.yaml": ""}


def rest_of(spec: ProblemSpec) -> dict[str, object]:
    return spec.model_dump(exclude={"id", "title", "round", "version"})
