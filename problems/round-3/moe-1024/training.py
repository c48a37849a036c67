"""What one training step holds, computes and sends under a plan; conventions are the statement's.

Every function takes numbers or numpy arrays alike, so that one plan and all plans of the search go
through the same lines. Sizes are in bytes, times in seconds.

References
----------
.. [1] Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models",
   arXiv:2205.05198: what a layer keeps for the backward pass.
.. [2] Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using
   Megatron-LM", arXiv:2104.04473: interleaved 1F1B, its bubble and its micro-batches in flight.
.. [3] Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
   arXiv:1910.02054: bytes a parameter. fp32 gradients are Megatron-LM's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

WEIGHT_BYTES = 2  # bf16
GRADIENT_BYTES = 4  # fp32 main gradients
OPTIMIZER_BYTES = 12  # fp32 master weight, momentum, variance
VALUE_BYTES = 2  # an activation in bf16
RECOMPUTE = ("none", "selective", "full")

Numbers = Any  # int, float or an array of them


@dataclass(frozen=True)
class Plan:
    """The numbers of a plan; `recompute` is an index into `RECOMPUTE`."""

    tp: Numbers
    cp: Numbers
    pp: Numbers
    dp: Numbers
    ep: Numbers
    virtual_pp: Numbers
    micro_batch: Numbers
    micro_batches: Numbers
    distributed_optimizer: Numbers
    recompute: Numbers

    def take(self, index: Any) -> Plan:
        """The plans at `index`, of a plan of arrays."""
        return Plan(**{name: values[index] for name, values in vars(self).items()})


# Parameters


def attention_matrices(model: dict[str, Any]) -> int:
    """Parameters of Q, K, V and the output projection of one layer."""
    return int(model["hidden"] * model["head_dim"] * 2 * (model["heads"] + model["kv_heads"]))


def expert_matrices(model: dict[str, Any]) -> int:
    """Parameters of one expert: gate, up and down."""
    return int(3 * model["hidden"] * model["expert_ffn_hidden"])


def router(model: dict[str, Any]) -> int:
    """Parameters of one layer's router."""
    return int(model["hidden"] * model["experts"])


def parameters(model: dict[str, Any], experts: int) -> int:
    """Parameters of the whole model with `experts` counted in each layer."""
    layer = attention_matrices(model) + router(model) + experts * expert_matrices(model)
    norms = (2 * model["layers"] + 1) * model["hidden"]
    return int(model["layers"] * layer + norms + 2 * model["vocab"] * model["hidden"])


def gpu_matrices(model: dict[str, Any], plan: Plan) -> tuple[Numbers, Numbers]:
    """Parameters in the layers' matrices on a GPU of any stage: ordinary, and of routed experts."""
    layers = model["layers"] / plan.pp
    ordinary = layers * (attention_matrices(model) / plan.tp + router(model))
    routed = layers * model["experts"] / plan.ep * expert_matrices(model) / plan.tp
    return ordinary, routed


def gpu_parameters(model: dict[str, Any], plan: Plan, stage: Numbers) -> tuple[Numbers, Numbers]:
    """Parameters on a GPU of a stage: ordinary ones, and those of routed experts.

    Stage 0 has the input table; the last one has the output table and the last norm.
    """
    ordinary, routed = gpu_matrices(model, plan)
    norms = model["layers"] / plan.pp * 2 * model["hidden"]
    table = padded_vocab(model, plan) * model["hidden"] / plan.tp
    first = np.where(stage == 0, table, 0)
    last = np.where(stage == plan.pp - 1, table + model["hidden"], 0)
    return ordinary + norms + first + last, routed


def padded_vocab(model: dict[str, Any], plan: Plan) -> Numbers:
    """The vocabulary rounded up to a multiple of 128 rows on each tensor-parallel rank."""
    return np.ceil(model["vocab"] / (128 * plan.tp)) * 128 * plan.tp


# Memory


