"""The counterexamples' templates, rendered from what the grader really says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Engine

from tests.graders.function.box import RIGHT, verdict_of
from tests.graders.plain_launcher import PlainLauncher, plain_launcher

TEMPLATES = Path(__file__).parents[3] / "templates"


@pytest.fixture
def launcher() -> Iterator[PlainLauncher]:
    with plain_launcher() as launcher:
        yield launcher


def drawn(source: str, launcher: PlainLauncher) -> str:
    """The drawing of the counterexample that `source` gets, white space folded."""
    counterexample: dict[str, Any] = verdict_of(source, launcher)["counterexample"]
    engine = Engine(
        dirs=[str(TEMPLATES)],
        libraries={"i18n": "django.templatetags.i18n"},
        string_if_invalid="NO SUCH VARIABLE: %s",
    )
    template = engine.get_template(f"practice/counterexamples/{counterexample['kind']}.html")
    html = template.render(Context({"counterexample": counterexample}))
    assert "NO SUCH VARIABLE" not in html
    return re.sub(r"\s+", " ", html)


def test_arithmetic_shows_both_numbers_the_steps_and_the_configuration(
    launcher: PlainLauncher,
) -> None:
    html = drawn(RIGHT.replace("(1 + lid)", "1"), launcher)
    assert re.search(r"<dt>Yours</dt> <dd> <span class=\"arithmetic-value\">5</span>", html)
    assert re.search(r"<dt>Right</dt> <dd> <span class=\"arithmetic-value\">6</span>", html)
    assert '<span class="arithmetic-value">0.8333</span>' in html
    assert "<strong>Most likely:</strong> the lid is missing." in html
    assert "<code>a b c</code>" in html
    assert "<code>1 1 1</code>" in html
    assert "<caption> <code>sides</code> </caption>" in html
    assert "<code>lid</code> </th> <td>yes</td>" in html


def test_arithmetic_says_in_words_which_items_are_right(launcher: PlainLauncher) -> None:
    html = drawn(RIGHT.replace("(1 + lid)", "1"), launcher)
    spoken = re.findall(r"<code>(\w+)</code> <span class=\"visually-hidden\"> (\w+) </span>", html)
    assert spoken == [("volume", "right"), ("surface", "wrong")]


def test_a_call_shows_the_traceback_and_the_input(launcher: PlainLauncher) -> None:
    html = drawn("def box(sides, lid):\n    return sides['<script>']\n", launcher)
    assert "KeyError: &#x27;&lt;script&gt;&#x27;" in html
    assert "line 2, in box" in html
    assert "<script>" not in html


def test_a_call_shows_the_answer_that_was_refused(launcher: PlainLauncher) -> None:
    html = drawn("def box(sides, lid):\n    return {'volume': '<b>'}\n", launcher)
    assert "{&quot;volume&quot;: &quot;&lt;b&gt;&quot;}" in html
