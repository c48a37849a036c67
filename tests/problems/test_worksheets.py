"""Every worksheet that ships: its variants mislead nobody, its reference and zoo hold for any seed,
and its formulas agree with published figures where their conventions cover them.
"""

from __future__ import annotations

import importlib.util
import math
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest

from app.practice.judging import Mode, SandboxLauncher, as_typed, judge
from app.practice.verification import compare, trials_of
from graders.answers.worksheet.formulas import Value
from graders.answers.worksheet.template import Choice, Table, Template
from graders.answers.worksheet.variant import APART, Variant, at, draw
from problems.package import SHIPPED, Package, find_packages, read_package
from sandboxes.interface import Sandbox

N_VARIANTS = 10_000
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
GIB = 2.0**30


@cache
def package(slug: str) -> Package:
    return read_package(next(SHIPPED.glob(f"round-*/{slug}")))


@cache
def template(slug: str) -> Template:
    return Template.of(package(slug).spec.grader.model_dump())


SLUGS = [
    folder.name
    for folder in find_packages(SHIPPED)
    if (path := folder / "problem.yaml").exists() and "kind: answers" in path.read_text()
]


def sheet(slug: str, **given: Value) -> Variant:
    """The worksheet at named parameters in base units; the others are its first values."""
    first: dict[str, Value] = {one.name: one.values[0] for one in template(slug).parameters}
    return at(template(slug), first | given)


def number(variant: Variant, name: str) -> float:
    return float(variant.scope[name])


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
    assert one.combinations * N_VARIANTS / tries >= N_VARIANTS
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


# Memory of the model state


@pytest.mark.parametrize(
    ("stage", "gb"), [("stage-0", 120), ("stage-1", 31.4), ("stage-2", 16.6), ("stage-3", 1.88)]
)
def test_zero_agrees_with_figure_1_of_the_paper(stage: str, gb: float) -> None:
    variant = sheet("model-state-memory", params=7.5e9, dp=64)
    assert variant.rows["zero", stage]["state"] == pytest.approx(gb * 1e9, rel=4e-3)


def test_megatron_agrees_with_what_its_own_code_prints_for_gpt_3() -> None:
    on_a_gpu = 50_348_611_584 / 18
    variant = sheet("model-state-memory", params=on_a_gpu * 64, tp=8, pp=8, dp=8)
    assert number(variant, "megatron") == 50_348_611_584
    assert number(variant, "distributed") == 20_978_588_160


def test_where_deepspeeds_estimator_differs_is_as_the_editorial_says() -> None:
    params, gpus = 2851e6, 8
    variant = sheet("model-state-memory", params=params, dp=gpus)
    assert variant.rows["zero", "stage-2"]["state"] == pytest.approx(10.7e9, rel=2e-3)
    assert (4 + 16 / gpus) * params / GIB == pytest.approx(15.93, abs=0.005)
    assert 18 / gpus * params / GIB + 0.12 == pytest.approx(6.09, abs=0.01)


def test_experts_without_expert_parallelism_are_ordinary_parameters() -> None:
    variant = sheet("model-state-memory", shared=2e9, routed=24e9, ep=1, dp=16)
    assert number(variant, "moe") == pytest.approx((6 + 12 / 16) * 26e9)


# KV cache


@pytest.mark.parametrize(
    ("layers", "heads", "kv_heads", "token_bytes"),
    [
        (32, 32, 32, 524_288),  # Llama-2-7B
        (32, 32, 8, 131_072),  # Llama-3-8B
        (80, 64, 8, 327_680),  # Llama-3-70B
        (40, 40, 40, 819_200),  # OPT-13B
    ],
)
def test_a_tokens_cache_is_the_published_one(
    layers: int, heads: int, kv_heads: int, token_bytes: int
) -> None:
    variant = sheet(
        "kv-cache-size", layers=layers, heads=heads, kv_heads=kv_heads, head_dim=128, tp=1
    )
    assert variant.rows["attention", "as-is"]["per_token"] == token_bytes
    assert number(variant, "per_gpu") == token_bytes


def test_the_shapes_in_the_worksheet_are_the_published_ones() -> None:
    parameters = {one.name: one.values for one in template("kv-cache-size").parameters}
    shapes = zip(*(parameters[name] for name in ("model", "layers", "heads", "kv_heads")),
                 strict=True)  # fmt: skip
    assert ("Llama-3-70B", 80, 64, 8) in shapes


def test_the_blocks_are_those_of_the_vllm_paper() -> None:
    variant = sheet(
        "kv-cache-size", layers=32, heads=32, kv_heads=32, head_dim=128, tp=1,
        budget=8 * GIB, block_tokens=16,
    )  # fmt: skip
    assert number(variant, "blocks") * 16 == 16_384


def test_mla_is_not_doubled() -> None:
    variant = sheet("kv-cache-size", mla_layers=61, latent=512, rope=64)
    assert number(variant, "mla") == 70_272


