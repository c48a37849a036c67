"""The worksheets' formulas against published figures, where their conventions cover them."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from graders.answers.worksheet.variant import draw
from tests.problems.worksheets import number, package, sheet, template

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
GIB = 2.0**30


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
    text = " ".join(package("model-state-memory").files["editorial.md"].split())
    stated = re.search(r"gives ([\d.]+) GB for ([\d,]+) million .* ZeRO-2 on (\d+) GPUs", text)
    ours, theirs = re.findall(r"\((\d+) \+ (\d+)/8\) \\cdot 2851 [^=]*= ([\d.]+)\$", text)
    stage_3 = re.search(r"(\d+) bytes over (\d+) GPUs .* whole, ([\d.]+): ([\d.]+)\.", text)
    assert stated is not None
    assert stage_3 is not None
    params, gpus = 1e6 * float(stated[2].replace(",", "")), int(stated[3])
    variant = sheet("model-state-memory", params=params, dp=gpus)
    state = float(variant.rows["zero", "stage-2"]["state"])
    assert state == pytest.approx((int(ours[0]) + int(ours[1]) / gpus) * params)
    assert state == pytest.approx(1e9 * float(ours[2]), rel=2e-3)
    assert theirs[2] == stated[1]
    in_gib = (int(theirs[0]) + int(theirs[1]) / gpus) * params / GIB
    assert in_gib == pytest.approx(float(theirs[2]), abs=0.005)
    a_parameter, over, layer, printed = (float(one) for one in stage_3.groups())
    assert a_parameter / over * params / GIB + layer == pytest.approx(printed, abs=0.01)


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
