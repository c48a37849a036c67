"""The time of a step: work, traffic on its links, the bubble, and what of the gradients shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import network
import training as t
from network import Spread

Numbers = Any
KINDS = ("tp", "cp", "ep", "pp", "dp")


@dataclass(frozen=True)
class Step:
    """Where the time of a step goes, in seconds; `sent` has bytes by kind and level."""

    compute_s: Numbers
    weights_s: Numbers
    sent: dict[str, Any]
    traffic_s: dict[str, Numbers]
    bubble: Numbers
    exposed_dp_s: Numbers

    @property
    def busy_s(self) -> Numbers:
        """What a pipeline does one after the other, without its bubble."""
        waited_for = sum(self.traffic_s[kind] for kind in KINDS if kind != "dp")
        return self.compute_s + self.weights_s + waited_for

    @property
    def total_s(self) -> Numbers:
        """The whole step."""
        return self.busy_s / (1 - self.bubble) + self.exposed_dp_s


def step_of(parameters: dict[str, Any], plan: t.Plan, spreads: dict[str, Spread]) -> Step:
    """The step of one plan, or of many: `spreads` are those of tp, cp, ep, dp (over ep) and pp."""
    model, training, cluster = (parameters[key] for key in ("model", "training", "cluster"))
    ordinary, routed = t.gpu_parameters(model, plan, stage=0)
    copies = spreads["dp"] * spreads["cp"]
    sent = {
        "tp": network.collective(t.tensor_bytes(model, training, plan), spreads["tp"]),
        "cp": network.one_link(t.context_bytes(model, training, plan), spreads["cp"]),
        "ep": network.all_to_all(t.expert_bytes(model, training, plan), spreads["ep"]),
        "pp": network.one_link(t.pipeline_bytes(model, training, plan), spreads["pp"]),
        "dp": network.collective(t.gradient_bytes(plan, ordinary), copies * spreads["ep"])
        + network.collective(t.gradient_bytes(plan, routed), copies),
    }
    traffic_s = {kind: network.seconds(sent[kind], cluster) for kind in KINDS}
    _, executed = t.flops(model, training, plan)
    flops_per_s = cluster["peak_dense_tflops"] * 1e12 * cluster["matmul_efficiency"]
    return Step(
        compute_s=executed / (cluster["gpus"] * flops_per_s),
        weights_s=t.weight_stream_bytes(model, plan) / (cluster["hbm_tb_per_s"] * 1e12),
        sent=sent,
        traffic_s=traffic_s,
        bubble=t.bubble_fraction(plan),
        exposed_dp_s=(1 - cluster["dp_overlap"]) * traffic_s["dp"],
    )
