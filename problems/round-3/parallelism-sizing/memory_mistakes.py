"""Named mistakes about parameters, weights, gradients, optimizer state and activations."""

from __future__ import annotations

import mistakes as m
from mistakes import BYTES, COUNTS, STATE, Misconception, as_if, times

from graders.text import say

MEMORY: tuple[Misconception, ...] = (
    # Units
    Misconception(
        "gib-for-bytes",
        BYTES,
        say("this looks like GiB (2**30 B); the key asks for bytes"),
        m.always,
        times(lambda c: 1 / 2**30),
    ),
    Misconception(
        "gb-for-bytes",
        BYTES,
        say("this looks like GB (1e9 B); the key asks for bytes"),
        m.always,
        times(lambda c: 1e-9),
    ),
    # Parameters
    Misconception(
        "kv-for-every-head",
        (*COUNTS, "activations_bytes", "cp_bytes_sent", "model_flops"),
        say("K and V were sized with all heads; under grouped-query attention they have kv_heads"),
        lambda c: c["model"]["kv_heads"] < c["model"]["heads"],
        m.every_head_has_kv,
    ),
    Misconception(
        "no-swiglu-gate",
        (*COUNTS, "model_flops"),
        say("an FFN with SwiGLU has three matrices (gate, up, down), and two were counted"),
        lambda c: c["model"]["swiglu"],
        as_if(model={"swiglu": False}),
    ),
    Misconception(
        "gate-without-swiglu",
        (*COUNTS, "model_flops"),
        say("an FFN without SwiGLU has two matrices (up, down), and three were counted"),
        lambda c: not c["model"]["swiglu"],
        as_if(model={"swiglu": True}),
    ),
    Misconception(
        "tied-counted-twice",
        (*COUNTS, *STATE),
        say("the embeddings are tied: input and output share one table, and two were counted"),
        lambda c: c["model"]["tied_embeddings"],
        as_if(model={"tied_embeddings": False}),
    ),
    Misconception(
        "untied-counted-once",
        (*COUNTS, *STATE),
        say("the embeddings are not tied: the output layer has a table of its own"),
        lambda c: not c["model"]["tied_embeddings"],
        as_if(model={"tied_embeddings": True}),
    ),
    Misconception(
        "all-experts-active",
        ("active_parameters", "model_flops", "activations_bytes", "ep_bytes_sent"),
        say("a token visits top_k experts (and the shared ones), and all experts were counted"),
        m.is_moe,
        m.all_experts,
    ),
    Misconception(
        "one-expert-a-token",
        ("active_parameters", "model_flops", "activations_bytes", "ep_bytes_sent"),
        say("a token visits top_k experts, and one was counted"),
        lambda c: m.is_moe(c) and c["model"]["moe"]["top_k"] > 1,
        m.as_if_moe(top_k=1),
    ),
    Misconception(
        "no-shared-experts",
        (*COUNTS, *STATE, "activations_bytes", "model_flops"),
        say("every token also visits the shared experts, and they were left out"),
        lambda c: m.is_moe(c) and c["model"]["moe"]["shared_experts"] > 0,
        m.as_if_moe(shared_experts=0),
    ),
    Misconception(
        "no-dense-layers",
        (*COUNTS, *STATE, "activations_bytes", "ep_bytes_sent", "model_flops"),
        say("the first dense_layers layers have a dense FFN, and experts were counted in them"),
        lambda c: m.is_moe(c) and c["model"]["moe"]["dense_layers"] > 0,
        m.as_if_moe(dense_layers=0),
    ),
    Misconception(
        "no-router",
        COUNTS,
        say("each layer with experts has a router of hidden * experts, and it was left out"),
        m.is_moe,
        m.without_router,
    ),
    Misconception(
        "no-norms",
        COUNTS,
        say("two norms a layer and a last one have hidden parameters each, and they were left out"),
        m.always,
        m.without_norms,
    ),
    Misconception(
        "padding-in-the-model",
        (*COUNTS, "model_flops"),
        say("parameters and FLOPs take the true vocabulary; only what a GPU holds is padded"),
        m.counts_padding,
        m.padded_vocab,
    ),
    # Weights, gradients, optimizer
    Misconception(
        "no-padding-on-the-gpu",
        STATE,
        say("a GPU holds a table whose rows are padded to a multiple of 128 * tp"),
        m.counts_padding,
        m.unpadded_vocab,
    ),
    Misconception(
        "no-master-weights",
        ("optimizer_bytes",),
        say(
            "the fp32 master weights are missing: Adam keeps 12 B a parameter "
            "(master weight, momentum, variance), and 8 were counted"
        ),
        m.always,
        times(lambda c: 8 / 12),
    ),
    Misconception(
        "gradients-in-the-optimizer",
        ("optimizer_bytes",),
        say(
            "16 B a parameter were counted: the optimizer state is 12, and gradients are an item "
            "apart"
        ),
        m.always,
        times(lambda c: 16 / 12),
    ),
    Misconception(
        "other-gradient-type",
        ("gradients_bytes", "dp_bytes_sent"),
        say(
            "gradient_bytes says how wide a gradient is, and the other of bf16 (2) and fp32 (4) "
            "was taken"
        ),
        m.always,
        lambda c, right, item: as_if(plan={"gradient_bytes": 6 - c["plan"]["gradient_bytes"]})(
            c, right, item
        ),
    ),
    Misconception(
        "zero-1-divides-gradients",
        ("gradients_bytes",),
        say("ZeRO-1 divides the optimizer state only; gradients are divided from stage 2 on"),
        m.zero_is(1),
        as_if(plan={"zero_stage": 2}),
    ),
    Misconception(
        "zero-2-divides-weights",
        ("weights_bytes",),
        say("ZeRO-2 divides optimizer state and gradients; weights are divided by stage 3 only"),
        m.zero_is(2),
        as_if(plan={"zero_stage": 3}),
    ),
    Misconception(
        "zero-divides-nothing",
        STATE,
        say("the ZeRO stage divides this over the GPUs that hold the same parameters"),
        m.zero_is(3),
        as_if(plan={"zero_stage": 0}),
    ),
    Misconception(
        "cp-is-no-replica",
        (*STATE, "dp_bytes_sent"),
        say(
            "context-parallel ranks hold the same parameters, so ZeRO and gradients go over dp * cp"
        ),
        lambda c: c["plan"]["cp"] > 1,
        m.other_replicas(lambda plan: (plan["dp"], plan["dp"] // plan["ep"])),
    ),
    Misconception(
        "optimizer-not-divided",
        ("optimizer_bytes",),
        say("from ZeRO-1 on the optimizer state is divided over the GPUs with the same parameters"),
        lambda c: m.zero_is(1)(c) or m.zero_is(2)(c),
        as_if(plan={"zero_stage": 0}),
    ),
    Misconception(
        "experts-on-every-replica",
        (*STATE, "dp_bytes_sent"),
        say("a routed expert is held by dp * cp / ep GPUs, and dp * cp were counted"),
        lambda c: m.is_moe(c) and c["plan"]["ep"] > 1,
        m.other_replicas(lambda plan: (plan["dp"] * plan["cp"],) * 2),
    ),
    Misconception(
        "ep-divides-nothing",
        STATE,
        say("expert parallelism divides the routed experts over ep GPUs"),
        lambda c: c["plan"]["ep"] > 1 and c["plan"]["zero_stage"] < 3,
        as_if(plan={"ep": 1}),
    ),
    # Activations
    Misconception(
        "one-micro-batch-in-flight",
        ("activations_bytes",),
        say("under 1F1B stage 0 keeps several micro-batches in flight, and one was counted"),
        lambda c: c["plan"]["pp"] > 1 and c["plan"]["micro_batches"] > 1,
        as_if(plan={"micro_batches": 1, "virtual_pp": 1}),
    ),
    Misconception(
        "all-micro-batches-in-flight",
        ("activations_bytes",),
        say("1F1B keeps about pp micro-batches in flight on stage 0; all of them would be GPipe"),
        lambda c: c["plan"]["pp"] > 1 and m.all_in_flight(c) != 1,
        times(m.all_in_flight),
    ),
    Misconception(
        "interleaving-is-free",
        ("activations_bytes",),
        say("interleaving keeps more in flight on stage 0: pp * virtual_pp + pp - 1 chunks"),
        lambda c: c["plan"]["virtual_pp"] > 1 and c["plan"]["micro_batches"] > c["plan"]["pp"],
        as_if(plan={"virtual_pp": 1}),
    ),
    Misconception(
        "tp-divides-everything",
        ("activations_bytes", "pp_bytes_sent", "ep_bytes_sent"),
        say(
            "without sequence parallelism norm inputs, block inputs and masks are on every "
            "tensor-parallel rank in full"
        ),
        lambda c: c["plan"]["tp"] > 1 and not c["plan"]["sequence_parallel"],
        as_if(plan={"sequence_parallel": True}),
    ),
    Misconception(
        "sequence-parallel-left-out",
        ("activations_bytes", "pp_bytes_sent", "ep_bytes_sent"),
        say("sequence parallelism divides what lies between the tensor-parallel blocks by tp too"),
        lambda c: c["plan"]["sequence_parallel"],
        as_if(plan={"sequence_parallel": False}),
    ),
    Misconception(
        "scores-kept",
        ("activations_bytes",),
        say("selective recompute does not keep the attention scores"),
        lambda c: c["plan"]["recompute"] == "selective",
        as_if(plan={"recompute": "none"}),
    ),
    Misconception(
        "scores-forgotten",
        ("activations_bytes",),
        say("without recompute the attention scores are kept: heads * seq_len numbers a token"),
        lambda c: c["plan"]["recompute"] == "none",
        as_if(plan={"recompute": "selective"}),
    ),
    Misconception(
        "scores-of-local-keys",
        ("activations_bytes",),
        say("context parallelism divides the queries; each still meets all seq_len keys"),
        lambda c: c["plan"]["cp"] > 1 and c["plan"]["recompute"] == "none",
        m.scores_of_local_keys,
    ),
    Misconception(
        "cp-divides-nothing",
        ("activations_bytes", "tp_bytes_sent", "pp_bytes_sent", "ep_bytes_sent"),
        say("context parallelism leaves seq_len / cp tokens of each sequence on a GPU"),
        lambda c: c["plan"]["cp"] > 1,
        as_if(plan={"cp": 1}),
    ),
    Misconception(
        "no-dropout-masks",
        ("activations_bytes",),
        say("with dropout its masks (one byte an element) and its output are kept too"),
        lambda c: c["model"]["dropout"],
        as_if(model={"dropout": False}),
    ),
    Misconception(
        "activation-of-gelu",
        ("activations_bytes",),
        say("SwiGLU keeps gate, up and their product (6 B a channel), and GELU's 4 were counted"),
        lambda c: c["model"]["swiglu"] and c["plan"]["recompute"] != "full",
        as_if(model={"swiglu": False}),
    ),
)
