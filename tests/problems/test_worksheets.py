"""Every worksheet that ships: its variants mislead nobody, and its reference and zoo hold for any
seed. Published figures are in `test_worksheet_figures.py`.
"""

from __future__ import annotations

import math
import re
from typing import Any, cast

import pytest

from app.practice.judging import Mode, SandboxLauncher, as_typed, judge
from app.practice.verification import compare, trials_of
from graders.answers.worksheet.formulas import Value
from graders.answers.worksheet.template import Choice, Table
from graders.answers.worksheet.variant import APART, draw, variants_about
from sandboxes.interface import Sandbox
from tests.problems.worksheets import SLUGS, package, template

N_VARIANTS = 10_000


def test_all_worksheets_are_found() -> None:
    assert len(SLUGS) >= 6


@pytest.mark.parametrize("slug", SLUGS)
def test_ten_thousand_variants_mislead_nobody(slug: str) -> None:
    one = template(slug)
    seen: set[tuple[Value, ...]] = set()
    tries = 0
    for seed in range(N_VARIANTS):
        right = draw(one, seed)
        tries += right.tries
        seen.add(tuple(right.given.values()))
        cells = list(right.cells())
        values = [right.value(cell) for cell in cells]
        assert all(math.isfinite(value) and value > 0 for value in values)
        for choice in one.fields:
            if isinstance(choice, Choice) and not choice.many:
                assert len(right.right_options(choice)) == 1
        for misconception in one.misconceptions:
            if not right.applies(misconception):
                continue
            slipped = right.under(misconception)
            apart = dict.fromkeys(misconception.fields, False)
            for cell, value in zip(cells, values, strict=True):
                if cell.number.name in apart:
                    off = abs(slipped.value(cell) - value)
                    apart[cell.number.name] |= off > APART * right.allowance(cell)
            assert all(apart.values()), (misconception.name, apart, right.given)
    # As many different ones as there are draws, and more that were not drawn here.
    there_are = one.combinations * N_VARIANTS / tries
    assert there_are >= N_VARIANTS
    assert variants_about(one) == pytest.approx(there_are, rel=1 / 3)
    assert len(seen) > 0.6 * N_VARIANTS


@pytest.mark.parametrize("slug", SLUGS)
def test_every_number_has_a_misconception_and_every_option_an_advice(slug: str) -> None:
    one = template(slug)
    looked_for = {name for misconception in one.misconceptions for name in misconception.fields}
    for field in one.fields:
        if isinstance(field, Choice):
            assert all(option.advice for option in field.options), field.name
        else:
            numbers = field.columns if isinstance(field, Table) else (field,)
            assert {number.name for number in numbers} <= looked_for


@pytest.mark.parametrize("slug", SLUGS)
def test_every_option_of_a_choice_is_right_for_somebody(slug: str) -> None:
    choices = [one for one in template(slug).fields if isinstance(one, Choice)]
    variants = [draw(template(slug), seed) for seed in range(300)]
    for choice in choices:
        if choice.many:
            continue
        right = {variant.right_options(choice)[0] for variant in variants}
        assert right == {option.name for option in choice.options}


@pytest.mark.parametrize("slug", SLUGS)
def test_every_submission_gets_its_verdict_for_other_seeds_too(slug: str) -> None:
    """The reference is a second derivation; the zoo must not hang on the seed of CI."""
    one = package(slug)
    for seed in (2, 13, 2**53 - 1):
        for trial in trials_of(one):
            source = as_typed(one.spec, one.files[trial.path], seed)
            launcher = SandboxLauncher(cast(Sandbox, None))
            *_, last = judge(one.spec, one.files, source, Mode.SUBMIT, seed, launcher)
            assert list(compare(trial, cast("dict[str, Any]", dict(last.data)))) == [], trial.path


@pytest.mark.parametrize("slug", SLUGS)
def test_the_statement_shows_every_value_that_it_speaks_of(slug: str) -> None:
    names = {one.name for one in template(slug).parameters}
    shown = set(re.findall(r"\[\[(\w+)\]\]", package(slug).files["statement.md"]))
    assert shown <= names
    assert shown


@pytest.mark.parametrize("slug", SLUGS)
def test_no_question_rests_on_a_handful_of_answers(slug: str) -> None:
    """A table is one question, and a choice has as many answers as options."""
    seen: dict[str, set[tuple[str, ...]]] = {}
    for seed in range(1000):
        right = draw(template(slug), seed)
        answers: dict[str, list[str]] = {}
        for cell in right.cells():
            answers.setdefault(cell.path[0], []).append(f"{right.value(cell):.6g}")
        for name, values in answers.items():
            seen.setdefault(name, set()).add(tuple(values))
    assert {name: len(values) for name, values in seen.items() if len(values) < 60} == {}


def test_tables_have_a_number_in_every_row() -> None:
    for slug in SLUGS:
        variant = draw(template(slug), 1)
        for one in template(slug).fields:
            if isinstance(one, Table):
                assert len(one.rows) * len(one.columns) == sum(
                    cell.table is one for cell in variant.cells()
                )
