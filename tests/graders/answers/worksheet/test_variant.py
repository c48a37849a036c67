"""Variants: the same for a seed for ever, never misleading, computed again with a mistake."""

from __future__ import annotations

import itertools

import pytest

from graders.answers.worksheet.checking import template_of
from graders.answers.worksheet.formulas import Value
from graders.answers.worksheet.template import Number
from graders.answers.worksheet.variant import (
    NoVariant,
    Variant,
    at,
    draw,
    misleading,
    variants_about,
)
from tests.graders.answers.sheet import section, with_formula

GIVEN: dict[str, Value] = {"params": 2e9, "dp": 8, "size": "large", "layers": 48, "link": 50e9}


@pytest.fixture
def variant() -> Variant:
    return at(template_of(section()), GIVEN)


def test_a_seed_draws_the_same_values_for_ever() -> None:
    template = template_of(section())
    assert draw(template, 7).given == draw(template, 7).given
    # Fixed: a counterexample that was kept must be found again by every later version.
    assert draw(template, 7).given == {
        "params": 2e9, "dp": 4, "size": "small", "layers": 12, "link": 25e9,
    }  # fmt: skip


def brute_count(changes: dict[str, object]) -> int:
    """Variants that may be drawn, found by trying every combination."""
    template = template_of(section(**changes))
    drawn = [one for one in template.parameters if one.follows is None]
    followers = [one for one in template.parameters if one.follows is not None]
    allowed = set()
    for indices in itertools.product(*(range(len(one.values)) for one in drawn)):
        at_index = {one.name: index for one, index in zip(drawn, indices, strict=True)}
        given = {one.name: one.values[at_index[one.name]] for one in drawn}
        given |= {one.name: one.values[at_index[str(one.follows)]] for one in followers}
        if all(condition(given) for condition in template.require) and not any(
            misleading(at(template, given))
        ):
            allowed.add(tuple(given.values()))
    return len(allowed)


DP = {"name": "dp", "label": "Replicas", "choose": [*range(2, 102)]}


@pytest.mark.parametrize(
    "require", [["params < 7 * billion"], ["params < 7 * billion", "dp > 60"], ["dp < 12"]]
)
def test_variants_are_counted_as_trying_all_of_them_would(require: list[str]) -> None:
    parameters = [DP if one["name"] == "dp" else one for one in section()["parameters"]]
    changes = {"parameters": parameters, "require": require}
    truth = brute_count(changes)
    assert variants_about(template_of(section(**changes))) == pytest.approx(truth, rel=1 / 3)


def test_what_cannot_be_drawn_counts_as_nothing() -> None:
    assert variants_about(template_of(section(require=["params > 7 * billion"]))) == 0


def test_a_value_that_stands_twice_is_one_value() -> None:
    doubled = [
        one | {"choose": one["choose"] * 2} if one["name"] == "dp" else one
        for one in section()["parameters"]
    ]
    plain, twice = template_of(section()), template_of(section(parameters=doubled))
    assert twice.combinations == plain.combinations


def test_what_require_refuses_is_not_drawn() -> None:
    template = template_of(section())
    assert {draw(template, seed).given["params"] for seed in range(60)} == {1e9, 2e9, 3e9, 5e9}


def test_values_that_belong_together_are_drawn_together() -> None:
    template = template_of(section())
    drawn = {(draw(template, seed).given["size"], draw(template, seed).given["layers"])
             for seed in range(30)}  # fmt: skip
    assert drawn == {("small", 12), ("large", 48)}


def test_every_number_follows_from_the_parameters(variant: Variant) -> None:
    values = {".".join(cell.path): variant.value(cell) for cell in variant.cells()}
    assert values == pytest.approx(
        {
            "held": 0.5e9,
            "moved": 0.08,
            "share": 0.125,
            "stages.zero.state": 24e9,
            "stages.zero.twice": 48e9,
            "stages.one.state": 3e9,
            "stages.one.twice": 6e9,
        }
    )


def test_a_misconception_changes_what_depends_on_it_and_nothing_else(variant: Variant) -> None:
    fp32, no_master, _ = variant.template.misconceptions
    slipped = variant.under(fp32)
    assert (slipped.scope["held"], slipped.scope["moved"]) == (1e9, 0.16)
    assert slipped.scope["share"] == variant.scope["share"]
    assert slipped.rows == variant.rows
    rows = variant.under(no_master).rows
    assert [rows["stages", row]["state"] for row in ("zero", "one")] == [16e9, 2e9]
    assert rows["stages", "zero"]["twice"] == 32e9


def test_the_steps_lead_to_the_number_with_both_values(variant: Variant) -> None:
    cell = next(variant.cells())
    slipped = variant.under(variant.template.misconceptions[0])
    steps = variant.steps(cell, slipped)
    assert [step.line.name for step in steps] == ["weight", "whole", "held"]
    assert [step.value for step in steps] == [2.0, 4e9, 0.5e9]
    assert [step.slipped for step in steps] == [4.0, 8e9, 1e9]
    assert steps[1].numbers == "(2 B) * (2 billion)"


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("params - params", "must be finite and positive"),
        ("-params", "must be finite and positive"),
        ("1 / (dp - dp)", "has no value"),
    ],
)
def test_what_is_not_finite_and_positive_is_never_drawn(formula: str, why: str) -> None:
    with pytest.raises(NoVariant, match=why):
        draw(template_of(with_formula(formula)), 1)


def test_a_choice_with_two_right_options_is_never_drawn() -> None:
    fields = section()["fields"]
    fields[3]["options"][1]["when"] = "layers > 0"
    with pytest.raises(NoVariant, match="exactly one option of deep must be right"):
        draw(template_of(section(fields=fields, parameters=[
            *section()["parameters"][:3],
            {"name": "layers", "label": "x", "choose": [48]},
            section()["parameters"][4],
        ])), 1)  # fmt: skip


@pytest.mark.parametrize(("factor", "is_drawn"), [("1.019", False), ("1.021", True)])
def test_a_misconception_within_twice_the_tolerance_is_never_drawn(
    factor: str, is_drawn: bool
) -> None:
    near = {"name": "near", "advice": "x", "fields": ["held"],
            "instead": {"held": f"held * {factor}"}}  # fmt: skip
    variant = at(template_of(section(misconceptions=[near])), GIVEN)
    assert (list(misleading(variant)) == []) is is_drawn


def test_a_misconception_that_does_not_apply_is_not_looked_for(variant: Variant) -> None:
    cell = next(cell for cell in variant.cells() if isinstance(cell.number, Number))
    assert [one.name for one, _ in variant.misconceptions_of(cell)] == ["fp32"]
