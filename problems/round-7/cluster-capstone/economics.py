"""Power, money and serving as lines.

Power and the price of a GPU hour follow the problem *Power and cost of a cluster*; a pipeline of
nodes serves as many groups of sequences as it has nodes, each node busy with another group.
"""

from __future__ import annotations

from typing import Any

from sheet import Line

from graders.text import say

POWER = {
    "nodes_mw": Line(say("nodes at their greatest draw"), "nodes * node_kw / 1000", "MW"),
    "switches_mw": Line(say("switches"), "switches * switch_w / 1e6", "MW"),
    "optics_mw": Line(say("transceivers, two a cable"), "2 * cables * port_w / 1e6", "MW"),
    "servers_mw": Line(
        say("storage servers and metric stores"),
        "(storage_servers + metric_stores) * server_w / 1e6",
        "MW",
    ),
    "rest_mw": Line(
        say("everything that is no node"), "switches_mw + optics_mw + servers_mw", "MW"
    ),
    "equipment_mw": Line(say("greatest draw of the equipment"), "nodes_mw + rest_mw", "MW"),
    "site_mw": Line(
        say("greatest draw of the site, cooling and losses included"), "equipment_mw * pue", "MW"
    ),
    "tdp_mw": Line(say("the GPUs' TDP alone, no site's power"), "gpus * tdp_w / 1e6", "MW"),
    "mean_mw": Line(
        say("of the site over the year, nodes at their training load"),
        "(nodes_mw * load + rest_mw) * pue",
        "MW",
    ),
    "energy_gwh": Line(say("of a year of 8,760 hours"), "mean_mw * 8.76", "GWh"),
}

MONEY = {
    "nodes_musd": Line(say("nodes"), "nodes * node_usd / 1e6", "MUSD"),
    "network_musd": Line(
        say("switches and cables with their transceivers"),
        "(switches * switch_usd + cables * cable_usd) / 1e6",
        "MUSD",
    ),
    "servers_musd": Line(
        say("storage servers and metric stores"),
        "(storage_servers + metric_stores) * server_usd / 1e6",
        "MUSD",
    ),
    "equipment_musd": Line(
        say("all equipment"), "nodes_musd + network_musd + servers_musd", "MUSD"
    ),
    "building_musd": Line(
        say("building, by the equipment's greatest draw"),
        "equipment_mw * building_musd_per_mw",
        "MUSD",
    ),
    "capital_musd": Line(say("equipment and building"), "equipment_musd + building_musd", "MUSD"),
    "electricity_musd": Line(
        say("a year's energy and the charge for the contract"),
        "energy_gwh * tariff + contract * demand_charge * 12 / 1000",
        "MUSD",
    ),
    "year_musd": Line(
        say("capital written off, and electricity"),
        "equipment_musd / equipment_years + building_musd / building_years + electricity_musd",
        "MUSD",
    ),
    "gpu_hour_usd": Line(
        say("an hour of a GPU costs its owner"), "year_musd * 1e6 / (gpus * 8760)", "USD"
    ),
    "run_gpus": Line(
        say("that train or stand by for it"), "train_gpus + 8 * spare_nodes", say("GPUs")
    ),
    "run_musd": Line(say("the training run"), "run_gpus * days * 24 * gpu_hour_usd / 1e6", "MUSD"),
}

SERVING = {
    "decode_nodes": Line(
        say("that write tokens"), "decode_replicas * nodes_a_replica", say("nodes")
    ),
    "serving_nodes": Line(say("that serve"), "decode_nodes + prefill_nodes", say("nodes")),
    "used_nodes": Line(
        say("that train, stand by or serve"),
        "train_gpus / 8 + spare_nodes + serving_nodes",
        say("nodes"),
    ),
    "served_gb": Line(say("weights of a replica"), "weight_bytes * params / 1e9", "GB"),
    "sequence_gb": Line(
        say("K and V of one sequence"),
        "2 * kv_heads * head_dim * layers * kv_bytes * context / 1e9",
        "GB",
    ),
    "replica_gb": Line(
        say("weights and K and V of the batch"), "served_gb + batch * sequence_gb", "GB"
    ),
    "replica_hbm_gb": Line(
        say("that the engine may use"), "nodes_a_replica * 8 * hbm_gb * cache_share", "GB"
    ),
    "group": Line(
        say("sequences that pass the nodes together"), "batch / nodes_a_replica", say("sequences")
    ),
    "read_ms": Line(
        say("all weights and the group's K and V, a node at a time"),
        "(served_gb + group * sequence_gb) / (8 * hbm_tb_per_s * hbm_share)",
        "ms",
    ),
    "multiply_ms": Line(
        say("two FLOPs a parameter and sequence"),
        "2 * params * group / (8 * serving_tflops * 1e12 * serving_gemm_share) * 1000",
        "ms",
    ),
    "itl_ms": Line(
        say("between two tokens of a sequence: the longer, and two all-reduces a layer"),
        "max(read_ms, multiply_ms) + 2 * layers * hop_ms",
        "ms",
    ),
    "decode_tokens": Line(
        say("that all replicas write"),
        "decode_replicas * batch / itl_ms * 1000",
        say("tokens/s"),
    ),
    "prefill_replicas": Line(
        say("pipelines of prefill nodes, as long as a decode replica's"),
        "floor(prefill_nodes / nodes_a_replica)",
        say("replicas"),
    ),
    "prefill_tokens": Line(
        say("of prompts that they read"),
        "prefill_replicas * nodes_a_replica"
        " * 8 * serving_tflops * 1e12 * serving_gemm_share / (2 * params)",
        say("tokens/s"),
    ),
    "token_price": Line(
        say("serving nodes' cost over the tokens of an average hour"),
        "serving_nodes * 8 * gpu_hour_usd / (peak_tokens * mean_share * 3600 / 1e6)",
        "USD",
    ),
}

LINES = POWER | MONEY | SERVING


def choices(design: dict[str, Any], given: dict[str, float]) -> dict[str, float]:
    """What the design's words stand for, as numbers that formulas can use."""
    fabric, power, serving = design["fabric"], design["power"], design["serving"]
    wide = fabric["switch"] == "ports_128"
    kind = "adaptive" if fabric["routing"] == "adaptive" else "plain"
    fp8 = serving["weights"] == "fp8"
    cooling = power["cooling"]
    return {
        "radix": 128 if wide else 64,
        "routing_share": given[f"{kind}_share"],
        "switch_w": given["switch_w_128" if wide else "switch_w_64"],
        "switch_usd": given[f"{kind}_switch_usd"] * (given["wide_price"] if wide else 1),
        "pue": given[f"{cooling}_pue"],
        "building_musd_per_mw": given[f"{cooling}_building_musd"],
        "weight_bytes": 1 if fp8 else 2,
        "serving_tflops": given["fp8_tflops" if fp8 else "peak_tflops"],
        "kv_bytes": 1 if serving["kv_cache"] == "fp8" else 2,
    }
