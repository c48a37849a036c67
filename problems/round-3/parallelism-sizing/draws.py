"""Configurations: which ones the statement allows, drawn ones, and simpler ones."""

from __future__ import annotations

import random
from typing import Any

from reference import fullest_stage

Config = dict[str, Any]  # keys model, cluster, plan

SHAPES = [  # hidden, heads, kv_heads, head_dim, ffn_hidden, vocab
    (1536, 16, 4, 96, 4096, 50257),
    (2048, 16, 16, 128, 8192, 50304),
    (2560, 20, 4, 128, 6912, 49152),
    (4096, 32, 8, 128, 14336, 128256),
    (4096, 32, 32, 128, 16384, 51200),
    (5120, 40, 8, 128, 17408, 151936),
    (6144, 48, 8, 128, 16384, 92544),
    (8192, 64, 8, 128, 28672, 128256),
    (9216, 72, 8, 128, 24576, 256000),
    (12288, 96, 96, 128, 49152, 51200),
]
EXPERTS = [  # experts, top_k, expert_ffn_hidden, shared_experts
    (8, 2, 14336, 0),
    (16, 4, 10752, 0),
    (64, 6, 1408, 2),
    (128, 8, 1536, 0),
    (256, 8, 2048, 1),
]
CLUSTERS = [  # dense and sparse TFLOP/s, NVLink and network GB/s a GPU and direction
    (312.0, 624.0, 300.0, 25.0),
    (989.4, 1978.9, 450.0, 50.0),
    (2250.0, 4500.0, 900.0, 100.0),
]


def allowed(config: Config) -> bool:
    """What the statement promises of every configuration: whole shares, and a full first stage."""
    model, plan = config["model"], config["plan"]
    moe = model["moe"]
    return (
        model["layers"] % (plan["pp"] * plan["virtual_pp"]) == 0
        and (plan["virtual_pp"] == 1 or plan["pp"] > 1)
        and (plan["virtual_pp"] == 1 or plan["micro_batches"] % plan["pp"] == 0)
        and model["kv_heads"] % plan["tp"] == 0
        and model["heads"] % model["kv_heads"] == 0
        and plan["seq_len"] % (plan["cp"] * plan["tp"]) == 0
        and (plan["tp"] > 1 or not plan["sequence_parallel"])
        and (plan["zero_stage"] < 2 or plan["pp"] == 1)
        and plan["dp"] % plan["ep"] == 0
        and (moe is not None or plan["ep"] == 1)
        and (
            moe is None
            or (
                moe["experts"] % plan["ep"] == 0
                and moe["dense_layers"] < model["layers"] // (plan["pp"] * plan["virtual_pp"])
                and moe["expert_ffn_hidden"] % plan["tp"] == 0
            )
        )
        and fullest_stage(model, plan) == 0
    )


def draw(kind: str, count: int, seed: int) -> list[Config]:
    """`count` allowed configurations of a kind, the same ones for the same seed.

    Raises
    ------
    ValueError
        If no such kind is known.
    """
    if kind not in KINDS:
        raise ValueError(f"a kind must be one of {sorted(KINDS)}, got {kind!r}")
    chance = random.Random(f"{kind}/{seed}")
    drawn: list[Config] = []
    while len(drawn) < count:
        config = _any(chance)
        KINDS[kind](config, chance)
        if allowed(config):
            drawn.append(config)
    return drawn


def _any(chance: random.Random) -> Config:
    hidden, heads, kv_heads, head_dim, ffn_hidden, vocab = chance.choice(SHAPES)
    dense, sparse, nvlink, network = chance.choice(CLUSTERS)
    tp = chance.choice([1, 2, 4, 8])
    return {
        "model": {
            "layers": chance.choice([16, 24, 32, 48, 64, 96]),
            "hidden": hidden,
            "heads": heads,
            "kv_heads": kv_heads,
            "head_dim": head_dim,
            "ffn_hidden": ffn_hidden,
            "vocab": vocab,
            "swiglu": chance.random() < 0.7,
            "tied_embeddings": chance.random() < 0.5,
            "dropout": chance.random() < 0.4,
            "moe": None,
        },
        "cluster": {
            "peak_dense_tflops": dense,
            "peak_sparse_tflops": sparse,
            "matmul_efficiency": chance.choice([0.55, 0.6, 0.65, 0.7]),
            "nvlink_gb_per_s": nvlink,
            "network_gb_per_s": network,
            "dp_overlap": chance.choice([0.0, 0.5, 0.8]),
        },
        "plan": {
            "seq_len": chance.choice([2048, 4096, 8192]),
            "micro_batch": chance.choice([1, 2, 4]),
            "micro_batches": chance.choice([8, 16, 24, 32]),
            "tp": tp,
            "pp": chance.choice([1, 2, 4, 8]),
            "virtual_pp": 1,
            "dp": chance.choice([1, 2, 8, 16]),
            "cp": 1,
            "ep": 1,
            "zero_stage": 0,
            "gradient_bytes": chance.choice([2, 4]),
            "sequence_parallel": tp > 1 and chance.random() < 0.5,
            "recompute": chance.choice(["none", "selective", "full"]),
        },
    }


def _one_gpu(config: Config, chance: random.Random) -> None:
    config["plan"] |= {"tp": 1, "pp": 1, "dp": 1, "sequence_parallel": False}


