"""Constraints on the parallel plan: it divides, it fits, and no claim is beyond the kernels."""

from __future__ import annotations

from fabric_rules import CABLED
from rules import Rule, claim
from sheet import Sheet

from graders.text import say

MFU_CEILING_PERCENT = 60.0


def _divides(sheet: Sheet) -> bool:
    return (
        sheet["layers"] % (sheet["pp"] * sheet["virtual_pp"]) == 0
        and sheet["kv_heads"] % sheet["tp"] == 0
        and sheet["seq_len"] % (sheet["cp"] * sheet["tp"]) == 0
        and sheet["train_gpus"] % 8 == 0
        and (sheet["pp"] > 1 or sheet["virtual_pp"] == 1)
    )


def _fits_a_pod(sheet: Sheet) -> bool:
    if "replicas_a_pod" in sheet.lines:
        return sheet["replicas_a_pod"] >= 1
    return sheet["stages_a_pod"] >= 1


def _about_placement(sheet: Sheet) -> str:
    if "replicas_a_pod" in sheet.lines:
        return say(
            "with replicas_in_pods a pipeline lies in one pod; it has {replica} GPUs and a pod "
            "{pod}; build larger pods, use fewer stages, or place stages in pods",
            replica=int(sheet["replica_gpus"]),
            pod=int(sheet["pod_gpus"]),
        )
    return say(
        "with stages_in_pods all replicas of a stage lie in one pod; they are {stage} GPUs and a "
        "pod has {pod}; build larger pods, train fewer replicas, or place replicas in pods",
        stage=int(sheet["tp"] * sheet["cp"] * sheet["dp"]),
        pod=int(sheet["pod_gpus"]),
    )


def _about_pods(sheet: Sheet) -> str:
    if "replicas_a_pod" in sheet.lines:
        return say(
            "every replica lies whole in a pod, and a pod has room for {room}; {dp} replicas need "
            "{needed} pods, and the fabric has {pods}; build larger pods or more of them, or train "
            "fewer replicas",
            room=int(sheet["replicas_a_pod"]),
            dp=int(sheet["dp"]),
            needed=int(sheet["pods_needed"]),
            pods=int(sheet["pods"]),
        )
    return say(
        "every stage lies whole in a pod, and a pod has room for {room}; {pp} stages need {needed} "
        "pods, and the fabric has {pods}; build larger pods or more of them, or use fewer stages",
        room=int(sheet["stages_a_pod"]),
        pp=int(sheet["pp"]),
        needed=int(sheet["pods_needed"]),
        pods=int(sheet["pods"]),
    )


def _about_ceiling(sheet: Sheet) -> str:
    return say(
        "no training step passes {ceiling:.0f} % MFU here: kernels reach {share:.0f} % of the "
        "dense peak, and bubble and traffic only take from that; you claim {claimed:.4g} %, and "
        "Llama 3 reached 38 to 43 %; count what compute waits for",
        ceiling=MFU_CEILING_PERCENT,
        share=float(sheet["mfu_ceiling"]),
        claimed=float(sheet["claimed_mfu"]),
    )


