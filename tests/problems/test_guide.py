"""What the guide quotes stands in the examples, and the commands that it names exist."""

from __future__ import annotations

import re

import pytest
from django.core.management import get_commands

from problems.package import SHIPPED
from problems.skeletons import EXAMPLE_OF, EXAMPLES

GUIDE = (EXAMPLES / "README.md").read_text()
QUOTES = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


def test_there_are_quotes_of_three_problems() -> None:
    assert len(QUOTES) > 15
    for kind in ("answers", "function", "simulation"):
        assert f"`{EXAMPLE_OF[kind].removeprefix('examples/')}`" in GUIDE.split("## What all")[1]


@pytest.mark.parametrize("quote", QUOTES, ids=range(len(QUOTES)))
def test_a_quote_stands_in_an_example_as_it_is(quote: str) -> None:
    assert [path for path in EXAMPLES.glob("*/*.yaml") if quote in path.read_text()]


def test_every_example_is_listed() -> None:
    for kind, path in EXAMPLE_OF.items():
        assert f"`{path.removeprefix('examples/')}` | {kind} |" in GUIDE


@pytest.mark.parametrize(
    "text",
    [GUIDE, (SHIPPED / "README.md").read_text(), (SHIPPED.parent / "CONTRIBUTING.md").read_text()],
    ids=["guide", "format", "contributing"],
)
def test_the_commands_that_are_named_exist(text: str) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert named
    assert named <= set(get_commands())
