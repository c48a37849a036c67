"""moe-1024 computed once more, plainly, from nothing but the sentences of its statement."""

from __future__ import annotations

from math import prod
from typing import Any

LAYERS, HIDDEN, HEADS, KV_HEADS, WIDTH = 48, 5120, 40, 8, 128
EXPERTS, TOP, EXPERT_WIDTH, VOCABULARY = 64, 4, 2048, 131_072
SEQUENCE, BATCH, GPUS, NODE, POD = 4096, 3072, 1024, 8, 256
ROOM = 72e9
RATES = (450e9, 50e9, 25e9)

ATTENTION = 2 * HIDDEN * WIDTH * (HEADS + KV_HEADS)
ROUTER = EXPERTS * HIDDEN
EXPERT = 3 * HIDDEN * EXPERT_WIDTH


def micro_batches(plan: dict[str, Any]) -> int:
    return int(BATCH // (plan["dp"] * plan["micro_batch"]))


def holds_in_whole_numbers(plan: dict[str, Any]) -> bool:
    """Everything of *What must hold* but memory."""
    tp, cp, pp, dp, ep, chunks = (plan[k] for k in ("tp", "cp", "pp", "dp", "ep", "virtual_pp"))
    if tp * cp * pp * dp != GPUS or dp % ep or EXPERTS % ep:
        return False
    if sorted(plan["order"]) != ["cp", "dp", "ep", "pp", "tp"] or KV_HEADS % tp:
        return False
    if LAYERS % (pp * chunks) or SEQUENCE % (cp * tp) or BATCH % (dp * plan["micro_batch"]):
        return False
    if chunks > 1 and (pp == 1 or micro_batches(plan) % pp):
        return False
    return bool(in_reach(plan, ["tp"])[0] == tp)


def in_reach(plan: dict[str, Any], kinds: list[str]) -> tuple[int, int, int]:
    """How many ranks of a group share a node, share a pod, and are there."""
    sizes = {kind: plan[kind] for kind in ("tp", "cp", "ep", "pp")}
    sizes["dp"] = plan["dp"] // plan["ep"]
    node = pod = size = 1
    for kind in kinds:
        before = prod(sizes[other] for other in plan["order"][: plan["order"].index(kind)])
        node *= min(max(NODE // before, 1), sizes[kind])
        pod *= min(max(POD // before, 1), sizes[kind])
        size *= sizes[kind]
    return node, pod, size


def parameters_on(plan: dict[str, Any], stage: int) -> tuple[float, float]:
    """Ordinary parameters and those of experts on a GPU of a stage."""
    layers, tp = LAYERS // plan["pp"], plan["tp"]
    ordinary = layers * (ATTENTION / tp + ROUTER + 2 * HIDDEN)
    if stage == 0:
        ordinary += VOCABULARY * HIDDEN / tp
    if stage == plan["pp"] - 1:
        ordinary += VOCABULARY * HIDDEN / tp + HIDDEN
    return ordinary, layers * EXPERTS / plan["ep"] * EXPERT / tp


def held_bytes(plan: dict[str, Any], stage: int) -> float:
    ordinary, experts = parameters_on(plan, stage)
    copies = plan["dp"] * plan["cp"]
    if plan["distributed_optimizer"]:
        optimizer = 12 * (ordinary / copies + experts / (copies / plan["ep"]))
    else:
        optimizer = 12 * (ordinary + experts)
    kept = 8 * HIDDEN + 4 * EXPERTS + 2 * HIDDEN * TOP
    kept += 4 * HEADS * WIDTH + 4 * KV_HEADS * WIDTH + 6 * TOP * EXPERT_WIDTH
    if plan["recompute"] == "none":
        kept += 2 * HEADS * SEQUENCE
    if plan["recompute"] == "full":
        kept = 2 * HIDDEN
    tokens, m = plan["micro_batch"] * SEQUENCE / plan["cp"], micro_batches(plan)
    pp, chunks = plan["pp"], plan["virtual_pp"]
    flight: float = min(m, pp - stage)
    if chunks > 1:
        flight = min(m * chunks, 2 * (pp - stage - 1) + (chunks - 1) * pp + 1) / chunks
    per_token = LAYERS // pp * kept / plan["tp"] + (8 / plan["tp"] if stage == 0 else 0)
    activations = tokens * per_token * flight
    if stage == pp - 1:
        activations += (4 * HIDDEN + 4 * VOCABULARY) * tokens / plan["tp"]
    return float(6 * (ordinary + experts) + optimizer + activations)


def collective_s(total: float, node: int, pod: int, size: int) -> float:
    parts = (1 - 1 / node, 1 / node - 1 / pod, 1 / pod - 1 / size)
    return sum(total * part / rate for part, rate in zip(parts, RATES, strict=True))


def all_to_all_s(total: float, node: int, pod: int, size: int) -> float:
    parts = (node - 1, pod - node, size - pod)
    return sum(total * part / size / rate for part, rate in zip(parts, RATES, strict=True))


def neighbours_s(total: float, node: int, pod: int, size: int) -> float:
    return total / (RATES[0] if node == size else RATES[1] if pod == size else RATES[2])


def step_s(plan: dict[str, Any]) -> float:
    """The whole step, by *How long a step takes*."""
    tp, cp, pp, chunks = (plan[kind] for kind in ("tp", "cp", "pp", "virtual_pp"))
    full, m = plan["recompute"] == "full", micro_batches(plan)
    layers, tokens = LAYERS // pp, plan["micro_batch"] * SEQUENCE / cp
    hidden = 2 * tokens * HIDDEN

    core = 4 * SEQUENCE * HEADS * WIDTH * LAYERS
    forward = 2 * LAYERS * (ATTENTION + ROUTER + TOP * EXPERT) + core
    flops = 3 * (forward + 2 * HIDDEN * VOCABULARY)
    flops += {"none": 0, "selective": core, "full": forward}[plan["recompute"]]
    compute = flops * BATCH * SEQUENCE / (GPUS * 989.4e12 * 0.6)

    matrices = layers * (ATTENTION / tp + ROUTER + EXPERTS / plan["ep"] * EXPERT / tp)
    weights = m * (14 if full else 12) * matrices / 3.35e12

    runs = m * layers
    tensor = collective_s(runs * (6 if full else 4) * 2 * hidden, *in_reach(plan, ["tp"]))
    key_value = 2 * tokens * 2 * KV_HEADS * WIDTH / tp
    context = neighbours_s(
        runs * (4 if full else 3) * (cp - 1) * key_value, *in_reach(plan, ["cp"])
    )
    expert = all_to_all_s(runs * (6 if full else 4) * TOP * hidden / tp, *in_reach(plan, ["ep"]))
    crossings = 2 * chunks - 1 if pp > 1 else 0
    pipeline = neighbours_s(m * crossings * hidden / tp, *in_reach(plan, ["pp"]))

    a_parameter = 6 if plan["distributed_optimizer"] else 8
    ordinary, experts = parameters_on(plan, 0)
    gradients = collective_s(a_parameter * ordinary, *in_reach(plan, ["cp", "ep", "dp"]))
    gradients += collective_s(a_parameter * experts, *in_reach(plan, ["cp", "dp"]))

    bubble = (pp - 1) / (chunks * m + pp - 1)
    busy = compute + weights + tensor + context + expert + pipeline
    return float(busy / (1 - bubble) + gradients / 2)
