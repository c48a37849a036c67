"""The training step as lines: memory, traffic, step time and MFU of the dense model.

The conventions are those of the problem *Size a training step* (round 3), with two additions: the
last stage is looked at beside the first, because a short pipeline run keeps as much in flight
there, and traffic is priced by the level of the network that it crosses.

References
----------
.. [1] Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models",
   arXiv:2205.05198.
.. [2] Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using
   Megatron-LM", arXiv:2104.04473.
"""

from __future__ import annotations

from typing import Any

from sheet import Line

from graders.text import say

_GB_A_GPU = "GB"

LINES = {
    "replica_gpus": Line(say("of one pipeline"), "tp * pp * cp", say("GPUs")),
    "train_gpus": Line(say("that train"), "replica_gpus * dp", say("GPUs")),
    "attention": Line(
        say("Q, K, V and output matrices of a layer"),
        "hidden * head_dim * 2 * (heads + kv_heads)",
        say("parameters"),
    ),
    "ffn": Line(say("gate, up and down of a layer"), "3 * hidden * ffn_hidden", say("parameters")),
    "params": Line(
        say("layers, norms and two tables"),
        "layers * (attention + ffn) + (2 * layers + 1) * hidden + 2 * vocab * hidden",
        say("parameters"),
    ),
    "padded_vocab": Line(
        say("rows of a table, padded"), "ceil(vocab / (128 * tp)) * 128 * tp", say("rows")
    ),
    "weights_gb": Line(say("bf16, 2 B each"), "2 * gpu_params / 1e9", _GB_A_GPU),
    "gradients_gb": Line(say("of a GPU"), "gradient_bytes * gpu_params / 1e9", _GB_A_GPU),
    "optimizer_gb": Line(
        say("fp32 master weight, momentum, variance: 12 B each"),
        "12 * gpu_params / 1e9",
        _GB_A_GPU,
    ),
    "tokens_here": Line(
        say("of a micro-batch on a GPU"), "micro_batch * seq_len / cp", say("tokens")
    ),
    "first_gb": Line(
        say("kept for the backward pass on the first stage"),
        "tokens_here * in_flight * (layers / pp * layer_bytes + 8 / outer) / 1e9",
        _GB_A_GPU,
    ),
    "last_gb": Line(
        say("and on the last, with fp32 logits"),
        "tokens_here * (last_in_flight * layers / pp * layer_bytes"
        " + 4 * hidden / outer + 4 * padded_vocab / tp) / 1e9",
        _GB_A_GPU,
    ),
    "memory_gb": Line(
        say("of a GPU of the fuller of the two"),
        "weights_gb + gradients_gb + optimizer_gb + max(first_gb, last_gb)",
        _GB_A_GPU,
    ),
    "usable_gb": Line(
        say("that the framework leaves of a GPU"), "hbm_gb * usable_share", _GB_A_GPU
    ),
    "hidden_state": Line(say("of a micro-batch on a GPU"), "2 * tokens_here * hidden", "B"),
    "tp_gb": Line(
        say("all-reduces inside the node"),
        "micro_batches * layers / pp * passes * 2 * (tp - 1) / tp * hidden_state / 1e9",
        _GB_A_GPU,
    ),
    "nvlink_s": Line(say("of that over NVLink"), "tp_gb / nvlink_gb_per_s", "s"),
    "card_s": Line(say("of that over a network card"), "tp_gb / nic_gb_per_s", "s"),
    "cp_gb": Line(
        say("K, V and their gradients round the ring"),
        "micro_batches * layers / pp * ring_passes * (cp - 1)"
        " * 2 * tokens_here * 2 * kv_heads * head_dim / tp / 1e9",
        _GB_A_GPU,
    ),
    "dp_gb": Line(
        say("of gradients and weights that replicas share"),
        "bytes_a_parameter * gpu_params / 1e9",
        _GB_A_GPU,
    ),
    "copies_across": Line(say("groups of them, one a pod"), "ceil(dp * cp / copies_here)", ""),
    "dp_s": Line(
        say("first inside the pod, then one share of it across"),
        "dp_gb * ((copies_here - 1) / copies_here / pod_gb_per_s"
        " + (copies_across - 1) / copies_across / copies_here / cross_gb_per_s)",
        "s",
    ),
    "batch_tokens": Line(
        say("of one step"), "dp * micro_batches * micro_batch * seq_len", say("tokens")
    ),
    "token_flops": Line(
        say("forward, one token: matrices, attention core, output layer"),
        "2 * layers * (attention + ffn) + 4 * seq_len * heads * head_dim * layers"
        " + 2 * hidden * vocab",
        "FLOP",
    ),
    "model_flops": Line(
        say("forward once, backward twice"), "3 * token_flops * batch_tokens", "FLOP"
    ),
    "executed_flops": Line(
        say("with what is recomputed"), "(3 * token_flops + again) * batch_tokens", "FLOP"
    ),
    "compute_s": Line(
        say("at the share of the dense peak that kernels reach"),
        "executed_flops / (train_gpus * peak_tflops * 1e12 * gemm_share)",
        "s",
    ),
    "wait_s": Line(
        say("traffic that compute waits for"),
        "nvlink_s + pp_gb / pp_gb_per_s + cp_gb / pod_gb_per_s",
        "s",
    ),
    "bubble": Line(
        say("share of a pipeline's time that is waiting"),
        "(pp - 1) / (virtual_pp * micro_batches + pp - 1)",
        "",
    ),
    "step_s": Line(
        say("stretched by the bubble, then gradients"),
        "(compute_s + wait_s) / (1 - bubble) + (1 - dp_overlap) * dp_s",
        "s",
    ),
    "mfu": Line(
        say("model FLOPs over the dense peak"),
        "100 * model_flops / (step_s * train_gpus * peak_tflops * 1e12)",
        "%",
    ),
    "mfu_ceiling": Line(
        say("the kernels' share, without a bubble or any traffic"), "100 * gemm_share", "%"
    ),
}

