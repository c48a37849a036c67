"""The same numbers a second way: a sheet of named lines, so that the arithmetic can be shown.

Each line is a formula over the inputs and earlier lines. What a line shows, the formula with
numbers put in, and its value come from one text, so they cannot disagree. That the sheet agrees
with `reference.py` is tested over every drawn configuration.
"""

from __future__ import annotations

import re
from math import ceil
from typing import Any

from graders.harness.items import Step
from graders.text import say

_NAME = re.compile(r"[a-z_][a-z_0-9]*")
_FUNCTIONS = {"ceil": ceil, "min": min}


class Sheet:
    """Lines by name; asking for one item gives the lines that lead to it, in order."""

    def __init__(self, names: dict[str, float]) -> None:
        self.values = dict(names)
        self._steps: dict[str, Step] = {}
        self._needs: dict[str, set[str]] = {}

    def line(self, name: str, label: str, formula: str, unit: str) -> None:
        """Add a line; `formula` may use inputs, earlier lines, ``ceil`` and ``min``."""
        used = set(_NAME.findall(formula)) - _FUNCTIONS.keys()
        known = {one: self.values[one] for one in used}
        # The formulas are constants of this file; nothing of a candidate comes here.
        value = float(eval(formula, {"__builtins__": {}}, {**_FUNCTIONS, **known}))  # noqa: S307
        numbers = _NAME.sub(lambda match: _shown(match[0], known), formula)
        self.values[name] = value
        self._needs[name] = used
        self._steps[name] = Step(
            say("{name}: {label}", name=name, label=label), formula, numbers, value, unit
        )

    def steps(self, name: str) -> tuple[Step, ...]:
        """The lines that `name` rests on, itself last."""
        needed, open_names = set(), [name]
        while open_names:
            one = open_names.pop()
            if one in self._steps and one not in needed:
                needed.add(one)
                open_names += self._needs[one]
        return tuple(step for one, step in self._steps.items() if one in needed)


def _shown(name: str, known: dict[str, float]) -> str:
    if name not in known:
        return name
    value = known[name]
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e12 else f"{value:.6g}"


def sheet(model: dict[str, Any], cluster: dict[str, Any], plan: dict[str, Any]) -> Sheet:
    """Every item of the answer as lines, for a GPU of stage 0."""
    moe = model["moe"] or {}
    full, selective = plan["recompute"] == "full", plan["recompute"] == "selective"
    scalars = {**model, **cluster, **plan, **moe}
    names = {key: float(v) for key, v in scalars.items() if isinstance(v, int | float)}
    lines = Sheet(
        {
            **names,
            "matrices_per_ffn": 3 if model["swiglu"] else 2,
            "tables": 1 if model["tied_embeddings"] else 2,
            "tables_here": 2 if plan["pp"] == 1 and not model["tied_embeddings"] else 1,
            "norms_at_the_end": 1 if plan["pp"] == 1 else 0,
            "dense_layers": moe["dense_layers"] if moe else model["layers"],
            "outer": plan["tp"] if plan["sequence_parallel"] else 1,
            "passes": 6 if full else 4,
            "ring_passes": 4 if full else 3,
        }
    )
    _parameters(lines, bool(moe))
    _memory(lines, plan, bool(moe))
    _activations(lines, model, plan, bool(moe))
    _traffic(lines, plan, bool(moe))
    _time(lines, full, selective, bool(moe))
    return lines


def _parameters(lines: Sheet, moe: bool) -> None:
    unit = say("parameters")
    lines.line(
        "attention",
        say("Q, K, V and output matrices of a layer"),
        "hidden * head_dim * (2 * heads + 2 * kv_heads)",
        unit,
    )
    lines.line("ffn", say("a dense FFN"), "matrices_per_ffn * hidden * ffn_hidden", unit)
    tail = "(2 * layers + 1) * hidden + tables * vocab * hidden"
    if not moe:
        lines.line("layer", say("matrices of a layer"), "attention + ffn", unit)
        for name in ("parameters", "active_parameters"):
            lines.line(
                name, say("layers, norms, embedding tables"), f"layers * layer + {tail}", unit
            )
        return
    lines.line("expert", say("one expert"), "matrices_per_ffn * hidden * expert_ffn_hidden", unit)
    lines.line("router", say("one router"), "hidden * experts", unit)
    lines.line("moe_layers", say("layers with experts"), "layers - dense_layers", "")
    for name, label, count in (
        ("parameters", say("all experts"), "experts"),
        ("active_parameters", say("only the experts that a token visits"), "top_k"),
    ):
        inside = f"moe_layers * (router + ({count} + shared_experts) * expert)"
        formula = f"layers * attention + dense_layers * ffn + {inside} + {tail}"
        lines.line(name, label, formula, unit)


