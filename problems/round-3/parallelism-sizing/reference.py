"""Memory, traffic and speed of one training step of a transformer under a parallel plan.

Every convention is the statement's. Sizes are in bytes, times in seconds, and what a single GPU
holds or sends is that of a GPU of pipeline stage 0, which must be the fullest one.

References
----------
.. [1] Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models",
   arXiv:2205.05198: what a layer keeps for the backward pass, and model FLOPs.
.. [2] Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using
   Megatron-LM", arXiv:2104.04473: interleaved 1F1B, its bubble and its extra activations.
.. [3] Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
   arXiv:1910.02054: bytes a parameter, and what each stage divides.
"""

from __future__ import annotations

from math import ceil
from typing import Any

WEIGHT_BYTES = 2  # bf16
OPTIMIZER_BYTES = 12  # fp32 master weight, momentum, variance
ACTIVATION_BYTES = 2  # bf16


def size(model: dict[str, Any], cluster: dict[str, Any], plan: dict[str, Any]) -> dict[str, float]:
    """The whole answer, one number an item.

    Raises
    ------
    ValueError
        If the first pipeline stage is not the fullest: the statement promises that it is.
    """
    fullest = fullest_stage(model, plan)
    if fullest != 0:
        raise ValueError(f"stage 0 must be the fullest of {plan['pp']}, but stage {fullest} is")
    sent = traffic(model, plan)
    bubble = bubble_fraction(plan)
    useful_flops, executed_flops = flops(model, plan)
    step_s = step_time_s(cluster, plan, executed_flops, sent, bubble)
    return {
        "parameters": parameters(model, counted_experts(model)),
        "active_parameters": parameters(model, active_experts(model)),
        **model_state(model, plan, stage=0),
        "activations_bytes": activations(model, plan, stage=0),
        **sent,
        "model_flops": useful_flops,
        "bubble_fraction": bubble,
        "step_time_s": step_s,
        "mfu": useful_flops / (step_s * gpus(plan) * cluster["peak_dense_tflops"] * 1e12),
    }


def gpus(plan: dict[str, Any]) -> int:
    """GPUs of the whole job; expert parallelism borrows its ranks from data parallelism."""
    return int(plan["tp"] * plan["pp"] * plan["dp"] * plan["cp"])


# Parameters


def attention_matrices(model: dict[str, Any]) -> int:
    """Parameters of Q and the output projection (all heads), and of K and V (kv heads)."""
    return int(model["hidden"] * model["head_dim"] * 2 * (model["heads"] + model["kv_heads"]))


def ffn_matrices(model: dict[str, Any], width: int) -> int:
    """Parameters of one feed-forward block: up and down, and a gate with SwiGLU."""
    return (3 if model["swiglu"] else 2) * int(model["hidden"]) * width


def counted_experts(model: dict[str, Any]) -> int:
    """Experts of a MoE layer, the shared ones included."""
    return model["moe"]["experts"] + model["moe"]["shared_experts"] if model["moe"] else 0


def active_experts(model: dict[str, Any]) -> int:
    """Experts that one token visits, the shared ones included."""
    return model["moe"]["top_k"] + model["moe"]["shared_experts"] if model["moe"] else 0


def layer_matrices(model: dict[str, Any], is_moe: bool, experts: int) -> int:
    """Parameters in the matrices of one layer, of which `experts` experts count."""
    if not is_moe:
        return attention_matrices(model) + ffn_matrices(model, model["ffn_hidden"])
    router = model["hidden"] * model["moe"]["experts"]
    expert = ffn_matrices(model, model["moe"]["expert_ffn_hidden"])
    return int(attention_matrices(model) + router + experts * expert)


def dense_and_moe_layers(
    model: dict[str, Any], plan: dict[str, Any], stage: int
) -> tuple[int, int]:
    """Layers with a dense FFN and with experts on one stage; dense ones all live on stage 0."""
    layers = model["layers"] // plan["pp"]
    if not model["moe"]:
        return layers, 0
    dense = model["moe"]["dense_layers"] if stage == 0 else 0
    return dense, layers - dense


def parameters(model: dict[str, Any], experts: int) -> int:
    """Parameters of the whole model with its true vocabulary, `experts` in each MoE layer."""
    dense = model["moe"]["dense_layers"] if model["moe"] else model["layers"]
    norms = (2 * model["layers"] + 1) * model["hidden"]
    tables = 1 if model["tied_embeddings"] else 2
    return int(
        dense * layer_matrices(model, False, 0)
        + (model["layers"] - dense) * (layer_matrices(model, True, experts) if model["moe"] else 0)
        + norms
        + tables * model["vocab"] * model["hidden"]
    )


def padded_vocab(model: dict[str, Any], plan: dict[str, Any]) -> int:
    """The vocabulary rounded up so that each tensor-parallel rank gets a multiple of 128 rows."""
    multiple = 128 * plan["tp"]
    return int(ceil(model["vocab"] / multiple) * multiple)


