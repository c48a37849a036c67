"""What the verdict page shows beside the constraints: metrics, computed levels, pictures."""

from __future__ import annotations

from typing import Any

import constraints as c
import network
import numpy as np
import training as t
from network import Spread
from step import KINDS, Step

from graders.text import say

GB = 1e9
MAX_STAGES_DRAWN = 16


def metrics(parameters: dict[str, Any], plan: t.Plan, one_step: Step) -> list[dict[str, Any]]:
    """Figures worth knowing about a plan that runs."""
    model, training, cluster = (parameters[key] for key in ("model", "training", "cluster"))
    total_s = float(one_step.total_s)
    useful, _ = t.flops(model, training, plan)
    peak = cluster["gpus"] * cluster["peak_dense_tflops"] * 1e12
    tokens = training["batch"] * training["sequence"]
    hours = cluster["gpus"] * total_s / tokens * 1e12 / 3600
    return [
        _metric("step_time", say("Time of a step"), total_s, "s"),
        _metric("mfu", say("Model FLOPs utilisation"), 100 * float(useful) / (total_s * peak), "%"),
        _metric("tokens", say("Tokens a second"), tokens / total_s / 1e6, say("million")),
        _metric("hours", say("A trillion tokens"), hours / 1000, say("thousand GPU-hours")),
        _metric("bubble", say("Bubble"), 100 * float(one_step.bubble), "%"),
        _metric(
            "in_flight",
            say("Micro-batches in flight on stage 0"),
            float(t.micro_batches_in_flight(plan, 0)),
            "",
        ),
        _metric(
            "parameters",
            say("Parameters, of them active"),
            say(
                "{all:.1f} billion, {active:.1f} billion",
                all=t.parameters(model, model["experts"]) / 1e9,
                active=t.parameters(model, model["top_k"]) / 1e9,
            ),
            "",
        ),
    ]


def _metric(name: str, label: str, value: float | str, unit: str) -> dict[str, Any]:
    if not isinstance(value, str):
        value = float(f"{value:.4g}")
    return {"name": name, "label": label, "value": value, "unit": unit}


def levels(plan: t.Plan, spreads: dict[str, Spread]) -> list[dict[str, Any]]:
    """The lines of the rubric that need no person."""
    leaving = [kind for kind in ("tp", "cp", "ep") if int(spreads[kind].level) > 0]
    across = [kind for kind in leaving if int(spreads[kind].level) == 2]
    bubble = float(t.bubble_fraction(plan))
    where = (
        say("{kinds} leave the node", kinds=", ".join(leaving))
        if leaving
        else say("all traffic that every layer waits for stays in the node")
    )
    return [
        {"name": "Locality", "level": 0 if across else 1 if leaving else 2, "why": where},
        {
            "name": "Bubble",
            "level": 0 if bubble > 0.15 else 1 if bubble > 0.07 else 2,
            "why": say("a GPU waits {share:.1f} % of the pipeline's time", share=100 * bubble),
        },
    ]


def memory_chart(parameters: dict[str, Any], plan: t.Plan) -> dict[str, Any]:
    """What a GPU of each stage holds, against what there is room for."""
    labels = {
        "weights": say("weights"),
        "gradients": say("gradients"),
        "optimizer": say("optimizer state"),
        "activations": say("activations"),
    }
    rows = []
    for stage in range(min(plan.pp, MAX_STAGES_DRAWN)):
        held = c.stage_bytes(parameters, plan, stage)
        parts = [{"label": labels[name], "value": held[name] / GB} for name in labels]
        rows.append({"label": say("stage {stage}", stage=stage), "note": "", "parts": parts})
    usable = (parameters["cluster"]["memory_gb"] - parameters["cluster"]["reserved_gb"]) * 1.0
    return {
        "title": say("Memory of a GPU, by pipeline stage"),
        "unit": "GB",
        "limit": {"label": say("room"), "value": usable},
        "rows": rows,
    }


def time_chart(one_step: Step) -> dict[str, Any]:
    """Where the time of a step goes."""
    busy, total = float(one_step.busy_s), float(one_step.total_s)
    parts = [
        (say("compute"), float(one_step.compute_s)),
        (say("weights from HBM"), float(one_step.weights_s)),
        (say("tensor"), float(one_step.traffic_s["tp"])),
        (say("context"), float(one_step.traffic_s["cp"])),
        (say("expert"), float(one_step.traffic_s["ep"])),
        (say("pipeline"), float(one_step.traffic_s["pp"])),
        (say("bubble"), total - float(one_step.exposed_dp_s) - busy),
        (say("gradients that show"), float(one_step.exposed_dp_s)),
    ]
    return {
        "title": say("Time of a step"),
        "unit": "s",
        "limit": None,
        "rows": [
            {
                "label": say("this plan"),
                "note": "",
                "parts": [{"label": label, "value": value} for label, value in parts if value > 0],
            }
        ],
    }


def traffic_chart(one_step: Step, cluster: dict[str, Any]) -> dict[str, Any]:
    """Seconds of traffic on each level of the network, by kind of parallelism."""
    names = {
        "tp": say("tensor"),
        "cp": say("context"),
        "ep": say("expert"),
        "pp": say("pipeline"),
        "dp": say("gradients"),
    }
    rows = []
    for level, rate in enumerate(network.rates(cluster)):
        sent = {kind: float(one_step.sent[kind][level]) for kind in KINDS}
        rows.append(
            {
                "label": _level_name(level),
                "note": say(
                    "{gb:.4g} GB at {rate:g} GB/s", gb=sum(sent.values()) / GB, rate=rate / GB
                ),
                "parts": [
                    {"label": names[kind], "value": sent[kind] / rate}
                    for kind in KINDS
                    if sent[kind] > 0
                ],
            }
        )
    if not any(row["parts"] for row in rows):
        rows[0]["parts"] = [{"label": names["dp"], "value": 1e-9}]
    return {
        "title": say("Traffic of a GPU of stage 0, by level of the network"),
        "unit": "s",
        "limit": None,
        "rows": rows,
    }


def placement(
    order: list[str], plan: t.Plan, spreads: dict[str, Spread], cluster: dict[str, Any]
) -> dict[str, Any]:
    """Every dimension on the ruler of ranks, in the plan's order."""
    sizes, strides = c.sizes(plan), network.strides(order, c.sizes(plan))
    labels = {
        "tp": say("tensor"),
        "cp": say("context"),
        "ep": say("expert"),
        "dp": say("data"),
        "pp": say("pipeline"),
    }
    gpus = (cluster["gpus_per_node"], cluster["gpus_per_pod"], cluster["gpus"])
    return {
        "ranks": cluster["gpus"],
        "levels": [
            {
                "label": _level_name(level),
                "ranks": gpus[level],
                "rate": say("{rate:g} GB/s", rate=float(np.asarray(rate)) / GB),
            }
            for level, rate in enumerate(network.rates(cluster))
        ],
        "dimensions": [
            {"label": labels[name], "stride": strides[name], "size": sizes[name], "note": name}
            for name in order
        ],
    }


def _level_name(level: int) -> str:
    return (say("NVLink"), say("leaves"), say("spines"))[level]