_KEPT = "8 * hidden / outer + (4 * heads * head_dim + 4 * kv_heads * head_dim + 6 * ffn_hidden"
_CORE = "4 * seq_len * heads * head_dim * layers"
RECOMPUTE = {
    "none": {
        "layer_bytes": Line(
            say("kept by a layer, a token, scores too"),
            f"{_KEPT} + 2 * heads * seq_len) / tp",
            "B",
        ),
        "again": Line(say("nothing is computed twice"), "0", "FLOP"),
    },
    "selective": {
        "layer_bytes": Line(say("kept by a layer, a token"), f"{_KEPT}) / tp", "B"),
        "again": Line(say("the attention core once more, a token"), _CORE, "FLOP"),
    },
    "full": {
        "layer_bytes": Line(say("a layer's input alone, a token"), "2 * hidden / outer", "B"),
        "again": Line(
            say("the layers' forward pass once more, a token"),
            f"2 * layers * (attention + ffn) + {_CORE}",
            "FLOP",
        ),
    },
}

_STAGE = "((attention + ffn) / tp + 2 * hidden)"
ONE_STAGE = {
    "gpu_params": Line(
        say("on a GPU, all layers and both tables"),
        f"layers * {_STAGE} + hidden + 2 * padded_vocab * hidden / tp",
        say("parameters"),
    ),
    "in_flight": Line(say("micro-batches in flight"), "1", ""),
    "last_in_flight": Line(say("micro-batches in flight on the last stage"), "1", ""),
    "last_gb": Line(
        say("with fp32 logits: one stage is first and last"),
        "first_gb + tokens_here * (4 * hidden / outer + 4 * padded_vocab / tp) / 1e9",
        _GB_A_GPU,
    ),
    "pp_gb": Line(say("no stage boundaries"), "0", _GB_A_GPU),
}
STAGES = {
    "gpu_params": Line(
        say("on a GPU of an end stage, one table with it"),
        f"layers / pp * {_STAGE} + padded_vocab * hidden / tp",
        say("parameters"),
    ),
    "pp_gb": Line(
        say("over stage boundaries"),
        "micro_batches * (2 * virtual_pp - 1) * hidden_state / outer / 1e9",
        _GB_A_GPU,
    ),
}
PLAIN = {
    "in_flight": Line(say("micro-batches in flight"), "min(micro_batches, pp)", ""),
    "last_in_flight": Line(say("micro-batches in flight on the last stage"), "1", ""),
}
INTERLEAVED = {
    "in_flight": Line(
        say("micro-batches in flight, counted in chunks"),
        "min(micro_batches * virtual_pp, pp * virtual_pp + pp - 1) / virtual_pp",
        "",
    ),
    "last_in_flight": Line(
        say("micro-batches in flight on the last stage"),
        "min(micro_batches * virtual_pp, (virtual_pp - 1) * pp + 1) / virtual_pp",
        "",
    ),
}