def _memory(lines: Sheet, plan: dict[str, Any], moe: bool) -> None:
    unit = say("parameters")
    lines.line(
        "padded_vocab", say("rows, padded"), "ceil(vocab / (128 * tp)) * 128 * tp", say("rows")
    )
    lines.line("layers_here", say("layers of stage 0"), "layers / pp", "")
    formula = "layers_here * (attention / tp + 2 * hidden) + norms_at_the_end * hidden"
    formula += " + tables_here * padded_vocab * hidden / tp"
    if moe:
        lines.line("moe_here", say("of them with experts"), "layers_here - dense_layers", "")
        formula += " + dense_layers * ffn / tp + moe_here * (router + shared_experts * expert / tp)"
    else:
        formula += " + layers_here * ffn / tp"
    lines.line("ordinary", say("on this GPU, without routed experts"), formula, unit)
    lines.line("over", say("GPUs that hold the same"), "dp * cp", say("GPUs"))
    held, shard = "ordinary", "ordinary / over"
    if moe:
        formula = "moe_here * experts / ep * expert / tp"
        lines.line("routed", say("routed experts on this GPU"), formula, unit)
        lines.line(
            "over_routed", say("GPUs that hold the same experts"), "dp * cp / ep", say("GPUs")
        )
        held, shard = "ordinary + routed", "ordinary / over + routed / over_routed"
    zero = plan["zero_stage"]
    for name, label, size, first_stage in (
        ("weights_bytes", "bf16", "2", 3),
        ("gradients_bytes", say("in the gradients' type"), "gradient_bytes", 2),
        ("optimizer_bytes", say("fp32 master weight, momentum, variance"), "(4 + 4 + 4)", 1),
    ):
        how = say("not divided by ZeRO-{stage}", stage=zero)
        if zero >= first_stage:
            how = say("divided by ZeRO-{stage}", stage=zero)
        formula = f"{size} * ({shard if zero >= first_stage else held})"
        lines.line(name, say("{type}, {how}", type=label, how=how), formula, "B")


def _activations(lines: Sheet, model: dict[str, Any], plan: dict[str, Any], moe: bool) -> None:
    unit = say("B a token")
    if plan["virtual_pp"] == 1:
        in_flight = "min(micro_batches, pp)"
    else:
        in_flight = "min(micro_batches * virtual_pp, pp * virtual_pp + pp - 1) / virtual_pp"
    lines.line("in_flight", say("micro-batches in flight on stage 0"), in_flight, "")
    lines.line(
        "tokens", say("of a micro-batch on this GPU"), "micro_batch * seq_len / cp", say("tokens")
    )
    core = {"none": 5 if model["dropout"] else 2}.get(plan["recompute"], 0)
    kept = 6 if model["swiglu"] else 4
    inside = f"4 * heads * head_dim + 4 * kv_heads * head_dim + {core} * heads * seq_len"
    if plan["recompute"] == "full":
        lines.line(
            "stack", say("layer inputs of stage 0"), "layers_here * 2 * hidden / outer", unit
        )
    else:
        lines.line(
            "outside", say("norm, QKV and FFN inputs, masks"), "(8 + 2 * dropout) * hidden", unit
        )
        lines.line("inside", say("Q, K, V, output projection's input, scores"), inside, unit)
        lines.line(
            "dense_layer",
            say("kept by a dense layer"),
            f"outside / outer + (inside + {kept} * ffn_hidden) / tp",
            unit,
        )
        stack = "layers_here * dense_layer"
        if moe:
            lines.line(
                "moe_layer",
                say("kept by a layer with experts"),
                "(outside + 4 * experts + 2 * hidden * top_k) / outer"
                f" + (inside + {kept} * (top_k + shared_experts) * expert_ffn_hidden) / tp",
                unit,
            )
            stack = "dense_layers * dense_layer + moe_here * moe_layer"
        lines.line("stack", say("kept by the layers of stage 0"), stack, unit)
    formula = "tokens * in_flight * (stack + (8 + dropout * hidden) / outer)"
    if plan["pp"] == 1:
        formula += " + tokens * (4 * hidden / outer + 4 * padded_vocab / tp)"
    label = say("layers, embedding and, on a last stage, output layer")
    lines.line("activations_bytes", label, formula, "B")