def gpu_parameters(model: dict[str, Any], plan: dict[str, Any], stage: int) -> tuple[float, float]:
    """Parameters of one GPU of a stage: ordinary ones, and those of routed experts.

    Matrices are divided by tp; norms and routers are copied to every tensor-parallel rank.
    """
    tp, hidden = plan["tp"], model["hidden"]
    dense, moe = dense_and_moe_layers(model, plan, stage)
    table = padded_vocab(model, plan) * hidden / tp
    ordinary = (dense + moe) * (attention_matrices(model) / tp + 2 * hidden)
    ordinary += dense * ffn_matrices(model, model["ffn_hidden"]) / tp
    routed = 0.0
    if moe:
        expert = ffn_matrices(model, model["moe"]["expert_ffn_hidden"]) / tp
        ordinary += moe * (
            hidden * model["moe"]["experts"] + model["moe"]["shared_experts"] * expert
        )
        routed = moe * model["moe"]["experts"] / plan["ep"] * expert
    first, last = stage == 0, stage == plan["pp"] - 1
    if first:
        ordinary += table
    if last:
        ordinary += hidden
    if last and not (first and model["tied_embeddings"]):
        ordinary += table
    return ordinary, routed


# Memory


def replicas(plan: dict[str, Any]) -> tuple[int, int]:
    """How many GPUs hold the same ordinary parameters, and the same routed experts."""
    return plan["dp"] * plan["cp"], plan["dp"] * plan["cp"] // plan["ep"]


def model_state(model: dict[str, Any], plan: dict[str, Any], stage: int) -> dict[str, float]:
    """Bytes of weights, gradients and optimizer state on one GPU of a stage."""
    ordinary, routed = gpu_parameters(model, plan, stage)
    over, over_routed = replicas(plan)
    whole = ordinary + routed
    shard = ordinary / over + routed / over_routed
    zero = plan["zero_stage"]
    return {
        "weights_bytes": WEIGHT_BYTES * (shard if zero >= 3 else whole),
        "gradients_bytes": plan["gradient_bytes"] * (shard if zero >= 2 else whole),
        "optimizer_bytes": OPTIMIZER_BYTES * (shard if zero >= 1 else whole),
    }


def micro_batches_in_flight(plan: dict[str, Any], stage: int) -> float:
    """Forward passes that wait for their backward pass at the worst moment of 1F1B.

    With interleaving the schedule counts chunks of 1/virtual_pp of a stage, so this is a fraction.
    """
    pp, chunks, count = plan["pp"], plan["virtual_pp"], plan["micro_batches"]
    if chunks == 1:
        return float(min(count, pp - stage))
    warm_up = 2 * (pp - stage - 1) + (chunks - 1) * pp + 1
    return float(min(count * chunks, warm_up) / chunks)


def local_tokens(plan: dict[str, Any]) -> float:
    """Tokens of one micro-batch on one GPU, before sequence parallelism."""
    return float(plan["micro_batch"] * plan["seq_len"] / plan["cp"])


def unsplit_divisor(plan: dict[str, Any]) -> int:
    """By what tensors outside the tensor-parallel blocks are divided."""
    return int(plan["tp"]) if plan["sequence_parallel"] else 1


def layer_activations(model: dict[str, Any], plan: dict[str, Any], is_moe: bool) -> float:
    """Bytes that one layer keeps of one token until the backward pass, on one GPU."""
    hidden, tp, outer = model["hidden"], plan["tp"], unsplit_divisor(plan)
    if plan["recompute"] == "full":
        return float(ACTIVATION_BYTES * hidden / outer)
    query, key_value = (model[name] * model["head_dim"] for name in ("heads", "kv_heads"))
    # Outside: inputs of two norms, of QKV and of the FFN, and two one-byte dropout masks.
    outside = 8 * hidden + 2 * hidden * model["dropout"]
    # Inside: Q, K, V, the output projection's input, and what the FFN's activation keeps.
    inside = 4 * query + 4 * key_value
    ffn_bytes = 6 if model["swiglu"] else 4
    if is_moe:
        outside += 4 * model["moe"]["experts"] + 2 * hidden * model["moe"]["top_k"]
        inside += ffn_bytes * active_experts(model) * model["moe"]["expert_ffn_hidden"]
    else:
        inside += ffn_bytes * model["ffn_hidden"]
    if plan["recompute"] == "none":
        inside += (5 if model["dropout"] else 2) * model["heads"] * plan["seq_len"]
    return float(outside / outer + inside / tp)


def activations(model: dict[str, Any], plan: dict[str, Any], stage: int) -> float:
    """Bytes of activations on one GPU of a stage at the worst moment of a step."""
    hidden, outer, tokens = model["hidden"], unsplit_divisor(plan), local_tokens(plan)
    dense, moe = dense_and_moe_layers(model, plan, stage)
    per_token = dense * layer_activations(model, plan, is_moe=False)
    if moe:
        per_token += moe * layer_activations(model, plan, is_moe=True)
    if stage == 0:
        per_token += (8 + hidden * model["dropout"]) / outer  # token ids, the embedding's mask
    total = tokens * per_token * micro_batches_in_flight(plan, stage)
    if stage == plan["pp"] - 1:
        # Inputs of the last norm and of the output layer, fp32 logits; one micro-batch at a time.
        total += tokens * (4 * hidden / outer + 4 * padded_vocab(model, plan) / plan["tp"])
    return total


