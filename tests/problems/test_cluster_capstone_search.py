"""What the capstone's model says about any design, and the search behind its cost."""

from __future__ import annotations

import copy
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from graders.design.assessment import assessment
from graders.design.fields import Choice, Field, Flag, Number, Whole
from graders.text import to_json
from tests.problems.capstone_package import (
    GROUPS,
    PACKAGE,
    REFERENCE,
    SETTINGS,
    SPEC,
    VALUES,
    changed,
    design_of,
    sheet_of,
)


def assessed(design: dict[str, Any]) -> Any:
    """What the model says, read as the grader reads it."""
    said = json.loads(json.dumps(to_json(PACKAGE.model.assess(design, {})), allow_nan=False))
    return assessment(said, SETTINGS["constraints"])


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Anything that reading lets through, its bounds more often than chance would have them."""
    match field.shape:
        case Whole(least=least, most=most):
            return st.one_of(st.sampled_from([least, most]), st.integers(least, most))
        case Number(least=least, most=most):
            return st.one_of(st.sampled_from([least, most]), st.floats(least, most))
        case Choice(options=options):
            return st.sampled_from([one.name for one in options])
        case Flag():
            return st.booleans()
        case _:
            return st.just("")


ANY_DESIGN = st.fixed_dictionaries(
    {
        group.name: st.fixed_dictionaries({one.name: values_of(one) for one in group.fields})
        for group in GROUPS
    }
)
ANY_CHANGE = st.lists(
    st.sampled_from([(group.name, one) for group in GROUPS for one in group.fields]),
    min_size=1,
    max_size=3,
).flatmap(
    lambda chosen: st.tuples(
        *(st.tuples(st.just(group), st.just(one.name), values_of(one)) for group, one in chosen)
    )
)


@given(ANY_DESIGN)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_design_that_can_be_read_breaks_the_model(design: dict[str, Any]) -> None:
    assert assessed(design).constraints


@given(ANY_CHANGE)
@example((("fabric", "spine_up", 0), ("fabric", "cores", 0)))
@example((("fabric", "leaf_down", 1), ("fabric", "leaves_per_pod", 1)))
@example((("training", "dp", 1), ("resilience", "period", 0.1)))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_no_change_of_the_reference_breaks_the_model(
    changes: tuple[tuple[str, str, Any], ...],
) -> None:
    design = copy.deepcopy(REFERENCE)
    for group, name, value in changes:
        design[group][name] = value
    assert assessed(design).constraints


def test_every_declared_constraint_is_one_of_the_models() -> None:
    assert [rule.name for rule in PACKAGE.model.RULES] == SETTINGS["constraints"]


@pytest.fixture(scope="module")
def outcome() -> Any:
    return PACKAGE.search.search(VALUES)


def test_the_best_design_of_the_search_holds(outcome: Any) -> None:
    best = outcome.best
    design = {**best.design, "claims": REFERENCE["claims"], "notes": REFERENCE["notes"]}
    failing = [
        one["name"]
        for one in PACKAGE.model.assess(design, {})["constraints"]
        if not one["holds"] and not one["name"].startswith("claim_")
    ]
    sheet = sheet_of(design)
    assert failing == []
    assert sheet["run_musd"] == pytest.approx(best.cost)
    assert sheet["days"] == pytest.approx(best.days)
    assert best.days <= VALUES["deadline_days"]


def test_the_front_trades_days_for_money(outcome: Any) -> None:
    front = outcome.front
    assert len(front) > 4
    for one, other in pairwise(front):
        assert one.days < other.days
        assert one.cost > other.cost
    assert front[0].days < VALUES["deadline_days"] < front[-1].days


def test_a_tighter_deadline_costs_more_and_an_impossible_one_is_said(outcome: Any) -> None:
    tight = PACKAGE.search.search(VALUES | {"deadline_days": 44.0})
    assert tight.best.days <= 44
    assert tight.best.cost > outcome.best.cost
    with pytest.raises(ValueError, match="no design holds"):
        PACKAGE.search.search(VALUES | {"deadline_days": 5.0})


def test_what_would_be_enough_holds_and_nothing_of_it_can_be_left_out(outcome: Any) -> None:
    design = design_of("submissions/too_slow/everything_twice.yaml")
    said = PACKAGE.model.assess(design, {})
    better, allowed = said["better"], 1.2 * outcome.best.cost
    changes = better["changes"]

    def after(some: list[dict[str, Any]]) -> Any:
        mended = copy.deepcopy(design)
        for change in some:
            group, name = change["field"].split(".")
            assert mended[group][name] == change["from"]
            mended[group][name] = change["to"]
        return sheet_of(mended)

    assert after(changes)["run_musd"] == pytest.approx(better["cost"])
    assert PACKAGE.rules.all_hold(after(changes), PACKAGE.search.WITHOUT_CLAIMS)
    assert better["cost"] <= allowed < said["cost"]["value"]
    assert [change["field"] for change in changes] == ["storage.storage_servers"]


def test_the_search_advises_by_the_ratio_that_the_case_judges_by() -> None:
    (ratio,) = {
        case.input["max_cost_ratio"] for case in SPEC.cases if "max_cost_ratio" in case.input
    }
    assert ratio == PACKAGE.advice.MAX_COST_RATIO
    assert PACKAGE.model.assess(REFERENCE, {})["better"] is None  # near enough to need no lesson


def test_who_beats_the_search_is_the_best(outcome: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dear = outcome._replace(best=outcome.best._replace(cost=200.0))
    monkeypatch.setattr(PACKAGE.search, "search", lambda constants: dear)
    said = PACKAGE.model.assess(REFERENCE, {})
    assert said["best"] == said["cost"]["value"] < 200


@pytest.mark.parametrize("path", ["one_full_fat_tree.yaml", "large_pods.yaml"])
def test_accepted_designs_are_judged_against_a_search_that_knows_better(
    path: str, outcome: Any
) -> None:
    cost = sheet_of(design_of(f"submissions/accepted/{path}"))["run_musd"]
    assert outcome.best.cost < cost < 1.2 * outcome.best.cost
    assert sheet_of(REFERENCE)["run_musd"] == pytest.approx(outcome.best.cost, rel=0.02)


def test_advice_about_several_fields_leaves_none_of_them_out_in_vain(outcome: Any) -> None:
    # Full recomputation and plain switches: neither alone is what makes this run dear.
    wasteful = changed(
        training={"recompute": "full", "dp": 170, "micro_batches": 24},
        storage={"storage_servers": 9000},
        power={"contract": 180.0},
    )
    sheet = sheet_of(wasteful)
    allowed = 1.2 * outcome.best.cost
    assert sheet["run_musd"] > allowed
    better = PACKAGE.advice.better(wasteful, sheet["run_musd"], outcome, VALUES)
    kept = {change["field"] for change in better["changes"]}
    for field in kept:
        mended = copy.deepcopy(wasteful)
        for change in better["changes"]:
            if change["field"] != field:
                group, name = change["field"].split(".")
                mended[group][name] = change["to"]
        without = sheet_of(mended)
        assert not PACKAGE.advice._holds(without) or without["run_musd"] > allowed


LATE = "submissions/wrong_answer/two_tier_rails.yaml"
MISSTATED = "submissions/wrong_answer/no_bubble.yaml"
SPARELESS = "submissions/wrong_answer/no_spares.yaml"
UNCABLED = "submissions/wrong_answer/three_spines_a_quarter_less.yaml"


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("reference.yaml", "your design"),
        (MISSTATED, "your design"),
        (LATE, "your design, past the deadline"),
        (SPARELESS, "your design, which does not hold"),
    ],
)
def test_a_design_is_on_the_picture_as_soon_as_its_days_and_cost_are_known(
    path: str, label: str
) -> None:
    design = design_of(path)
    said = PACKAGE.model.assess(design, {})
    picture = said["pictures"]["pareto"]
    sheet = sheet_of(design)
    assert picture["mine"] == {"x": sheet["days"], "y": sheet["run_musd"], "label": label}
    assert (said["cost"] is None) is (path != "reference.yaml")
    (drawn,) = (data for kind, data in assessed(design).pictures if kind == "pareto")
    assert label in str(drawn["mine"]["text"])


def test_a_fabric_that_cannot_be_cabled_is_not_on_the_picture() -> None:
    assert "pareto" not in PACKAGE.model.assess(design_of(UNCABLED), {})["pictures"]
