"""The worksheet and the programmed problem whose conventions it shares give the same numbers."""

from __future__ import annotations

import pytest

from graders.answers.worksheet.variant import draw
from tests.problems.sizing_package import PACKAGE as SIZING
from tests.problems.worksheets import number, template

TWINS = {
    "parameters": "parameters",
    "weights": "weights_bytes",
    "gradients": "gradients_bytes",
    "optimizer": "optimizer_bytes",
    "activations": "activations_bytes",
    "tp_sent": "tp_bytes_sent",
    "pp_sent": "pp_bytes_sent",
    "dp_sent": "dp_bytes_sent",
    "model_flops": "model_flops",
    "bubble": "bubble_fraction",
    "step_time": "step_time_s",
    "mfu": "mfu",
}


@pytest.mark.parametrize("seed", range(40))
def test_the_worksheet_and_its_twin_give_the_same_numbers(seed: int) -> None:
    variant = draw(template("parallelism-worksheet"), seed)
    given = variant.given
    model = {name: given[name] for name in ("layers", "hidden", "heads", "kv_heads", "head_dim",
                                            "vocab")}  # fmt: skip
    model |= {"ffn_hidden": given["ffn"], "swiglu": True, "tied_embeddings": False,
              "dropout": False, "moe": None}  # type: ignore[dict-item]  # fmt: skip
    cluster = {
        "peak_dense_tflops": float(given["peak"]) / 1e12,
        "peak_sparse_tflops": float(given["sparse_peak"]) / 1e12,
        "matmul_efficiency": given["efficiency"],
        "nvlink_gb_per_s": float(given["nvlink"]) / 1e9,
        "network_gb_per_s": float(given["network"]) / 1e9,
        "dp_overlap": given["overlap"],
    }
    plan = {name: given[name] for name in ("seq_len", "micro_batches", "tp", "pp", "dp")}
    plan |= {"micro_batch": 1, "virtual_pp": 1, "cp": 1, "ep": 1, "zero_stage": 1,
             "gradient_bytes": 4, "sequence_parallel": True, "recompute": "selective"}  # fmt: skip
    twin = SIZING.reference.size(model, cluster, plan)
    for name, item in TWINS.items():
        assert number(variant, name) == pytest.approx(twin[item], rel=1e-9), name


def test_every_number_of_the_twin_that_the_worksheet_asks_is_compared() -> None:
    assert {one.name for one in template("parallelism-worksheet").fields} == set(TWINS)