def model_state(
    model: dict[str, Any], plan: Plan, stage: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Bytes of weights, gradients and optimizer state on a GPU of a stage."""
    ordinary, routed = gpu_parameters(model, plan, stage)
    held = ordinary + routed
    divided = ordinary / (plan.dp * plan.cp) + routed / (plan.dp * plan.cp / plan.ep)
    optimizer = OPTIMIZER_BYTES * np.where(plan.distributed_optimizer, divided, held)
    return WEIGHT_BYTES * held, GRADIENT_BYTES * held, optimizer


def micro_batches_in_flight(plan: Plan, stage: Numbers) -> Numbers:
    """Forward passes that wait for their backward pass at the worst moment, maybe a fraction."""
    chunks = plan.virtual_pp
    warm_up = 2 * (plan.pp - stage - 1) + (chunks - 1) * plan.pp + 1
    interleaved = np.minimum(plan.micro_batches * chunks, warm_up) / chunks
    return np.where(chunks == 1, np.minimum(plan.micro_batches, plan.pp - stage), interleaved)


def local_tokens(training: dict[str, Any], plan: Plan) -> Numbers:
    """Tokens of a micro-batch on one GPU, before tensor parallelism divides the sequence."""
    return plan.micro_batch * training["sequence"] / plan.cp


def layer_activations(model: dict[str, Any], training: dict[str, Any], plan: Plan) -> Numbers:
    """Bytes that a layer keeps of one token until its backward pass, on one GPU."""
    hidden, top_k, head = model["hidden"], model["top_k"], model["head_dim"]
    # Inputs of two norms, of QKV and of the router; its scores in fp32; routed copies of the input.
    kept = 8 * hidden + 4 * model["experts"] + 2 * hidden * top_k
    # Q and the output projection's input, K and V, and what SwiGLU keeps in each visited expert.
    kept += 4 * model["heads"] * head + 4 * model["kv_heads"] * head
    kept += 6 * top_k * model["expert_ffn_hidden"]
    scores = 2 * model["heads"] * training["sequence"]
    kept = kept + np.where(plan.recompute == RECOMPUTE.index("none"), scores, 0)
    only_input = plan.recompute == RECOMPUTE.index("full")
    return np.where(only_input, VALUE_BYTES * hidden, kept) / plan.tp


def activations(
    model: dict[str, Any], training: dict[str, Any], plan: Plan, stage: Numbers
) -> Numbers:
    """Bytes of activations on a GPU of a stage at the worst moment of a step."""
    per_token = model["layers"] / plan.pp * layer_activations(model, training, plan)
    per_token = per_token + np.where(stage == 0, 8 / plan.tp, 0)  # token ids
    tokens = local_tokens(training, plan)
    held = tokens * per_token * micro_batches_in_flight(plan, stage)
    head = tokens * (4 * model["hidden"] + 4 * padded_vocab(model, plan)) / plan.tp
    return held + np.where(stage == plan.pp - 1, head, 0)


def fullest_bytes(parameters: dict[str, Any], plan: Plan) -> Numbers:
    """What a GPU of the fullest stage holds: stage 0 or the last, as no other has a table."""
    model, training = parameters["model"], parameters["training"]

    def held(stage: Numbers) -> Numbers:
        return sum(model_state(model, plan, stage)) + activations(model, training, plan, stage)

    return np.maximum(held(0), held(plan.pp - 1))


# What a GPU of stage 0 sends in a step, before it is known over which links


def tensor_bytes(model: dict[str, Any], training: dict[str, Any], plan: Plan) -> Numbers:
    """Bytes that go through reduce-scatters and all-gathers of hidden states, counted whole."""
    return passes(plan, 4, 6) * layer_runs(model, plan) * 2 * hidden_state(model, training, plan)


def context_bytes(model: dict[str, Any], training: dict[str, Any], plan: Plan) -> Numbers:
    """Bytes sent as K and V go round the ring, their gradients with them on the way back."""
    width = 2 * model["kv_heads"] * model["head_dim"] / plan.tp
    block = VALUE_BYTES * local_tokens(training, plan) * width
    return passes(plan, 3, 4) * layer_runs(model, plan) * (plan.cp - 1) * block


def expert_bytes(model: dict[str, Any], training: dict[str, Any], plan: Plan) -> Numbers:
    """Bytes that go through all-to-alls, counted whole: dispatch and combine, both ways."""
    routed = model["top_k"] * hidden_state(model, training, plan) / plan.tp
    return passes(plan, 4, 6) * layer_runs(model, plan) * routed


def pipeline_bytes(model: dict[str, Any], training: dict[str, Any], plan: Plan) -> Numbers:
    """Bytes sent to the next stage, and with interleaving to the one before."""
    crossings = np.where(plan.pp > 1, 2 * plan.virtual_pp - 1, 0)
    return plan.micro_batches * crossings * hidden_state(model, training, plan) / plan.tp


def gradient_bytes(plan: Plan, held: Numbers) -> Numbers:
    """Bytes that go through the collectives over `held` parameters' replicas, counted whole."""
    reduce_and_gather = GRADIENT_BYTES + WEIGHT_BYTES
    return held * np.where(plan.distributed_optimizer, reduce_and_gather, 2 * GRADIENT_BYTES)


def hidden_state(model: dict[str, Any], training: dict[str, Any], plan: Plan) -> Numbers:
    """Bytes of a micro-batch's hidden state."""
    return VALUE_BYTES * local_tokens(training, plan) * model["hidden"]


def layer_runs(model: dict[str, Any], plan: Plan) -> Numbers:
    """How often a GPU goes through a layer, forward and back, in a step."""
    return plan.micro_batches * model["layers"] / plan.pp


def passes(plan: Plan, kept: int, recomputed: int) -> Numbers:
    """How often something is sent a layer, which is more often if the layer is recomputed."""
    return np.where(plan.recompute == RECOMPUTE.index("full"), recomputed, kept)


# Work


def flops(model: dict[str, Any], training: dict[str, Any], plan: Plan) -> tuple[Numbers, Numbers]:
    """FLOPs of a step over the whole job: the model's own, and those executed."""
    layer = attention_matrices(model) + router(model) + model["top_k"] * expert_matrices(model)
    matrices = 2 * model["layers"] * layer
    core = 4 * training["sequence"] * model["heads"] * model["head_dim"] * model["layers"]
    useful = 3 * (matrices + core + 2 * model["hidden"] * model["vocab"])
    again = np.array([0, core, matrices + core])[plan.recompute]
    tokens = training["batch"] * training["sequence"]
    return tokens * useful, tokens * (useful + again)


def weight_stream_bytes(model: dict[str, Any], plan: Plan) -> Numbers:
    """Bytes of weights and gradients that a GPU moves to and from its HBM in a step.

    Each micro-batch reads the weights forward and back, and reads and writes the fp32 gradients
    that it adds to; full recompute reads the weights once more.
    """
    once = 2 * WEIGHT_BYTES + 2 * GRADIENT_BYTES
    ordinary, routed = gpu_matrices(model, plan)
    return plan.micro_batches * passes(plan, once, once + WEIGHT_BYTES) * (ordinary + routed)


def bubble_fraction(plan: Plan) -> Numbers:
    """Share of a pipeline's time in which a GPU waits."""
    return (plan.pp - 1) / (plan.virtual_pp * plan.micro_batches + plan.pp - 1)
