"""Whatever a problem.yaml holds, its author gets complaints with places and never a traceback."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from problems.complaints import Complaint, PackageInvalid
from problems.package import read_package
from problems.strict_yaml import read
from tests.problems.broken_packages import SOUND

TEXT = (SOUND / "problem.yaml").read_text()
TREE = read(TEXT).value

few_examples = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["AC", "function", "accepted/adds.py", "../x", "small", "1e-5", "on", ""]),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value inside `value`."""
    yield way
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for key, one in inside:
        yield from places(one, (*way, key))


def replaced(value: Any, way: tuple[str | int, ...], new: Any) -> Any:
    """`value` with what lies at `way` exchanged."""
    if not way:
        return new
    copy = value.copy()
    copy[way[0]] = replaced(value[way[0]], way[1:], new)
    return copy


@pytest.fixture(scope="module")
def double() -> Iterator[Path]:
    """A copy of the sound package; each example writes its own problem.yaml."""
    with tempfile.TemporaryDirectory() as root:
        yield Path(shutil.copytree(SOUND, Path(root) / "round-3" / "double"))


def complaints(folder: Path) -> tuple[Complaint, ...]:
    """What is wrong with the package; a valid one must fit into the database."""
    try:
        package = read_package(folder)
    except PackageInvalid as invalid:
        return invalid.complaints
    json.dumps(package.spec.model_dump(mode="json"), allow_nan=False)
    return ()


def check(folder: Path, text: str) -> None:
    (folder / "problem.yaml").write_text(text, encoding="utf-8", newline="")
    n_lines = text.count("\n") + 1
    for complaint in complaints(folder):
        assert complaint.path.startswith("round-3/double")
        assert complaint.line is None or 1 <= complaint.line <= n_lines
        assert len(str(complaint)) < 600


@few_examples
@given(way=st.sampled_from(sorted(places(TREE), key=str)), new=values)
def test_another_value_in_any_place(double: Path, way: tuple[str | int, ...], new: Any) -> None:
    check(double, json.dumps(replaced(TREE, way, new), indent=1))


@few_examples
@given(
    start=st.integers(0, len(TEXT)),
    length=st.integers(0, 30),
    new=st.text(st.characters(codec="utf-8"), max_size=6)
    | st.sampled_from(list("{}[]:-#&*!|>'\"%@`\t")),
)
def test_other_characters_in_any_place(double: Path, start: int, length: int, new: str) -> None:
    check(double, TEXT[:start] + new + TEXT[start + length :])