_OVER = "/ (dp * cp)"
ZERO: dict[int, dict[str, Line]] = {
    0: {"bytes_a_parameter": Line(say("an all-reduce"), "2 * gradient_bytes", "B")},
    1: {
        "bytes_a_parameter": Line(
            say("reduce-scatter gradients, all-gather weights"), "gradient_bytes + 2", "B"
        )
    },
    2: {
        "bytes_a_parameter": Line(
            say("gradients of each micro-batch, weights once"),
            "micro_batches * gradient_bytes + 2",
            "B",
        )
    },
    3: {
        "bytes_a_parameter": Line(
            say("each micro-batch, weights twice"), "micro_batches * (gradient_bytes + 4)", "B"
        )
    },
}
_DIVIDED = {"optimizer_gb": 1, "gradients_gb": 2, "weights_gb": 3}  # from this stage on
for _stage, _lines in ZERO.items():
    for _name, _from in _DIVIDED.items():
        if _stage >= _from:
            _whole = LINES[_name]
            _lines[_name] = Line(
                say("{whole}, divided by ZeRO", whole=_whole.label),
                f"{_whole.formula} {_OVER}",
                _whole.unit,
            )

PLACEMENT = {
    "replicas_in_pods": {
        "replicas_a_pod": Line(
            say("whole pipelines in a pod"), "floor(pod_gpus / replica_gpus)", ""
        ),
        "copies_here": Line(
            say("GPUs of a pod that hold the same parameters"),
            "cp * min(dp, replicas_a_pod)",
            say("GPUs"),
        ),
        "pods_needed": Line(
            say("for all replicas, whole ones a pod"),
            "ceil(dp / replicas_a_pod)",
            say("pods"),
        ),
        "pp_gb_per_s": Line(say("stages of one pod"), "pod_gb_per_s", "GB/s"),
    },
    "stages_in_pods": {
        "stages_a_pod": Line(
            say("whole stages, of all replicas, in a pod"),
            "floor(pod_gpus / (tp * cp * dp))",
            "",
        ),
        "copies_here": Line(
            say("GPUs of a pod that hold the same parameters"), "cp * dp", say("GPUs")
        ),
        "pods_needed": Line(
            say("for all stages, whole ones a pod"), "ceil(pp / stages_a_pod)", say("pods")
        ),
        "pp_gb_per_s": Line(say("stages of two pods"), "cross_gb_per_s", "GB/s"),
    },
}


def lines(plan: dict[str, Any]) -> dict[str, Line]:
    """The step's lines under a plan."""
    chosen = ONE_STAGE
    if plan["pp"] > 1:
        chosen = STAGES | (INTERLEAVED if plan["virtual_pp"] > 1 else PLAIN)
    return (
        LINES
        | RECOMPUTE[plan["recompute"]]
        | chosen
        | ZERO[plan["zero_stage"]]
        | PLACEMENT[plan["placement"]]
    )