def test_below_one_head_nothing_is_saved() -> None:
    at_eight, at_sixteen = (
        sheet("kv-cache-size", layers=80, heads=64, kv_heads=8, tp=tp) for tp in (8, 16)
    )
    assert number(at_eight, "per_gpu") == number(at_sixteen, "per_gpu")


# How often to checkpoint


def test_the_jobs_mean_time_is_that_of_published_runs() -> None:
    llama = sheet("checkpoint-interval", gpus=16_384, gpu_mtbf=50_677 * HOUR_S)
    assert number(llama, "job_mtbf") / HOUR_S == pytest.approx(3.09, abs=0.005)
    epoch = sheet("checkpoint-interval", gpus=100_000, gpu_mtbf=50_000 * HOUR_S)
    assert number(epoch, "job_mtbf") == 30 * 60


def test_young_and_the_availability_optimum_are_the_published_formulas() -> None:
    mean, write, restart = 4 * HOUR_S, 60.0, 600.0
    variant = sheet(
        "checkpoint-interval", gpus=10_000, gpu_mtbf=10_000 * mean, write=write, restart=restart
    )
    assert number(variant, "young") == pytest.approx(math.sqrt(2 * write * mean))
    expected = write + math.sqrt(2 * (mean + restart) * write + write**2)
    assert number(variant, "optimum") == pytest.approx(expected)
    assert number(variant, "availability") == pytest.approx(2 * write * mean / expected**2)


def exact_period_s(computing_s: float, write_s: float, mean_s: float, restart_s: float) -> float:
    """Mean time of a period under exponential failures, restarts free of them (Daly's model)."""
    return (mean_s + restart_s) * math.expm1((computing_s + write_s) / mean_s)


def test_dalys_interval_is_the_minimum_of_the_exact_model() -> None:
    mean, write, restart = 4 * HOUR_S, 60.0, 600.0
    variant = sheet(
        "checkpoint-interval", gpus=10_000, gpu_mtbf=10_000 * mean, write=write, restart=restart
    )
    taus = np.arange(0.5, 1.5, 1e-4) * number(variant, "daly")
    cost = [exact_period_s(tau, write, mean, restart) / tau for tau in taus]
    best_s = float(taus[int(np.argmin(cost))])
    assert number(variant, "daly") == pytest.approx(best_s, rel=2e-3)
    assert number(variant, "young") != pytest.approx(best_s, rel=2e-2)


def availability_by_chance(
    period_s: float, write_s: float, mean_s: float, restart_s: float, n_failures: int
) -> float:
    """Progress over time of a job with random failures, each between two restarts."""
    up_s = np.random.default_rng(20260).exponential(mean_s, n_failures)
    whole_periods = np.floor(up_s / period_s)
    progress_s = whole_periods.sum() * (period_s - write_s)
    return float(progress_s / (up_s.sum() + n_failures * restart_s))


@pytest.mark.parametrize("seed", range(6))
def test_the_availability_is_what_random_failures_leave(seed: int) -> None:
    """A period that a failure cuts off is lost, so only whole ones count."""
    variant = draw(template("checkpoint-interval"), seed)
    mean, period = number(variant, "job_mtbf"), number(variant, "optimum")
    write, restart = number(variant, "write"), number(variant, "restart")
    found = availability_by_chance(period, write, mean, restart, 400_000)
    # The formula leaves out the third order, which is what the statement says it does.
    third_order = (period / mean) ** 2 / 6 + restart * period / (2 * mean**2)
    assert number(variant, "availability") == pytest.approx(found, rel=third_order + 0.004)
    for other in (0.5 * period, 2 * period):
        assert availability_by_chance(other, write, mean, restart, 400_000) < found


@pytest.mark.parametrize("seed", range(20))
def test_the_three_intervals_leave_nearly_the_same_availability(seed: int) -> None:
    variant = draw(template("checkpoint-interval"), seed)
    mean, write, restart = (number(variant, name) for name in ("job_mtbf", "write", "restart"))
    periods = [
        number(variant, "young") + write, number(variant, "daly") + write,
        number(variant, "optimum"),
    ]  # fmt: skip
    left = [
        (period - write) / exact_period_s(period - write, write, mean, restart)
        for period in periods
    ]
    assert max(left) - min(left) < 2e-3


# Goodput


def test_megatrons_33_9_days_for_175_billion() -> None:
    variant = sheet(
        "goodput", active=175e9, tokens=300e9, gpus=1024, achieved=140e12, recompute="all"
    )
    assert number(variant, "ideal_days") / DAY_S == pytest.approx(33.9, abs=0.05)