def fullest_stage(model: dict[str, Any], plan: dict[str, Any]) -> int:
    """The stage whose GPUs hold the most bytes, the earliest of equals."""

    def held(stage: int) -> float:
        return sum(model_state(model, plan, stage).values()) + activations(model, plan, stage)

    return max(range(plan["pp"]), key=held)


# Traffic of one GPU of stage 0 in one step


def traffic(model: dict[str, Any], plan: dict[str, Any]) -> dict[str, float]:
    """Bytes sent by kind of parallelism."""
    tp, cp, ep, count = plan["tp"], plan["cp"], plan["ep"], plan["micro_batches"]
    dense, moe = dense_and_moe_layers(model, plan, stage=0)
    full = plan["recompute"] == "full"
    hidden_state = ACTIVATION_BYTES * local_tokens(plan) * model["hidden"]
    key_value = (
        ACTIVATION_BYTES * local_tokens(plan) * 2 * model["kv_heads"] * model["head_dim"] / tp
    )
    boundaries = 2 * plan["virtual_pp"] - 1 if plan["pp"] > 1 else 0
    top_k = model["moe"]["top_k"] if model["moe"] else 0
    return {
        "tp_bytes_sent": count
        * (dense + moe)
        * (6 if full else 4)
        * 2
        * (tp - 1)
        / tp
        * hidden_state,
        "pp_bytes_sent": count * boundaries * hidden_state / unsplit_divisor(plan),
        "cp_bytes_sent": count * (dense + moe) * (4 if full else 3) * (cp - 1) * key_value,
        "ep_bytes_sent": count
        * moe
        * (6 if full else 4)
        * (ep - 1)
        / ep
        * top_k
        * hidden_state
        / unsplit_divisor(plan),
        "dp_bytes_sent": gradient_traffic(model, plan),
    }


def gradient_traffic(model: dict[str, Any], plan: dict[str, Any]) -> float:
    """Bytes sent to sum gradients and to gather what ZeRO has divided."""
    gradient, count = plan["gradient_bytes"], plan["micro_batches"]
    bytes_a_parameter = {
        0: 2 * gradient,  # an all-reduce is a reduce-scatter and an all-gather
        1: gradient + WEIGHT_BYTES,
        2: count * gradient + WEIGHT_BYTES,
        3: count * (gradient + 2 * WEIGHT_BYTES),
    }[plan["zero_stage"]]
    return float(
        sum(
            bytes_a_parameter * (over - 1) / over * held
            for held, over in zip(gpu_parameters(model, plan, 0), replicas(plan), strict=True)
        )
    )


# Time


def flops(model: dict[str, Any], plan: dict[str, Any]) -> tuple[float, float]:
    """FLOPs of one step over the whole job: the model's own, and those executed."""
    tokens = plan["dp"] * plan["micro_batches"] * plan["micro_batch"] * plan["seq_len"]
    dense = model["moe"]["dense_layers"] if model["moe"] else model["layers"]
    matrices = dense * layer_matrices(model, False, 0)
    if model["moe"]:
        moe = model["layers"] - dense
        matrices += moe * layer_matrices(model, True, active_experts(model))
    core = 4 * plan["seq_len"] * model["heads"] * model["head_dim"] * model["layers"]
    head = 2 * model["hidden"] * model["vocab"]
    useful = 3 * (2 * matrices + core + head)
    again = {"none": 0, "selective": core, "full": 2 * matrices + core}[plan["recompute"]]
    return float(tokens * useful), float(tokens * (useful + again))


def bubble_fraction(plan: dict[str, Any]) -> float:
    """Share of a pipeline's time in which a GPU waits."""
    waiting = plan["pp"] - 1
    return float(waiting / (plan["virtual_pp"] * plan["micro_batches"] + waiting))


def step_time_s(
    cluster: dict[str, Any],
    plan: dict[str, Any],
    executed_flops: float,
    sent: dict[str, float],
    bubble: float,
) -> float:
    """Seconds of one step: compute and exposed traffic, stretched by the bubble, then gradients."""
    flops_per_s = cluster["peak_dense_tflops"] * 1e12 * cluster["matmul_efficiency"]
    nvlink, network = cluster["nvlink_gb_per_s"] * 1e9, cluster["network_gb_per_s"] * 1e9
    busy_s = executed_flops / (gpus(plan) * flops_per_s) + sent["tp_bytes_sent"] / nvlink
    busy_s += sum(sent[f"{kind}_bytes_sent"] for kind in ("pp", "cp", "ep")) / network
    exposed_s = (1 - cluster["dp_overlap"]) * sent["dp_bytes_sent"] / network
    return float(busy_s / (1 - bubble) + exposed_s)