def _dense(config: Config, chance: random.Random) -> None:
    config["plan"]["zero_stage"] = chance.choice([0, 1])


def _grouped_query(config: Config, chance: random.Random) -> None:
    hidden, heads, kv_heads, head_dim, ffn_hidden, vocab = chance.choice(
        [shape for shape in SHAPES if shape[2] < shape[1]]
    )
    config["model"] |= {
        "hidden": hidden,
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": head_dim,
        "ffn_hidden": ffn_hidden,
        "vocab": vocab,
        "swiglu": True,
    }


def _tensor(config: Config, chance: random.Random) -> None:
    tp = chance.choice([2, 4, 8])
    config["plan"] |= {"tp": tp, "sequence_parallel": chance.random() < 0.5}


def _pipeline(config: Config, chance: random.Random) -> None:
    config["plan"]["pp"] = chance.choice([2, 4, 8, 16])
    config["plan"]["micro_batches"] = chance.choice([3, 8, 16, 64])


def _interleaved(config: Config, chance: random.Random) -> None:
    pp = chance.choice([2, 4, 8])
    config["plan"] |= {
        "pp": pp,
        "virtual_pp": chance.choice([2, 3, 4]),
        "micro_batches": pp * chance.choice([1, 2, 4]),
        "zero_stage": chance.choice([0, 1]),
    }


def _zero(config: Config, chance: random.Random) -> None:
    config["plan"] |= {
        "pp": 1,
        "dp": chance.choice([8, 16, 64]),
        "zero_stage": chance.choice([1, 2, 2, 3, 3]),
        "micro_batches": chance.choice([1, 2, 4, 8]),
    }


def _long(config: Config, chance: random.Random) -> None:
    config["plan"] |= {
        "seq_len": chance.choice([32768, 131072]),
        "micro_batch": 1,
        "cp": chance.choice([2, 4, 8, 16]),
        "zero_stage": chance.choice([0, 1]),
        "dp": chance.choice([2, 4, 8]),
    }


def _moe(config: Config, chance: random.Random) -> None:
    experts, top_k, expert_ffn_hidden, shared_experts = chance.choice(EXPERTS)
    dp = chance.choice([8, 16, 32])
    config["model"] |= {
        "swiglu": True,
        "moe": {
            "experts": experts,
            "top_k": top_k,
            "expert_ffn_hidden": expert_ffn_hidden,
            "shared_experts": shared_experts,
            "dense_layers": chance.choice([0, 0, 1, 3]),
        },
    }
    config["plan"] |= {
        "dp": dp,
        "ep": chance.choice([1, 4, 8, dp]),
        "recompute": chance.choice(["none", "selective", "full"]),
    }


def _moe_sharded(config: Config, chance: random.Random) -> None:
    _moe(config, chance)
    config["plan"]["zero_stage"] = chance.choice([1, 1, 2, 3])
    if config["plan"]["zero_stage"] > 1:
        config["plan"]["pp"] = 1


def _everything(config: Config, chance: random.Random) -> None:
    _moe(config, chance)
    _tensor(config, chance)
    _interleaved(config, chance)
    config["plan"] |= {
        "cp": chance.choice([2, 4]),
        "seq_len": chance.choice([8192, 32768]),
        "micro_batch": 1,
    }


KINDS = {
    "one-gpu": _one_gpu,
    "dense": _dense,
    "grouped-query": _grouped_query,
    "tensor": _tensor,
    "pipeline": _pipeline,
    "interleaved": _interleaved,
    "zero": _zero,
    "long": _long,
    "moe": _moe,
    "moe-sharded": _moe_sharded,
    "everything": _everything,
}

WITHOUT: list[tuple[dict[str, Any], dict[str, Any]]] = [  # one feature less: model, plan
    ({"moe": None}, {"ep": 1}),
    ({}, {"pp": 1, "virtual_pp": 1}),
    ({}, {"virtual_pp": 1}),
    ({}, {"tp": 1, "sequence_parallel": False}),
    ({}, {"sequence_parallel": False}),
    ({}, {"cp": 1}),
    ({}, {"dp": 1, "ep": 1}),
    ({}, {"ep": 1}),
    ({}, {"zero_stage": 0}),
    ({}, {"recompute": "none"}),
    ({}, {"micro_batch": 1}),
    ({}, {"micro_batches": 1}),
    ({"dropout": False}, {}),
    ({"swiglu": False}, {}),
    ({"tied_embeddings": False}, {}),
]


def simpler(config: Config) -> list[Config]:
    """Allowed configurations with one feature less, the largest features first."""
    model, cluster, plan = config["model"], config["cluster"], config["plan"]
    tried = [
        {"model": model | on_model, "cluster": cluster, "plan": plan | on_plan}
        for on_model, on_plan in WITHOUT
    ]
    tried.append({**config, "model": model | {"kv_heads": model["heads"]}})
    if model["moe"]:
        for part in ("shared_experts", "dense_layers"):
            without = model | {"moe": model["moe"] | {part: 0}}
            tried.append({**config, "model": without})
    fewest = plan["pp"] * plan["virtual_pp"]
    if model["moe"]:
        fewest *= 1 + model["moe"]["dense_layers"]
    tried.append({**config, "model": model | {"layers": fewest}})
    return [one for one in tried if one != config and allowed(one)]