PLAN = (
    Rule(
        "tensor_inside_node",
        say("Tensor parallelism stays inside the node."),
        ("tp_gb", "nvlink_s", "card_s"),
        lambda sheet: 8 % sheet["tp"] == 0,
        lambda sheet: say(
            "tensor parallelism waits for its all-reduces in every layer, so it stays on the "
            "NVLink of one node and divides its 8 GPUs; tp is {tp}, and a step sends {traffic:.4g} "
            "GB a GPU for it, in {inside:.3g} s at {nvlink:.0f} GB/s but {outside:.3g} s at a "
            "network card's {nic:.0f} GB/s; take 1, 2, 4 or 8",
            tp=int(sheet["tp"]),
            traffic=float(sheet["tp_gb"]),
            inside=float(sheet["nvlink_s"]),
            nvlink=sheet["nvlink_gb_per_s"],
            outside=float(sheet["card_s"]),
            nic=sheet["nic_gb_per_s"],
        ),
    ),
    Rule(
        "plan_divides",
        say("Layers, heads, sequence and nodes divide evenly."),
        ("replica_gpus", "train_gpus"),
        _divides,
        lambda sheet: say(
            "pp * virtual_pp must divide the {layers} layers, tp the {heads} K/V heads, tp * cp "
            "the sequence of {seq}, and the job must fill nodes of 8; virtual_pp over 1 needs pp "
            "over 1; you have tp {tp}, pp {pp}, virtual_pp {virtual}, cp {cp} and {gpus} GPUs",
            layers=int(sheet["layers"]),
            heads=int(sheet["kv_heads"]),
            seq=int(sheet["seq_len"]),
            tp=int(sheet["tp"]),
            pp=int(sheet["pp"]),
            virtual=int(sheet["virtual_pp"]),
            cp=int(sheet["cp"]),
            gpus=int(sheet["train_gpus"]),
        ),
    ),
    Rule(
        "zero_and_pipeline",
        say("ZeRO stages 2 and 3 come without a pipeline."),
        ("bytes_a_parameter", "dp_gb"),
        lambda sheet: sheet["pp"] == 1 or sheet["zero_stage"] <= 1,
        lambda sheet: say(
            "ZeRO stage 2 or 3 scatters or gathers for every micro-batch, so it comes with pp = 1 "
            "here; you have stage {stage} and {pp} pipeline stages; take stage 1 or no pipeline",
            stage=int(sheet["zero_stage"]),
            pp=int(sheet["pp"]),
        ),
    ),
    Rule(
        "batch",
        say("A step has no more tokens than the recipe allows."),
        ("batch_tokens",),
        lambda sheet: sheet["batch_tokens"] <= sheet["batch_limit"],
        lambda sheet: say(
            "a step has at most {limit:,} tokens, or the loss suffers; {dp} replicas times {count} "
            "micro-batches times {size} times {seq} tokens are {tokens:,}; take fewer replicas or "
            "micro-batches",
            limit=int(sheet["batch_limit"]),
            dp=int(sheet["dp"]),
            count=int(sheet["micro_batches"]),
            size=int(sheet["micro_batch"]),
            seq=int(sheet["seq_len"]),
            tokens=int(sheet["batch_tokens"]),
        ),
    ),
    Rule(
        "nodes",
        say("Training, spares and serving share the nodes of the site."),
        ("train_gpus", "decode_nodes", "serving_nodes", "used_nodes"),
        lambda sheet: sheet["used_nodes"] <= sheet["nodes"],
        lambda sheet: say(
            "the site has {nodes} nodes; training takes {train:.0f}, spares {spare}, serving "
            "{serving}, together {used:.0f}; take some away",
            nodes=int(sheet["nodes"]),
            train=float(sheet["train_gpus"] / 8),
            spare=int(sheet["spare_nodes"]),
            serving=int(sheet["serving_nodes"]),
            used=float(sheet["used_nodes"]),
        ),
    ),
    Rule(
        "placement",
        say("What is placed in a pod fits into one."),
        ("replica_gpus", "pod_gpus"),
        _fits_a_pod,
        _about_placement,
        CABLED,
    ),
    Rule(
        "pods",
        say("The pods have room for the whole plan."),
        ("replica_gpus", "pod_gpus", "copies_here", "pods_needed"),
        # Cards may be put on any ports and "endpoints" leaves none over, so pods are all it takes.
        lambda sheet: sheet["pods_needed"] <= sheet["pods"],
        _about_pods,
        ("placement",),
    ),
    Rule(
        "memory",
        say("The fuller of first and last stage fits into a GPU's memory."),
        (
            "gpu_params",
            "weights_gb",
            "gradients_gb",
            "optimizer_gb",
            "layer_bytes",
            "in_flight",
            "first_gb",
            "last_gb",
            "usable_gb",
            "memory_gb",
        ),
        lambda sheet: sheet["memory_gb"] <= sheet["usable_gb"],
        lambda sheet: say(
            "{usable:.4g} GB of a GPU can be used; weights {weights:.4g}, gradients "
            "{gradients:.4g}, optimizer {optimizer:.4g} and activations {activations:.4g} GB are "
            "{memory:.4g}; turn the largest down",
            usable=float(sheet["usable_gb"]),
            weights=float(sheet["weights_gb"]),
            gradients=float(sheet["gradients_gb"]),
            optimizer=float(sheet["optimizer_gb"]),
            activations=float(max(sheet["first_gb"], sheet["last_gb"])),
            memory=float(sheet["memory_gb"]),
        ),
        ("plan_divides", "zero_and_pipeline"),
    ),
)

STEP = (
    "tensor_inside_node",
    "plan_divides",
    "zero_and_pipeline",
    "placement",
    "pods",
)

SPEED = (
    Rule(
        "mfu_ceiling",
        say("No claim of MFU is over 60 %."),
        ("mfu_ceiling",),
        lambda sheet: sheet["claimed_mfu"] <= MFU_CEILING_PERCENT,
        _about_ceiling,
    ),
    claim(
        "mfu",
        "mfu",
        (
            "batch_tokens",
            "token_flops",
            "again",
            "model_flops",
            "executed_flops",
            "compute_s",
            "tp_gb",
            "nvlink_s",
            "pp_gb",
            "cp_gb",
            "wait_s",
            "bubble",
            "dp_gb",
            "copies_here",
            "copies_across",
            "dp_s",
            "step_s",
            "mfu",
        ),
        (*STEP, "mfu_ceiling"),
    ),
)
