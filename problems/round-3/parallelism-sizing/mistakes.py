"""Named mistakes, each computed from the same configuration, so that a wrong number can be named.

A mistake is either a configuration that was read wrongly (`as_if`: the reference sizes that one) or
a right number that was combined wrongly (`value`). `applies` says where it makes a difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reference as ref

Config = dict[str, Any]
Sizes = dict[str, float]

COUNTS = ("parameters", "active_parameters")
STATE = ("weights_bytes", "gradients_bytes", "optimizer_bytes")
SENT = tuple(f"{kind}_bytes_sent" for kind in ("tp", "pp", "cp", "ep", "dp"))
BYTES = (*STATE, "activations_bytes", *SENT)


@dataclass(frozen=True, slots=True)
class Misconception:
    """One way to get some items wrong.

    Attributes
    ----------
    items : tuple of str
        The items that it is looked for in.
    advice : str
        What is wrong, as the second half of a sentence.
    applies : callable
        Whether the mistake changes anything in this configuration.
    value : callable
        The wrong number of an item: from the configuration, the right numbers and the item.
    """

    name: str
    items: tuple[str, ...]
    advice: str
    applies: Callable[[Config], bool]
    value: Callable[[Config, Sizes, str], float]


def always(config: Config) -> bool:
    return True


def as_if(**changes: dict[str, Any]) -> Callable[[Config, Sizes, str], float]:
    """The item of a configuration with these changes in its parts."""

    def value(config: Config, right: Sizes, item: str) -> float:
        parts = {part: config[part] | changes.get(part, {}) for part in config}
        return sizes(parts)[item]

    return value


def sizes(config: Config) -> Sizes:
    # A misread configuration may have another fullest stage; the answer is about stage 0 anyway.
    model, cluster, plan = config["model"], config["cluster"], config["plan"]
    sent = ref.traffic(model, plan)
    useful, executed = ref.flops(model, plan)
    bubble = ref.bubble_fraction(plan)
    step_s = ref.step_time_s(cluster, plan, executed, sent, bubble)
    return {
        "parameters": ref.parameters(model, ref.counted_experts(model)),
        "active_parameters": ref.parameters(model, ref.active_experts(model)),
        **ref.model_state(model, plan, stage=0),
        "activations_bytes": ref.activations(model, plan, stage=0),
        **sent,
        "model_flops": useful,
        "bubble_fraction": bubble,
        "step_time_s": step_s,
        "mfu": useful / (step_s * ref.gpus(plan) * cluster["peak_dense_tflops"] * 1e12),
    }


def as_if_moe(**changes: Any) -> Callable[[Config, Sizes, str], float]:
    def value(config: Config, right: Sizes, item: str) -> float:
        moe = config["model"]["moe"] | changes
        return as_if(model={"moe": moe})(config, right, item)

    return value


def times(factor: Callable[[Config], float]) -> Callable[[Config, Sizes, str], float]:
    """The right number times a factor."""
    return lambda config, right, item: right[item] * factor(config)


# Values that need more than a factor


def all_experts(config: Config, right: Sizes, item: str) -> float:
    return as_if_moe(top_k=config["model"]["moe"]["experts"])(config, right, item)


def every_head_has_kv(config: Config, right: Sizes, item: str) -> float:
    return as_if(model={"kv_heads": config["model"]["heads"]})(config, right, item)


def padded_vocab(config: Config, right: Sizes, item: str) -> float:
    padded = ref.padded_vocab(config["model"], config["plan"])
    return as_if(model={"vocab": padded})(config, right, item)


def unpadded_vocab(config: Config, right: Sizes, item: str) -> float:
    model, plan = config["model"], config["plan"]
    rows = ref.padded_vocab(model, plan) - model["vocab"]
    tables = 2 if plan["pp"] == 1 and not model["tied_embeddings"] else 1
    extra = rows * model["hidden"] * tables / plan["tp"]
    size, first_stage = {
        "weights_bytes": (ref.WEIGHT_BYTES, 3),
        "gradients_bytes": (plan["gradient_bytes"], 2),
        "optimizer_bytes": (ref.OPTIMIZER_BYTES, 1),
    }[item]
    over = ref.replicas(plan)[0] if plan["zero_stage"] >= first_stage else 1
    return float(right[item] - size * extra / over)


def without_router(config: Config, right: Sizes, item: str) -> float:
    model = config["model"]
    layers = model["layers"] - model["moe"]["dense_layers"]
    return float(right[item] - layers * model["hidden"] * model["moe"]["experts"])


def without_norms(config: Config, right: Sizes, item: str) -> float:
    return float(right[item] - (2 * config["model"]["layers"] + 1) * config["model"]["hidden"])


def other_replicas(
    replicas: Callable[[dict[str, Any]], tuple[int, int]],
) -> Callable[[Config, Sizes, str], float]:
    """State or gradient traffic as if this many GPUs held the same parameters."""

    def value(config: Config, right: Sizes, item: str) -> float:
        plan = config["plan"]
        held = ref.gpu_parameters(config["model"], plan, 0)
        pairs = list(zip(held, replicas(plan), ref.replicas(plan), strict=True))
        if item == "dp_bytes_sent":
            share = sum(p * (over - 1) / over for p, over, _ in pairs)
            right_share = sum(p * (over - 1) / over for p, _, over in pairs)
            return right[item] * share / right_share if right_share else share
        share = sum(p / over for p, over, _ in pairs)
        return right[item] * share / sum(p / over for p, _, over in pairs)

    return value


def scores_of_local_keys(config: Config, right: Sizes, item: str) -> float:
    model, plan = config["model"], config["plan"]
    scores = (5 if model["dropout"] else 2) * model["heads"] * plan["seq_len"] / plan["tp"]
    layers = model["layers"] // plan["pp"] * ref.micro_batches_in_flight(plan, 0)
    return float(right[item] - layers * ref.local_tokens(plan) * scores * (1 - 1 / plan["cp"]))


def all_in_flight(config: Config) -> float:
    return float(config["plan"]["micro_batches"] / ref.micro_batches_in_flight(config["plan"], 0))


def causal_half(config: Config, right: Sizes, item: str) -> float:
    return right[item] - 3 * core_flops(config) / 2


def core_flops(config: Config) -> float:
    model, plan = config["model"], config["plan"]
    core = 4 * plan["seq_len"] * model["heads"] * model["head_dim"] * model["layers"]
    return float(core * step_tokens(plan))


def step_tokens(plan: dict[str, Any]) -> int:
    return int(plan["dp"] * plan["micro_batches"] * plan["micro_batch"] * plan["seq_len"])


def embedding_multiplied(config: Config, right: Sizes, item: str) -> float:
    table = config["model"]["vocab"] * config["model"]["hidden"]
    return float(right[item] + 6 * table * step_tokens(config["plan"]))


def recompute_is_free(config: Config, right: Sizes, item: str) -> float:
    useful, executed = ref.flops(config["model"], config["plan"])
    cluster = config["cluster"]
    flops_per_s = cluster["peak_dense_tflops"] * 1e12 * cluster["matmul_efficiency"]
    extra_s = (executed - useful) / (ref.gpus(config["plan"]) * flops_per_s)
    return float(right[item] - extra_s / (1 - right["bubble_fraction"]))


def recompute_counted(config: Config) -> float:
    useful, executed = ref.flops(config["model"], config["plan"])
    return executed / useful


def sparse_time(config: Config, right: Sizes, item: str) -> float:
    sparse = config["cluster"]["peak_sparse_tflops"]
    return as_if(cluster={"peak_dense_tflops": sparse})(config, right, item)


def gibibyte_links(config: Config, right: Sizes, item: str) -> float:
    links = ("nvlink_gb_per_s", "network_gb_per_s")
    wrong = {link: config["cluster"][link] * 2**30 / 1e9 for link in links}
    return as_if(cluster=wrong)(config, right, item)


def exposed_s(config: Config, right: Sizes) -> float:
    cluster = config["cluster"]
    seconds = right["dp_bytes_sent"] / (cluster["network_gb_per_s"] * 1e9)
    return float((1 - cluster["dp_overlap"]) * seconds)


def bubble_added(config: Config, right: Sizes, item: str) -> float:
    gradients_s = exposed_s(config, right)
    busy_s = (right[item] - gradients_s) * (1 - right["bubble_fraction"])
    return busy_s * (1 + right["bubble_fraction"]) + gradients_s


def bubble_left_out(config: Config, right: Sizes, item: str) -> float:
    gradients_s = exposed_s(config, right)
    return (right[item] - gradients_s) * (1 - right["bubble_fraction"]) + gradients_s


def is_moe(config: Config) -> bool:
    return config["model"]["moe"] is not None


def zero_is(stage: int) -> Callable[[Config], bool]:
    return lambda config: (
        config["plan"]["zero_stage"] == stage and config["plan"]["dp"] * config["plan"]["cp"] > 1
    )


def counts_padding(config: Config) -> bool:
    return bool(ref.padded_vocab(config["model"], config["plan"]) != config["model"]["vocab"])


def has_traffic(config: Config) -> bool:
    return sum(ref.traffic(config["model"], config["plan"]).values()) > 0


def has_gradient_traffic(config: Config) -> bool:
    return ref.gradient_traffic(config["model"], config["plan"]) > 0


def waits_for_traffic(config: Config) -> bool:
    """Something is sent inside a layer."""
    return any(config["plan"][kind] > 1 for kind in ("tp", "cp", "ep"))


def plain_all_reduce(config: Config) -> bool:
    """Gradients are all-reduced over more than two GPUs, where 2(n-1)/n is not 1."""
    return config["plan"]["zero_stage"] == 0 and ref.replicas(config["plan"])[0] > 2


def gradients_once(config: Config, right: Sizes, item: str) -> float:
    """The gradients' size, as if that were what an all-reduce sends."""
    plan = config["plan"]
    held = zip(ref.gpu_parameters(config["model"], plan, 0), ref.replicas(plan), strict=True)
    return float(plan["gradient_bytes"] * sum(params for params, over in held if over > 1))
