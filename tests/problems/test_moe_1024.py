"""The plan for a MoE: its arithmetic against published figures and the sizing problem's reference,
its search against a slow twin, and what it says of plans that are wrong.
"""

from __future__ import annotations

import random
import re
from itertools import permutations
from typing import Any, cast

import numpy as np
import pytest

from graders.design.assessment import assessment
from graders.text import to_json
from tests.problems import moe_by_the_statement as plainly
from tests.problems.moe_package import GIVEN, ROOT, SPEC, assess, design, module
from tests.problems.sizing_package import PACKAGE as SIZING

DECLARED = SPEC.grader.model_dump()["constraints"]
training, network, step, search = (
    module(name) for name in ("training", "network", "step", "search")
)
MIXTRAL = {
    "layers": 32,
    "hidden": 4096,
    "heads": 32,
    "kv_heads": 8,
    "head_dim": 128,
    "vocab": 32000,
    "experts": 8,
    "top_k": 2,
    "expert_ffn_hidden": 14336,
}


@pytest.fixture(scope="module")
def space() -> Any:
    return search.all_plans(GIVEN)


def plan_of(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "tp": 1, "cp": 1, "pp": 4, "dp": 256, "ep": 8, "virtual_pp": 1, "micro_batch": 1,
        "distributed_optimizer": True, "recompute": 1,
    }  # fmt: skip
    fields |= changes
    count = GIVEN["training"]["batch"] // (fields["dp"] * fields["micro_batch"])
    return training.Plan(**{"micro_batches": count, **fields})


def test_mixtral_has_the_parameters_that_megatron_counts() -> None:
    assert training.parameters(MIXTRAL, 8) == pytest.approx(46.70e9, rel=1e-4)
    assert training.parameters(MIXTRAL, 2) == pytest.approx(12.88e9, rel=1e-4)


def test_a_parameter_takes_18_bytes_or_6_and_12_over_its_copies() -> None:
    model = GIVEN["model"]
    ordinary, routed = training.gpu_parameters(model, plan_of(), 0)
    whole = sum(training.model_state(model, plan_of(distributed_optimizer=False), 0))
    assert whole == 18 * (ordinary + routed)
    divided = sum(training.model_state(model, plan_of(), 0))
    assert divided == 6 * (ordinary + routed) + 12 * (ordinary / 256 + routed / 32)


