"""Named mistakes about traffic, FLOPs, the bubble, step time and MFU."""

from __future__ import annotations

import mistakes as m
from mistakes import Misconception, as_if, times

from graders.text import say

SPEED: tuple[Misconception, ...] = (
    # Traffic
    Misconception(
        "all-reduce-sends-its-size",
        ("tp_bytes_sent",),
        say("an all-reduce of S bytes over n GPUs sends 2(n-1)/n * S, and S was counted"),
        lambda c: c["plan"]["tp"] > 2,
        times(lambda c: c["plan"]["tp"] / (2 * (c["plan"]["tp"] - 1))),
    ),
    Misconception(
        "gradients-sent-once",
        ("dp_bytes_sent",),
        say("an all-reduce of S bytes over n GPUs sends 2(n-1)/n * S, and S was counted"),
        m.plain_all_reduce,
        m.gradients_once,
    ),
    Misconception(
        "half-of-the-passes",
        ("tp_bytes_sent", "ep_bytes_sent"),
        say(
            "this is half: count forward and backward, and an all-reduce as reduce-scatter and "
            "all-gather"
        ),
        lambda c: c["plan"]["tp"] > 1 or c["plan"]["ep"] > 1,
        times(lambda c: 0.5),
    ),
    Misconception(
        "no-traffic-of-recompute",
        ("tp_bytes_sent", "cp_bytes_sent", "ep_bytes_sent"),
        say("full recompute runs the forward pass again, and its traffic with it"),
        lambda c: c["plan"]["recompute"] == "full" and m.waits_for_traffic(c),
        as_if(plan={"recompute": "none"}),
    ),
    Misconception(
        "received-bytes-counted",
        ("pp_bytes_sent",),
        say("the item is what stage 0 sends, not what it receives: 2 * virtual_pp - 1 boundaries"),
        lambda c: c["plan"]["pp"] > 1,
        times(lambda c: 2 * c["plan"]["virtual_pp"] / (2 * c["plan"]["virtual_pp"] - 1)),
    ),
    Misconception(
        "interleaving-sends-nothing-more",
        ("pp_bytes_sent",),
        say("with interleaving a micro-batch passes each GPU virtual_pp times"),
        lambda c: c["plan"]["virtual_pp"] > 1,
        as_if(plan={"virtual_pp": 1}),
    ),
    Misconception(
        "zero-reduces-once",
        ("dp_bytes_sent",),
        say("ZeRO-2 and 3 hold no whole gradient between micro-batches, so they reduce after each"),
        lambda c: c["plan"]["zero_stage"] >= 2 and c["plan"]["micro_batches"] > 1,
        as_if(plan={"micro_batches": 1}),
    ),
    Misconception(
        "zero-1-all-reduces",
        ("dp_bytes_sent",),
        say("ZeRO-1 reduce-scatters gradients and all-gathers bf16 weights: no all-reduce"),
        lambda c: m.zero_is(1)(c) and c["plan"]["gradient_bytes"] == 4,
        as_if(plan={"zero_stage": 0}),
    ),
    # Speed
    Misconception(
        "causal-half",
        ("model_flops",),
        say("attention FLOPs were halved for causality; the statement counts them in full"),
        m.always,
        m.causal_half,
    ),
    Misconception(
        "embedding-multiplied",
        ("model_flops",),
        say(
            "the input embedding is a look-up and costs no FLOPs; only the output layer multiplies"
        ),
        m.always,
        m.embedding_multiplied,
    ),
    Misconception(
        "forward-only",
        ("model_flops",),
        say("a step is a forward and a backward pass: three times the forward FLOPs"),
        m.always,
        times(lambda c: 1 / 3),
    ),
    Misconception(
        "one-replica",
        ("model_flops",),
        say("the step's tokens are those of all dp replicas"),
        lambda c: c["plan"]["dp"] > 1,
        times(lambda c: 1 / c["plan"]["dp"]),
    ),
    Misconception(
        "recompute-in-model-flops",
        ("model_flops", "mfu"),
        say("recomputed FLOPs do not count here: with them MFU would be HFU"),
        lambda c: c["plan"]["recompute"] != "none",
        times(m.recompute_counted),
    ),
    Misconception(
        "bubble-over-work",
        ("bubble_fraction",),
        say(
            "the share is of all slots: divide by micro_batches * virtual_pp + pp - 1; "
            "(pp - 1) / (micro_batches * virtual_pp) is idle time over work"
        ),
        lambda c: c["plan"]["pp"] > 1,
        lambda c, right, item: (
            (c["plan"]["pp"] - 1) / (c["plan"]["virtual_pp"] * c["plan"]["micro_batches"])
        ),
    ),
    Misconception(
        "bubble-not-interleaved",
        ("bubble_fraction",),
        say("interleaving makes the work virtual_pp times as many slots"),
        lambda c: c["plan"]["virtual_pp"] > 1,
        as_if(plan={"virtual_pp": 1}),
    ),
    Misconception(
        "sparse-peak-time",
        ("step_time_s",),
        say("the sparse peak was taken; dense matrices reach the dense peak at most"),
        m.always,
        m.sparse_time,
    ),
    Misconception(
        "gib-links",
        ("step_time_s",),
        say("links were read as GiB/s; GB is 1e9 bytes"),
        m.has_traffic,
        m.gibibyte_links,
    ),
    Misconception(
        "full-peak",
        ("step_time_s",),
        say("compute reaches matmul_efficiency of the peak only"),
        m.always,
        as_if(cluster={"matmul_efficiency": 1.0}),
    ),
    Misconception(
        "recompute-is-free",
        ("step_time_s",),
        say("what is recomputed takes time, though it does not count in MFU"),
        lambda c: c["plan"]["recompute"] != "none",
        m.recompute_is_free,
    ),
    Misconception(
        "bubble-added",
        ("step_time_s",),
        say(
            "the bubble is a share of the stretched time: divide by 1 - bubble, "
            "multiplying by 1 + bubble is too little"
        ),
        lambda c: c["plan"]["pp"] > 1,
        m.bubble_added,
    ),
    Misconception(
        "bubble-left-out",
        ("step_time_s",),
        say("the bubble stretches compute and exposed traffic, and it was left out"),
        lambda c: c["plan"]["pp"] > 1,
        m.bubble_left_out,
    ),
    Misconception(
        "no-overlap",
        ("step_time_s",),
        say("dp_overlap says what share of data-parallel traffic is hidden"),
        lambda c: c["cluster"]["dp_overlap"] > 0 and m.has_gradient_traffic(c),
        as_if(cluster={"dp_overlap": 0.0}),
    ),
    Misconception(
        "sparse-peak",
        ("mfu",),
        say("MFU is over the dense peak; the sparse one counts multiplications that never happen"),
        m.always,
        times(lambda c: c["cluster"]["peak_dense_tflops"] / c["cluster"]["peak_sparse_tflops"]),
    ),
)