@pytest.mark.parametrize(("tflops", "percent"), [(430, 43), (380, 38)])
def test_mfu_of_llama_3_as_printed(tflops: float, percent: float) -> None:
    variant = sheet("goodput", achieved=tflops * 1e12, peak=989.4e12, recompute="none")
    assert number(variant, "mfu") == pytest.approx(percent / 100, abs=0.005)


def test_the_third_mfu_of_llama_3_differs_as_the_editorial_says() -> None:
    variant = sheet("goodput", achieved=400e12, peak=989.4e12, recompute="none")
    assert number(variant, "mfu") == pytest.approx(0.404, abs=0.0005)  # printed: 41 %


def test_goodput_is_the_availability_of_the_other_worksheet() -> None:
    shared = {"gpus": 16_384, "gpu_mtbf": 50_000 * HOUR_S, "write": 60.0, "restart": 600.0}
    checkpoints = sheet("checkpoint-interval", **shared)
    run = sheet("goodput", **shared, period=number(checkpoints, "optimum"))
    assert number(run, "goodput") == pytest.approx(number(checkpoints, "availability"))


# Power and cost


def test_a_year_of_181_5_megawatts_is_the_published_energy_and_bill() -> None:
    variant = sheet(
        "power-and-cost", gpus=100_000, node_power=8 * 1815.0, load=1.0, other=0.0, pue=1.0,
        tariff=0.078 / 3.6e6,
    )  # fmt: skip
    assert number(variant, "facility") == pytest.approx(181.5e6)
    assert number(variant, "energy") / 3.6e15 == pytest.approx(1.59, abs=0.0005)
    assert number(variant, "bill") == pytest.approx(123.9e6, rel=2e-3)


def test_deepseek_v3_cost_5_576_million_dollars() -> None:
    variant = sheet("power-and-cost", run=2788e3 * HOUR_S, rent=2 / HOUR_S)
    assert number(variant, "training") == pytest.approx(5.576e6)
    day = sheet("power-and-cost", run=226.75 * 8 * DAY_S, rent=2 / HOUR_S)
    assert number(day, "training") == pytest.approx(87_072)


# The twin of parallelism-sizing


@pytest.fixture(scope="module")
def sizing() -> ModuleType:
    """The reference of the problem whose conventions the worksheet shares."""
    path = Path(SHIPPED) / "round-3" / "parallelism-sizing" / "reference.py"
    spec = importlib.util.spec_from_file_location("sizing_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sizing_reference"] = module
    spec.loader.exec_module(module)
    return module


TWINS = {
    "parameters": "parameters",
    "weights": "weights_bytes",
    "gradients": "gradients_bytes",
    "optimizer": "optimizer_bytes",
    "activations": "activations_bytes",
    "tp_sent": "tp_bytes_sent",
    "pp_sent": "pp_bytes_sent",
    "dp_sent": "dp_bytes_sent",
    "model_flops": "model_flops",
    "bubble": "bubble_fraction",
    "step_time": "step_time_s",
    "mfu": "mfu",
}


@pytest.mark.parametrize("seed", range(40))
def test_the_worksheet_and_its_twin_give_the_same_numbers(sizing: ModuleType, seed: int) -> None:
    variant = draw(template("parallelism-worksheet"), seed)
    given = variant.given
    model = {name: given[name] for name in ("layers", "hidden", "heads", "kv_heads", "head_dim",
                                            "vocab")}  # fmt: skip
    model |= {"ffn_hidden": given["ffn"], "swiglu": True, "tied_embeddings": False,
              "dropout": False, "moe": None}  # type: ignore[dict-item]  # fmt: skip
    cluster = {
        "peak_dense_tflops": float(given["peak"]) / 1e12,
        "peak_sparse_tflops": float(given["sparse_peak"]) / 1e12,
        "matmul_efficiency": given["efficiency"],
        "nvlink_gb_per_s": float(given["nvlink"]) / 1e9,
        "network_gb_per_s": float(given["network"]) / 1e9,
        "dp_overlap": given["overlap"],
    }
    plan = {name: given[name] for name in ("seq_len", "micro_batches", "tp", "pp", "dp")}
    plan |= {"micro_batch": 1, "virtual_pp": 1, "cp": 1, "ep": 1, "zero_stage": 1,
             "gradient_bytes": 4, "sequence_parallel": True, "recompute": "selective"}  # fmt: skip
    twin = sizing.size(model, cluster, plan)
    for name, item in TWINS.items():
        assert number(variant, name) == pytest.approx(twin[item], rel=1e-9), name


def test_every_number_of_the_twin_that_the_worksheet_asks_is_compared() -> None:
    assert {one.name for one in template("parallelism-worksheet").fields} == set(TWINS)


def test_tables_have_a_number_in_every_row() -> None:
    for slug in SLUGS:
        variant = draw(template(slug), 1)
        for one in template(slug).fields:
            if isinstance(one, Table):
                assert len(one.rows) * len(one.columns) == sum(
                    cell.table is one for cell in variant.cells()
                )