def _traffic(lines: Sheet, plan: dict[str, Any], moe: bool) -> None:
    lines.line("hidden_state", say("of a micro-batch on this GPU"), "2 * tokens * hidden", "B")
    lines.line(
        "tp_bytes_sent",
        say("all-reduces a layer and micro-batch, each 2(tp-1)/tp"),
        "micro_batches * layers_here * passes * 2 * (tp - 1) / tp * hidden_state",
        "B",
    )
    boundaries = "(2 * virtual_pp - 1)" if plan["pp"] > 1 else "0"
    formula = f"micro_batches * {boundaries} * hidden_state / outer"
    lines.line("pp_bytes_sent", say("stage boundaries that this GPU sends over"), formula, "B")
    lines.line(
        "key_value",
        say("K and V of its own tokens"),
        "2 * tokens * 2 * kv_heads * head_dim / tp",
        "B",
    )
    lines.line(
        "cp_bytes_sent",
        say("K, V and their gradients round the ring"),
        "micro_batches * layers_here * ring_passes * (cp - 1) * key_value",
        "B",
    )
    formula = "0 * hidden_state"
    if moe:
        formula = "micro_batches * moe_here * passes * (ep - 1) / ep * top_k * hidden_state / outer"
    lines.line("ep_bytes_sent", say("all-to-alls of routed tokens"), formula, "B")
    each = {
        0: (say("an all-reduce"), "2 * gradient_bytes"),
        1: (say("reduce-scatter gradients, all-gather weights"), "gradient_bytes + 2"),
        2: (say("as ZeRO-1, gradients each micro-batch"), "micro_batches * gradient_bytes + 2"),
        3: (say("each micro-batch, weights twice"), "micro_batches * (gradient_bytes + 2 * 2)"),
    }[plan["zero_stage"]]
    lines.line("a_parameter", each[0], each[1], say("B a parameter"))
    formula = "a_parameter * ((over - 1) / over * ordinary"
    formula += " + (over_routed - 1) / over_routed * routed)" if moe else ")"
    lines.line("dp_bytes_sent", say("over the GPUs that hold the same"), formula, "B")


def _time(lines: Sheet, full: bool, selective: bool, moe: bool) -> None:
    unit = say("FLOP a token")
    if moe:
        matrices = "layers * attention + dense_layers * ffn"
        matrices += " + moe_layers * (router + (top_k + shared_experts) * expert)"
    else:
        matrices = "layers * (attention + ffn)"
    lines.line("matrices", say("parameters a token meets in layers"), matrices, say("parameters"))
    lines.line(
        "core", say("scores and values, forward"), "4 * seq_len * heads * head_dim * layers", unit
    )
    lines.line("head", say("output layer, forward"), "2 * hidden * vocab", unit)
    formula = "dp * micro_batches * micro_batch * seq_len"
    lines.line("step_tokens", say("of all replicas in a step"), formula, say("tokens"))
    formula = "step_tokens * 3 * (2 * matrices + core + head)"
    lines.line("model_flops", say("forward once, backward twice"), formula, "FLOP")
    again = "2 * matrices + core" if full else "core" if selective else "0"
    formula = f"model_flops + step_tokens * ({again})"
    lines.line("executed_flops", say("with what is recomputed"), formula, "FLOP")
    formula = "(pp - 1) / (virtual_pp * micro_batches + pp - 1)"
    lines.line("bubble_fraction", say("waiting slots of all slots"), formula, "")
    lines.line("gpus", say("of the job"), "tp * pp * dp * cp", say("GPUs"))
    formula = "executed_flops / (gpus * peak_dense_tflops * 10**12 * matmul_efficiency)"
    lines.line("compute_s", say("at the reached share of the dense peak"), formula, "s")
    formula = "tp_bytes_sent / (nvlink_gb_per_s * 10**9)"
    formula += " + (pp_bytes_sent + cp_bytes_sent + ep_bytes_sent) / (network_gb_per_s * 10**9)"
    lines.line("traffic_s", say("traffic that compute waits for"), formula, "s")
    formula = "(1 - dp_overlap) * dp_bytes_sent / (network_gb_per_s * 10**9)"
    lines.line("gradients_s", say("data-parallel traffic left exposed"), formula, "s")
    formula = "(compute_s + traffic_s) / (1 - bubble_fraction) + gradients_s"
    lines.line("step_time_s", say("stretched by the bubble, then gradients"), formula, "s")
    formula = "model_flops / (step_time_s * gpus * peak_dense_tflops * 10**12)"
    lines.line("mfu", say("model FLOPs, dense peak"), formula, "")
