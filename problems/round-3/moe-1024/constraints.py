"""What a plan must meet, in order of dependence, each with the arithmetic that decides it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import network
import training as t
from search import DIMENSIONS, usable_bytes

from graders.text import say

GB = 1e9


def constraint(
    name: str, rule: str, holds: bool, terms: list[dict[str, Any]], message: str
) -> dict[str, Any]:
    """A constraint as the contract has it; the message counts only where it does not hold."""
    return {
        "name": name,
        "rule": rule,
        "holds": bool(holds),
        "terms": terms,
        "message": "" if holds else message,
    }


def term(label: str, formula: str, value: Any, unit: str = "") -> dict[str, Any]:
    """A line of arithmetic; numpy's numbers become plain ones."""
    if not isinstance(value, str | int):
        value = float(value)
        value = int(value) if value.is_integer() and abs(value) < 1e15 else float(f"{value:.4g}")
    return {"label": label, "formula": formula, "value": value, "unit": unit}


def whole_number_constraints(
    plan: dict[str, Any], parameters: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """What must divide what, before anything can be sized; `plan` has the fields of all groups."""
    model, training, cluster = (parameters[key] for key in ("model", "training", "cluster"))
    yield _ranks(plan, cluster["gpus"])
    yield _experts(plan, model["experts"])
    yield _order(plan)
    yield _tensor(plan, model)
    yield _layers(plan, model["layers"])
    yield _sequence(plan, training["sequence"])
    yield _batch(plan, training["batch"])
    if training["batch"] % (plan["dp"] * plan["micro_batch"]) == 0:
        yield _schedule(plan, training["batch"])


def _ranks(plan: dict[str, Any], gpus: int) -> dict[str, Any]:
    used = plan["tp"] * plan["cp"] * plan["pp"] * plan["dp"]
    if plan["ep"] > 1 and used * plan["ep"] == gpus:
        advice = say("ep takes its ranks from dp and adds none. Multiply dp by ep")
    elif used > gpus:
        advice = say("the plan wants more GPUs than there are. Make one of them smaller")
    else:
        advice = say("{idle} GPUs have no part in it. Raise one of them", idle=gpus - used)
    return constraint(
        "ranks",
        say("tp * cp * pp * dp is the number of GPUs; ep takes its ranks from dp and adds none."),
        used == gpus,
        [
            term(
                say("ranks of the plan"),
                f"{plan['tp']} * {plan['cp']} * {plan['pp']} * {plan['dp']}",
                used,
            ),
            term(say("GPUs of the cluster"), "", gpus),
        ],
        say(
            "tp * cp * pp * dp must be {gpus}, the GPUs of the cluster, and it is {used}: {advice}",
            gpus=gpus,
            used=used,
            advice=advice,
        ),
    )


def _experts(plan: dict[str, Any], experts: int) -> dict[str, Any]:
    dp, ep = plan["dp"], plan["ep"]
    return constraint(
        "experts",
        say("Expert parallelism divides the experts of a layer, and its ranks are some of dp's."),
        dp % ep == 0 and experts % ep == 0,
        [
            term(say("experts on a rank"), f"{experts} / {ep}", experts / ep),
            term(say("copies of an expert along dp"), f"{dp} / {ep}", dp / ep),
        ],
        say(
            "ep must divide dp and the {experts} experts of a layer, and ep {ep} does not divide "
            "{what}. Choose another ep",
            experts=experts,
            ep=ep,
            what=say("dp {dp}", dp=dp) if dp % ep else say("{experts} experts", experts=experts),
        ),
    )


def _order(plan: dict[str, Any]) -> dict[str, Any]:
    order = plan["order"]
    missing = [name for name in DIMENSIONS if name not in order]
    return constraint(
        "order",
        say("The order names tp, cp, ep, dp and pp once each, the innermost one first."),
        not missing,
        [
            term(say("the order"), "", ", ".join(order)),
            term(say("missing"), "", ", ".join(missing) or say("none")),
        ],
        say(
            "order must name each of {all} once, and {missing} is missing. Write it where another "
            "stands twice",
            all=", ".join(DIMENSIONS),
            missing=", ".join(missing),
        ),
    )


def _tensor(plan: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    tp, heads = plan["tp"], model["kv_heads"]
    return constraint(
        "tensor",
        say("Tensor parallelism gives each rank whole heads, also those of K and V."),
        heads % tp == 0,
        [term(say("heads of K and V on a rank"), f"{heads} / {tp}", heads / tp)],
        say(
            "tp must divide the {heads} heads of K and V, and {tp} leaves {share:.3g} of a head to "
            "a rank. Choose 1, 2, 4 or 8",
            heads=heads,
            tp=tp,
            share=heads / tp,
        ),
    )


def _layers(plan: dict[str, Any], layers: int) -> dict[str, Any]:
    pp, chunks = plan["pp"], plan["virtual_pp"]
    return constraint(
        "layers",
        say("Every stage has the same number of layers, and so has every chunk of a stage."),
        layers % (pp * chunks) == 0,
        [
            term(say("layers of a stage"), f"{layers} / {pp}", layers / pp),
            term(say("layers of a chunk"), f"{layers} / ({pp} * {chunks})", layers / (pp * chunks)),
        ],
        say(
            "pp * virtual_pp must divide the {layers} layers, and {pp} * {chunks} gives chunks of "
            "{share:.4g} layers. Choose divisors",
            layers=layers,
            pp=pp,
            chunks=chunks,
            share=layers / (pp * chunks),
        ),
    )


def _sequence(plan: dict[str, Any], sequence: int) -> dict[str, Any]:
    parts = plan["cp"] * plan["tp"]
    return constraint(
        "sequence",
        say("Context and tensor parallelism divide a sequence between the layers' blocks."),
        sequence % parts == 0,
        [
            term(
                say("tokens of a sequence on a rank"),
                f"{sequence} / ({plan['cp']} * {plan['tp']})",
                sequence / parts,
            )
        ],
        say(
            "cp * tp must divide the {sequence} tokens of a sequence, and {parts} does not. Choose "
            "powers of two",
            sequence=sequence,
            parts=parts,
        ),
    )


def _batch(plan: dict[str, Any], batch: int) -> dict[str, Any]:
    at_once = plan["dp"] * plan["micro_batch"]
    return constraint(
        "batch",
        say("Every pipeline runs the same whole number of micro-batches in a step."),
        batch % at_once == 0,
        [
            term(
                say("sequences in one micro-batch of all pipelines"),
                f"{plan['dp']} * {plan['micro_batch']}",
                at_once,
            ),
            term(say("micro-batches of a pipeline"), f"{batch} / {at_once}", batch / at_once),
        ],
        say(
            "dp * micro_batch must divide the batch of {batch} sequences, and {dp} * {size} gives "
            "{count:.4g} micro-batches to a pipeline. Change micro_batch or dp",
            batch=batch,
            dp=plan["dp"],
            size=plan["micro_batch"],
            count=batch / at_once,
        ),
    )


def _schedule(plan: dict[str, Any], batch: int) -> dict[str, Any]:
    pp, chunks = plan["pp"], plan["virtual_pp"]
    count = batch // (plan["dp"] * plan["micro_batch"])
    if pp == 1:
        message = say(
            "virtual_pp must be 1 where there is one stage, and it is {chunks}: there is no bubble "
            "to make smaller. Write 1",
            chunks=chunks,
        )
    else:
        message = say(
            "with virtual_pp above 1 the {pp} stages must divide the micro-batches, and each "
            "pipeline has {count}. Change dp, micro_batch or pp, or write virtual_pp: 1",
            pp=pp,
            count=count,
        )
    return constraint(
        "schedule",
        say("Interleaved 1F1B needs several stages, and takes micro-batches in groups of pp."),
        chunks == 1 or (pp > 1 and count % pp == 0),
        [
            term(say("chunks of a stage"), "virtual_pp", chunks),
            term(say("micro-batches of a pipeline"), "m", count),
            term(say("groups of pp micro-batches"), f"{count} / {pp}", count / pp),
        ],
        message,
    )


def node(plan: dict[str, Any], parameters: dict[str, Any], stride: int) -> dict[str, Any]:
    """Tensor parallelism stays behind NVLink; `stride` is every how many ranks it repeats."""
    inside, tp = parameters["cluster"]["gpus_per_node"], plan["tp"]
    reach = stride * tp
    if tp > inside:
        advice = say("choose a smaller tp")
    else:
        advice = say("name tp earlier in order, so that its ranks are neighbours")
    return constraint(
        "node",
        say("Tensor parallelism is waited for in every layer, so its ranks share a node."),
        tp == 1 or reach <= inside,
        [
            term(say("a rank's neighbour in its group is this many GPUs away"), "", stride),
            term(say("GPUs from the first rank of a group to its last"), f"{stride} * {tp}", reach),
            term(say("GPUs of a node"), "", inside),
        ],
        say(
            "the ranks of a tensor-parallel group must share a node of {inside} GPUs, and they "
            "reach over {reach}: {advice}",
            inside=inside,
            reach=reach,
            advice=advice,
        ),
    )


def stage_bytes(parameters: dict[str, Any], plan: t.Plan, stage: int) -> dict[str, float]:
    """What a GPU of a stage holds, by part."""
    model, training = parameters["model"], parameters["training"]
    weights, gradients, optimizer = (float(one) for one in t.model_state(model, plan, stage))
    return {
        "weights": weights,
        "gradients": gradients,
        "optimizer": optimizer,
        "activations": float(t.activations(model, training, plan, stage)),
    }


def memory(parameters: dict[str, Any], plan: t.Plan) -> dict[str, Any]:
    """The fullest GPU has room for what its stage holds."""
    stages = {stage: stage_bytes(parameters, plan, stage) for stage in {0, plan.pp - 1}}
    stage = max(sorted(stages), key=lambda one: sum(stages[one].values()))
    held, usable = stages[stage], usable_bytes(parameters["cluster"])
    model, cluster = parameters["model"], parameters["cluster"]
    ordinary, routed = (float(one) for one in t.gpu_parameters(model, plan, stage))
    copies = plan.dp * plan.cp
    total = sum(held.values())
    if plan.distributed_optimizer:
        rule = f"12 B * ({ordinary:,.0f} / {copies} + {routed:,.0f} / {copies // plan.ep})"
    else:
        rule = f"12 B * {ordinary + routed:,.0f}"
    per_layer = float(t.layer_activations(model, parameters["training"], plan))
    in_flight = float(t.micro_batches_in_flight(plan, stage))
    tokens = float(t.local_tokens(parameters["training"], plan))
    terms = [
        term(say("ordinary parameters on a GPU of stage {stage}", stage=stage), "", ordinary),
        term(say("parameters of routed experts on it"), "", routed),
        term(say("weights"), f"2 B * {ordinary + routed:,.0f}", held["weights"] / GB, "GB"),
        term(say("gradients"), f"4 B * {ordinary + routed:,.0f}", held["gradients"] / GB, "GB"),
        term(say("optimizer state"), rule, held["optimizer"] / GB, "GB"),
        term(
            say("activations"),
            say(
                "{layers} layers * {bytes:.6g} B * {tokens:.6g} tokens * {in_flight:.4g} "
                "micro-batches in flight, and the stage's own",
                layers=model["layers"] // plan.pp,
                bytes=per_layer,
                tokens=tokens,
                in_flight=in_flight,
            ),
            held["activations"] / GB,
            "GB",
        ),
        term(say("held"), say("the sum"), total / GB, "GB"),
        term(say("room"), f"{cluster['memory_gb']} - {cluster['reserved_gb']}", usable / GB, "GB"),
        term(say("left over"), say("room - held"), (usable - total) / GB, "GB"),
    ]
    return constraint(
        "memory",
        say("What a GPU of the fullest stage holds fits into its memory, less what is reserved."),
        total <= usable,
        terms,
        say(
            "a GPU of stage {stage} must hold {usable:.4g} GB at most, and it holds {total:.4g} "
            "GB, {over:.3g} GB too much: {advice}",
            stage=stage,
            usable=usable / GB,
            total=total / GB,
            over=(total - usable) / GB,
            advice=_memory_advice(parameters, plan, stage, usable),
        ),
    )


def _memory_advice(parameters: dict[str, Any], plan: t.Plan, stage: int, usable: float) -> str:
    held = stage_bytes(parameters, plan, stage)
    divided = stage_bytes(parameters, replace(plan, distributed_optimizer=True), stage)
    if sum(held.values()) > usable >= sum(divided.values()):
        return say(
            "every replica holds the whole optimizer state, {gb:.3g} GB, which "
            "distributed_optimizer: true divides to {divided:.3g} GB",
            gb=held["optimizer"] / GB,
            divided=divided["optimizer"] / GB,
        )
    if max(held, key=lambda name: held[name]) == "activations":
        return say(
            "activations take {gb:.3g} GB of it. Recompute more, make micro_batch smaller, or let "
            "tp or cp divide them",
            gb=held["activations"] / GB,
        )
    return say(
        "weights and their gradients take {gb:.3g} GB of it, mostly experts. Raise pp, ep or tp",
        gb=(held["weights"] + held["gradients"]) / GB,
    )


def design_plan(design: dict[str, Any]) -> dict[str, Any]:
    """The fields of all groups in one dict; no two groups share a name."""
    return {name: value for group in design.values() for name, value in group.items()}


def numbers(plan: dict[str, Any], batch: int) -> t.Plan:
    """The plan as the arithmetic takes it, once it is known that everything divides."""
    return t.Plan(
        tp=plan["tp"],
        cp=plan["cp"],
        pp=plan["pp"],
        dp=plan["dp"],
        ep=plan["ep"],
        virtual_pp=plan["virtual_pp"],
        micro_batch=plan["micro_batch"],
        micro_batches=batch // (plan["dp"] * plan["micro_batch"]),
        distributed_optimizer=plan["distributed_optimizer"],
        recompute=t.RECOMPUTE.index(plan["recompute"]),
    )


def sizes(plan: t.Plan) -> dict[str, int]:
    """The sizes of what `order` names; dp stands for what ep leaves of it."""
    return {
        "tp": plan.tp,
        "cp": plan.cp,
        "ep": plan.ep,
        "dp": plan.dp // plan.ep,
        "pp": plan.pp,
    }


def stride_of_tp(order: list[str], plan: t.Plan) -> int:
    """Every how many ranks tensor parallelism repeats."""
    return network.strides(order, sizes(plan))["tp"]
