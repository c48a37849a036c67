"""The sizing package as its checker imports it, and the models and plans that its tests share."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from problems.schema import ProblemSpec

ROOT = Path(__file__).parents[2] / "problems" / "round-3" / "parallelism-sizing"
OWN = [path.stem for path in ROOT.glob("*.py")]
SPEC = ProblemSpec.model_validate(YAML(typ="safe").load((ROOT / "problem.yaml").read_text()))
CASES = {case.name: case for case in SPEC.cases}
KINDS = sorted({case.input["draw"] for case in SPEC.cases if "draw" in case.input})


class _Package:
    """The package's modules, imported as its checker imports them and forgotten afterwards."""

    def __init__(self) -> None:
        sys.path.insert(0, str(ROOT))
        try:
            for name in OWN:
                if name != "starter":
                    setattr(self, name, import_module(name))
        finally:
            sys.path.remove(str(ROOT))
            for name in OWN:
                sys.modules.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


PACKAGE = _Package()
size = PACKAGE.reference.size

DRAWN: dict[str, list[dict[str, Any]]] = {
    kind: PACKAGE.draws.draw(kind, 25, seed=11) for kind in KINDS
}
ALL_DRAWN = [config for drawn in DRAWN.values() for config in drawn]

A100 = {
    "peak_dense_tflops": 312.0,
    "peak_sparse_tflops": 624.0,
    "matmul_efficiency": 0.6,
    "nvlink_gb_per_s": 300.0,
    "network_gb_per_s": 25.0,
    "dp_overlap": 0.0,
}
ONE_GPU = {
    "seq_len": 2048,
    "micro_batch": 1,
    "micro_batches": 1,
    "tp": 1,
    "pp": 1,
    "virtual_pp": 1,
    "dp": 1,
    "cp": 1,
    "ep": 1,
    "zero_stage": 0,
    "gradient_bytes": 4,
    "sequence_parallel": False,
    "recompute": "none",
}


def gpt(layers: int, hidden: int, heads: int) -> dict[str, Any]:
    """A GPT-3-like model with the vocabulary that Megatron-LM's papers use."""
    return {
        "layers": layers,
        "hidden": hidden,
        "heads": heads,
        "kv_heads": heads,
        "head_dim": hidden // heads,
        "ffn_hidden": 4 * hidden,
        "vocab": 51200,
        "swiglu": False,
        "tied_embeddings": True,
        "dropout": True,
        "moe": None,
    }


GPT_3 = gpt(96, 12288, 96)
LLAMA_3_8B = {
    "layers": 32,
    "hidden": 4096,
    "heads": 32,
    "kv_heads": 8,
    "head_dim": 128,
    "ffn_hidden": 14336,
    "vocab": 128256,
    "swiglu": True,
    "tied_embeddings": False,
    "dropout": False,
    "moe": None,
}
MIXTRAL = LLAMA_3_8B | {
    "vocab": 32000,
    "moe": {
        "experts": 8,
        "top_k": 2,
        "expert_ffn_hidden": 14336,
        "shared_experts": 0,
        "dense_layers": 0,
    },
}
GPT_3_PLAN = CASES["gpt-3"].input["plan"]


def state_bytes(answer: dict[str, float]) -> float:
    return sum(answer[f"{kind}_bytes"] for kind in ("weights", "gradients", "optimizer"))
