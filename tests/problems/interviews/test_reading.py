"""Questions and templates are read as strictly as problems, with every error at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from problems.complaints import PackageInvalid
from problems.interviews.reading import SHIPPED, read_library
from problems.package import SHIPPED as PACKAGES
from problems.package import find_packages

QUESTION = """\
format: 1
title: Why this
summary: What you want.
minutes: 10
prompt: Tell a story.
points: [one system]
rubric:
  - criterion: Ownership
    levels: [the team, own part]
"""
TEMPLATE = """\
format: 1
title: Short
summary: One round and a talk.
stages:
  - round: 3
  - question: why
"""


def library(root: Path, question: str = QUESTION, template: str = TEMPLATE) -> Path:
    for folder, name, text in (("questions", "why", question), ("templates", "short", template)):
        (root / folder).mkdir()
        (root / folder / f"{name}.yaml").write_text(text)
    return root


def complaints(root: Path) -> list[str]:
    with pytest.raises(PackageInvalid) as raised:
        read_library(root)
    return str(raised.value).splitlines()


def test_a_sound_library_is_read(tmp_path: Path) -> None:
    read = read_library(library(tmp_path))
    assert read.questions["why"].minutes == 10
    assert [stage.round for stage in read.templates["short"].stages] == [3, None]


def test_what_ships_is_sound_and_can_be_drawn() -> None:
    shipped = read_library(SHIPPED)
    assert {"full-loop", "inference-engineer"} <= set(shipped.templates)
    by_round: dict[int, int] = {}
    for folder in find_packages(PACKAGES):
        number = int(folder.parent.name.removeprefix("round-"))
        by_round[number] = by_round.get(number, 0) + 1
    full = [stage.round for stage in shipped.templates["full-loop"].stages if stage.round]
    assert full == [1, 2, 3, 4, 5, 6, 7]
    for name, template in shipped.templates.items():
        for number in range(1, 8):
            wanted = sum(stage.round == number for stage in template.stages)
            assert wanted <= by_round.get(number, 0), f"{name} asks for {wanted} of round {number}"


@pytest.mark.parametrize(
    ("find", "put", "told"),
    [
        ("round: 3", "round: 8", "templates/short.yaml:5:12: stages[0].round must be at most 7"),
        ("round: 3", "rond: 3", "templates/short.yaml:5:5: keys must be known to the format"),
        (
            "round: 3",
            "round: 3\n    question: why",
            "templates/short.yaml:5:5: a stage must have one of round, problem and question",
        ),
        (
            "question: why",
            "question: wy",
            "short.yaml:6:15: a stage must name a question",
        ),
        ("question: why", "problem: a\n    tags: [x]", "tags choose among the problems of a round"),
        ("title: Short", "title: [1]", "templates/short.yaml:2:8: title must be text"),
        ("summary: One round and a talk.\n", "", "short.yaml must have summary, it has none"),
        ("format: 1", "format: 2", "templates/short.yaml:1:9: format must be 1"),
    ],
)
def test_a_template_that_is_wrong_is_refused_at_its_place(
    tmp_path: Path, find: str, put: str, told: str
) -> None:
    root = library(tmp_path, template=TEMPLATE.replace(find, put))
    assert any(told in line for line in complaints(root)), complaints(root)


@pytest.mark.parametrize(
    ("find", "put", "told"),
    [
        ("minutes: 10", "minutes: 1e1", "questions/why.yaml:4:10"),
        ("minutes: 10", "minutes: 0", "minutes must be at least 3"),
        ("levels: [the team, own part]", "levels: [one]", "must hold at least 2 of them"),
        ("points: [one system]", "point: [one]", "did you mean points?"),
        ("prompt: Tell a story.", "prompt: &a Tell", "questions/why.yaml:5:9"),
    ],
)
def test_a_question_that_is_wrong_is_refused_at_its_place(
    tmp_path: Path, find: str, put: str, told: str
) -> None:
    root = library(tmp_path, question=QUESTION.replace(find, put))
    assert any(told in line for line in complaints(root)), complaints(root)


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    root = library(
        tmp_path,
        question=QUESTION.replace("minutes: 10", "minutes: 0"),
        template=TEMPLATE.replace("round: 3", "round: 0").replace("title: Short", "titel: Short"),
    )
    assert len(complaints(root)) == 4