@pytest.mark.parametrize(("pp", "chunks"), [(4, 1), (4, 3), (8, 2), (16, 3)])
def test_idle_over_work_is_the_published_ratio_of_interleaving(pp: int, chunks: int) -> None:
    plan = plan_of(pp=pp, dp=1024 // pp, virtual_pp=chunks)
    idle = training.bubble_fraction(plan)
    assert idle / (1 - idle) == pytest.approx((pp - 1) / (chunks * plan.micro_batches))


def test_the_chip_is_the_published_one_at_its_dense_peak() -> None:
    cluster = GIVEN["cluster"]
    assert (cluster["peak_dense_tflops"], cluster["hbm_tb_per_s"]) == (989.4, 3.35)


def test_the_tree_of_the_statement_has_the_rates_that_the_step_is_timed_with() -> None:
    cluster = GIVEN["cluster"]
    text = (ROOT / "statement.md").read_text()
    tree = re.search(
        r"(\d+) leaf switches with (\d+) ports down and (\d+) up, and (\d+) spines", text
    )
    drawn = re.search(r">(\d+) spines of (\d+) ports<", (ROOT / "cluster.svg").read_text())
    assert tree is not None
    assert drawn is not None
    leaves, down, up, spines = (int(one) for one in tree.groups())
    assert int(drawn[1]) == spines
    assert leaves * down == cluster["gpus"]
    assert leaves * up == spines * int(drawn[2])  # every port of a spine has its cable
    assert cluster["spine_gb_per_s"] / cluster["pod_gb_per_s"] == up / down


def test_sizes_flops_and_traffic_are_those_of_the_sizing_problem() -> None:
    """Its reference is held against Megatron's own figures; the conventions are the same."""
    generator = random.Random(5)
    for _ in range(60):
        tp, cp, ep = (2 ** generator.randint(0, most) for most in (3, 2, 3))
        pp = 2 ** generator.randint(0, 4)
        dp = ep * 2 ** generator.randint(0, 3)
        plan = plan_of(
            tp=tp, cp=cp, pp=pp, dp=dp, ep=ep,
            micro_batch=generator.choice([1, 2, 3]),
            micro_batches=pp * generator.randint(1, 5),
            virtual_pp=generator.choice([1, 3]) if pp > 1 else 1,
            distributed_optimizer=generator.random() < 0.5,
            recompute=generator.randrange(3),
        )  # fmt: skip
        theirs, their_plan = as_the_sizing_problem(plan)
        model, given = GIVEN["model"], GIVEN["training"]
        same(
            training.model_state(model, plan, 0),
            SIZING.reference.model_state(theirs, their_plan, 0),
        )
        for stage in (0, pp - 1):
            ours = training.activations(model, given, plan, stage)
            same(ours, SIZING.reference.activations(theirs, their_plan, stage))
        sent = SIZING.reference.traffic(theirs, their_plan)
        alone = {name: network.Spread(1, 1, size) for name, size in sizes_of(plan).items()}
        cluster = GIVEN["cluster"] | {"gpus": tp * cp * pp * dp}
        batch = dp * plan.micro_batch * plan.micro_batches
        ours_step = step.step_of(
            GIVEN | {"cluster": cluster, "training": given | {"batch": batch}}, plan, alone
        )
        for kind in step.KINDS:
            same(ours_step.sent[kind].sum(), sent[f"{kind}_bytes_sent"])
        useful, executed = training.flops(model, given | {"batch": batch}, plan)
        same((useful, executed), SIZING.reference.flops(theirs, their_plan))
        same(ours_step.bubble, SIZING.reference.bubble_fraction(their_plan))


def as_the_sizing_problem(plan: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    model, given = GIVEN["model"], GIVEN["training"]
    experts = {name: model[name] for name in ("experts", "top_k", "expert_ffn_hidden")}
    theirs = {
        **model, "swiglu": True, "tied_embeddings": False, "dropout": False, "ffn_hidden": 0,
        "moe": {**experts, "shared_experts": 0, "dense_layers": 0},
    }  # fmt: skip
    names = ("tp", "cp", "pp", "dp", "ep", "virtual_pp", "micro_batch", "micro_batches")
    their_plan = {name: getattr(plan, name) for name in names} | {
        "seq_len": given["sequence"],
        "zero_stage": 1 if plan.distributed_optimizer else 0,
        "gradient_bytes": 4,
        "sequence_parallel": plan.tp > 1,
        "recompute": training.RECOMPUTE[plan.recompute],
    }
    return theirs, their_plan


def same(ours: Any, theirs: Any) -> None:
    values = list(theirs.values()) if isinstance(theirs, dict) else theirs
    assert np.allclose(ours, values, rtol=1e-12, atol=0)


def said_in_json(said: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", to_json(said))


def sizes_of(plan: Any) -> dict[str, int]:
    return dict(module("constraints").sizes(plan))


def test_a_group_of_neighbours_is_counted_rank_by_rank() -> None:
    """Against the numbers of the ranks themselves."""
    sizes = {"tp": 2, "cp": 1, "ep": 8, "dp": 16, "pp": 4}
    for order in permutations(sizes):
        spreads = network.spread(order, sizes, GIVEN["cluster"])
        strides = network.strides(order, sizes)
        for name, size in sizes.items():
            ranks = [index * strides[name] for index in range(size)]
            node = sum(rank // 8 == 0 for rank in ranks)
            pod = sum(rank // 256 == 0 for rank in ranks)
            assert (spreads[name].node, spreads[name].pod) == (node, pod)


@pytest.mark.parametrize("shares", [network.collective, network.all_to_all])
def test_a_collective_sends_the_same_bytes_however_it_is_spread(shares: Any) -> None:
    for node, pod, size in [(1, 1, 1), (8, 8, 8), (2, 8, 8), (4, 32, 128), (1, 1, 16)]:
        sent = shares(1024.0, network.Spread(node, pod, size))
        assert sent.sum() == pytest.approx((size - 1) / size * 1024)
        assert (sent >= 0).all()


def test_the_plan_that_the_statement_works_through() -> None:
    plan = plan_of(tp=4, pp=8, dp=32, ep=8)
    order = ["tp", "cp", "ep", "dp", "pp"]
    ordinary, routed = training.gpu_parameters(GIVEN["model"], plan, 0)
    assert (ordinary, routed) == (264_171_520, 377_487_360)
    assert training.layer_activations(GIVEN["model"], GIVEN["training"], plan) == 38_976
    held = training.fullest_bytes(GIVEN, plan)
    assert f"{held / 1e9:.2f}" == "12.74"
    spreads = network.spread(order, sizes_of(plan), GIVEN["cluster"])
    one_step = step.step_of(GIVEN, plan, spreads)
    told = {
        "1.5439": one_step.compute_s,
        "0.1629": one_step.weights_s,
        "0.3221": one_step.traffic_s["tp"],
        "1.4764": one_step.traffic_s["ep"],
        "0.0403": one_step.traffic_s["pp"],
        "0.0506": one_step.traffic_s["dp"],
        "3.8294": one_step.total_s,
    }
    assert {f"{value:.4f}" for value in told.values()} == set(told)
    statement = (ROOT / "statement.md").read_text()
    assert all(text[:5] in statement for text in told)
    assert [f"{gb / 1e9:.2f}" for gb in one_step.sent["ep"]] == ["12.08", "72.48", "0.00"]


def drawn_plan(generator: random.Random) -> dict[str, Any]:
    """A plan that often holds, and looks where good ones are."""
    given: dict[str, Any] = {
        "tp": 2 ** generator.randint(0, 4),
        "cp": 2 ** generator.randint(0, 3),
        "pp": 2 ** generator.randint(0, 5),
        "ep": 2 ** generator.randint(0, 7),
        "virtual_pp": generator.choice([1, 2, 3, 4, 6, 12]),
        "micro_batch": generator.choice([1, 2, 3, 4, 6, 8]),
        "distributed_optimizer": generator.random() < 0.8,
        "recompute": generator.choice(training.RECOMPUTE),
        "order": generator.sample(search.DIMENSIONS, 5),
    }
    return given | {"dp": max(1, 1024 // (given["tp"] * given["cp"] * given["pp"]))}


def test_the_model_says_what_the_statement_says() -> None:
    """Against a second derivation, written from the statement alone."""
    generator = random.Random(8)
    constraints = module("constraints")
    verdicts = {"whole": 0, "fits": 0, "no": 0}
    for _ in range(4000):
        given = drawn_plan(generator)
        found = list(constraints.whole_number_constraints(given, GIVEN))
        held = all(one["holds"] for one in found)
        if held:
            plan = constraints.numbers(given, GIVEN["training"]["batch"])
            held = constraints.node(given, GIVEN, constraints.stride_of_tp(given["order"], plan))[
                "holds"
            ]
        assert held == plainly.holds_in_whole_numbers(given), given
        if not held:
            verdicts["no"] += 1
            continue
        fullest = max(plainly.held_bytes(given, stage) for stage in range(given["pp"]))
        assert training.fullest_bytes(GIVEN, plan) == pytest.approx(fullest, rel=1e-12)
        verdicts["fits" if fullest <= plainly.ROOM else "whole"] += 1
        spreads = network.spread(given["order"], sizes_of(plan), GIVEN["cluster"])
        time_s = float(step.step_of(GIVEN, plan, spreads).total_s)
        assert time_s == pytest.approx(plainly.step_s(given), rel=1e-12)
    assert min(verdicts.values()) > 40, verdicts


def test_no_plan_is_faster_than_the_best_of_the_search(space: Any) -> None:
    """A slow twin: plans at random, one at a time, by the statement alone."""
    generator = random.Random(3)
    fastest, found = float("inf"), 0
    for _ in range(60_000):
        given = drawn_plan(generator)
        if plainly.holds_in_whole_numbers(given):
            ends = (plainly.held_bytes(given, 0), plainly.held_bytes(given, given["pp"] - 1))
            if max(ends) <= plainly.ROOM:
                found += 1
                fastest = min(fastest, plainly.step_s(given))
    assert found > 500
    assert space.best_s <= fastest * (1 + 1e-12)
    assert fastest < 1.1 * space.best_s, "the twin looked where the good plans are"


def test_the_editorial_tells_how_many_plans_there_are(space: Any) -> None:
    text = (ROOT / "editorial.md").read_text()
    assert f"{len(space.times_s):,} pairs of" in text.replace("\n", " ")
    near = int((space.times_s <= 1.05 * space.best_s).sum())
    assert f"{near} pairs are" in text.replace("\n", " ")
    rows = re.findall(r"^\| (.*?) \| ([\d.]+) s \| (?:\+([\d.]+) %)? ?\|$", text, re.MULTILINE)
    assert len(rows) == 5
    first_s = float(rows[0][1])
    for what, told_s, told_percent in rows:
        sizes = {name: int(size) for name, size in re.findall(r"(tp|ep) (\d+)", what)}
        tp, ep = sizes.get("tp", 1), sizes.get("ep", 1)
        best_s = space.times_s[(space.plans.tp == tp) & (space.plans.ep == ep)].min()
        assert f"{best_s:.4f}" == told_s
        assert f"{100 * (best_s / space.best_s - 1):.1f}" == (told_percent or "0.0")
        # Who divides what is printed finds what is printed.
        assert f"{100 * (float(told_s) / first_s - 1):.1f}" == (told_percent or "0.0")


def test_the_reference_is_the_best_plan(space: Any) -> None:
    assert assess("reference.yaml")["cost"]["value"] == pytest.approx(space.best_s, rel=1e-12)


def test_the_margin_of_a_refutation_is_the_margin_of_the_verdict() -> None:
    ratios = {case.input.get("max_cost_ratio") for case in SPEC.cases} - {None}
    assert ratios == {search.MARGIN}


@pytest.mark.parametrize("path", sorted(path for path in SPEC.expected if "too_slow" in path))
def test_a_slow_plan_is_refuted_by_one_that_holds(path: str) -> None:
    said = assess(f"submissions/{path}")
    better = said["better"]
    assert better["cost"] * search.MARGIN < said["cost"]["value"]
    given = module("constraints").design_plan(design(f"submissions/{path}"))
    for change in better["changes"]:
        name = change["field"].partition(".")[2]
        as_list = str(change["to"]).split(", ")
        given[name] = as_list if name == "order" else change["to"]
    assert plainly.holds_in_whole_numbers(given)
    assert max(plainly.held_bytes(given, stage) for stage in range(given["pp"])) <= plainly.ROOM
    assert plainly.step_s(given) == pytest.approx(better["cost"], rel=1e-12)


@pytest.mark.parametrize(
    "path", ["reference.yaml", "submissions/wrong_answer/optimizer_not_divided.yaml"]
)
def test_computed_levels_are_of_the_rubric(path: str) -> None:
    found = assessment(said_in_json(assess(path)), DECLARED)
    criteria = {line.criterion: len(line.levels) for line in SPEC.rubric}
    assert found.rubric
    assert all(one.level < criteria[one.name] for one in found.rubric)


def test_every_design_that_can_be_written_is_assessed() -> None:
    generator = random.Random(1)
    refused = 0
    for _ in range(300):
        sizes = {name: generator.choice([1, 2, 3, 8, 64, 1024]) for name in search.DIMENSIONS}
        given = {
            "parallel": sizes,
            "schedule": {
                "virtual_pp": generator.choice([1, 5, 48]),
                "micro_batch": generator.choice([1, 7, 3072]),
            },
            "memory": {
                "distributed_optimizer": generator.random() < 0.5,
                "recompute": generator.choice(training.RECOMPUTE),
            },
            "placement": {"order": [generator.choice(search.DIMENSIONS) for _ in range(5)]},
            "reasons": {"binding": "", "rejected": ""},
        }
        found = assessment(said_in_json(module("model").assess(given, GIVEN)), DECLARED)
        refused += found.failing is not None
    assert refused > 290
