"""Constraints on running the site, its power and its serving."""

from __future__ import annotations

from fabric_rules import CABLED
from rules import Rule, claim
from sheet import Sheet
from training_rules import STEP

from graders.text import say

RUNNING = (
    Rule(
        "heartbeat",
        say("Three heartbeats last longer than two steps."),
        ("step_s", "two_steps_s", "alarm_s"),
        lambda sheet: sheet["alarm_s"] >= sheet["two_steps_s"],
        lambda sheet: say(
            "a node that is busy with a step may answer late, so three heartbeats must last two "
            "steps; they last {alarm:.4g} s, and two steps {steps:.4g} s; send them more rarely",
            alarm=float(sheet["alarm_s"]),
            steps=float(sheet["two_steps_s"]),
        ),
        STEP,
    ),
    Rule(
        "metrics",
        say("The metric stores take what the agents send."),
        ("samples_at_most", "samples_per_s"),
        lambda sheet: sheet["samples_per_s"] <= sheet["samples_at_most"],
        lambda sheet: say(
            "the metric stores take {limit:.4g} samples a second, and {series} series of {gpus} "
            "GPUs every {period:.4g} s are {rate:.4g}; add stores, or send less",
            limit=float(sheet["samples_at_most"]),
            series=int(sheet["series_a_gpu"]),
            period=float(sheet["heartbeat"]),
            gpus=int(sheet["gpus"]),
            rate=float(sheet["samples_per_s"]),
        ),
    ),
    Rule(
        "spares",
        say("Spare nodes cover the nodes in repair, and three standard deviations more."),
        ("in_repair", "spares_needed"),
        lambda sheet: sheet["spare_nodes"] >= sheet["spares_needed"],
        lambda sheet: say(
            "a restart waits for a repair where no spare node stands by; {mean:.3g} nodes are in "
            "repair on average and {needed:.4g} on a bad day, and you have {spares}; add spares",
            mean=float(sheet["in_repair"]),
            needed=float(sheet["spares_needed"]),
            spares=int(sheet["spare_nodes"]),
        ),
    ),
    Rule(
        "storage_bandwidth",
        say("Loading data leaves storage bandwidth for checkpoints."),
        ("storage_tb_per_s", "loader_tb_per_s", "write_tb_per_s"),
        lambda sheet: sheet["write_tb_per_s"] > 0,
        lambda sheet: say(
            "storage gives {storage:.4g} TB/s, and the loader reads {loader:.4g}: nothing is left "
            "to write a checkpoint; read once for a replica, or add servers",
            storage=float(sheet["storage_tb_per_s"]),
            loader=float(sheet["loader_tb_per_s"]),
        ),
        STEP,
    ),
    Rule(
        "storage_capacity",
        say("Storage holds the data and the checkpoints that are kept."),
        ("checkpoint_tb", "storage_tb", "kept_tb"),
        lambda sheet: sheet["kept_tb"] <= sheet["storage_tb"],
        lambda sheet: say(
            "storage holds {storage:.5g} TB; data and {count} checkpoints of {size:.4g} TB are "
            "{kept:.5g}; keep fewer, or add servers",
            storage=float(sheet["storage_tb"]),
            count=int(sheet["checkpoints_kept"]),
            size=float(sheet["checkpoint_tb"]),
            kept=float(sheet["kept_tb"]),
        ),
    ),
    Rule(
        "checkpoint_drains",
        say("A checkpoint is stored before the next one begins."),
        ("checkpoint_tb", "write_tb_per_s", "write_s", "write_min"),
        lambda sheet: max(sheet["write_min"], sheet["blocked_s"] / 60) < sheet["period"],
        lambda sheet: say(
            "a checkpoint must be stored before the next begins; {size:.4g} TB at {rate:.4g} TB/s "
            "take {write:.4g} min, and one starts every {period:.4g}; start fewer, or add servers",
            size=float(sheet["checkpoint_tb"]),
            rate=float(sheet["write_tb_per_s"]),
            write=float(sheet["write_min"]),
            period=float(sheet["period"]),
        ),
        ("storage_bandwidth",),
    ),
    claim(
        "goodput",
        "goodput",
        (
            "mtbf_min",
            "blocked_s",
            "write_min",
            "lag_min",
            "lost_min",
            "detect_min",
            "load_min",
            "restart_min",
            "goodput",
        ),
        ("checkpoint_drains", "spares"),
    ),
    claim(
        "days", "days", ("steps", "step_s", "ideal_days", "goodput", "days"), ("checkpoint_drains",)
    ),
    Rule(
        "deadline",
        say("The run ends by the deadline."),
        ("ideal_days", "goodput", "days"),
        lambda sheet: sheet["days"] <= sheet["deadline_days"],
        lambda sheet: say(
            "the run must end within {limit:.0f} days; {ideal:.4g} days of computing at a goodput "
            "of {goodput:.3g} % are {days:.4g}; shorten the step, or what failures cost",
            limit=float(sheet["deadline_days"]),
            ideal=float(sheet["ideal_days"]),
            goodput=float(sheet["goodput"]),
            days=float(sheet["days"]),
        ),
        ("checkpoint_drains",),
    ),
)


def _looks_like_tdp(sheet: Sheet) -> bool:
    factors = (1.0, sheet["pue"])
    return any(
        abs(sheet["claimed_power"] - factor * sheet["tdp_mw"]) <= 0.03 * factor * sheet["tdp_mw"]
        for factor in factors
    )


_POWER = ("nodes_mw", "switches_mw", "optics_mw", "servers_mw", "rest_mw", "equipment_mw")

POWER = (
    Rule(
        "power_is_not_tdp",
        say("A GPU's TDP is not the whole power."),
        ("tdp_mw", *_POWER, "site_mw"),
        lambda sheet: not _looks_like_tdp(sheet),
        lambda sheet: say(
            "a GPU's TDP is not the whole power; {gpus} GPUs of {tdp:.0f} W are the {claimed:.4g} "
            "MW that you claim, but their nodes draw {nodes:.4g}, network and storage {rest:.3g}, "
            "and cooling and losses make {site:.4g} MW of it; build up from the node",
            gpus=int(sheet["gpus"]),
            tdp=sheet["tdp_w"],
            claimed=float(sheet["claimed_power"]),
            nodes=float(sheet["nodes_mw"]),
            rest=float(sheet["rest_mw"]),
            site=float(sheet["site_mw"]),
        ),
        CABLED,
    ),
    claim("power", "site_mw", (*_POWER, "site_mw"), ("power_is_not_tdp",)),
    Rule(
        "contract",
        say("The contract covers the site's greatest draw, and the grid the contract."),
        ("equipment_mw", "site_mw"),
        lambda sheet: sheet["site_mw"] <= sheet["contract"] <= sheet["grid_mw"],
        lambda sheet: say(
            "the contract must cover the greatest draw of {site:.4g} MW, and the utility offers "
            "{grid:.0f} at most; yours is {contract:.4g}; change it, or draw less",
            site=float(sheet["site_mw"]),
            grid=float(sheet["grid_mw"]),
            contract=float(sheet["contract"]),
        ),
        CABLED,
    ),
    claim(
        "capital",
        "capital_musd",
        (
            "nodes_musd",
            "network_musd",
            "servers_musd",
            "equipment_musd",
            "building_musd",
            "capital_musd",
        ),
        CABLED,
    ),
)

SERVING = (
    Rule(
        "serving_memory",
        say("A replica that serves has room for weights and for K and V of its batch."),
        ("served_gb", "sequence_gb", "replica_hbm_gb", "replica_gb"),
        lambda sheet: sheet["replica_gb"] <= sheet["replica_hbm_gb"],
        lambda sheet: say(
            "a replica of {nodes} nodes can use {hbm:.5g} GB; weights of {weights:.5g} and {batch} "
            "sequences of {sequence:.4g} GB need {need:.5g}; shrink the batch or the bytes, or add "
            "nodes",
            nodes=int(sheet["nodes_a_replica"]),
            hbm=float(sheet["replica_hbm_gb"]),
            weights=float(sheet["served_gb"]),
            batch=int(sheet["batch"]),
            sequence=float(sheet["sequence_gb"]),
            need=float(sheet["replica_gb"]),
        ),
    ),
    Rule(
        "token_latency",
        say("A sequence gets its tokens as fast as the contract says."),
        ("served_gb", "sequence_gb", "group", "read_ms", "multiply_ms", "itl_ms"),
        lambda sheet: sheet["itl_ms"] <= sheet["itl_limit_ms"],
        lambda sheet: say(
            "a sequence must get a token every {limit:.0f} ms; reading {weights:.5g} GB of weights "
            "and K and V of {group:.4g} sequences, 8 GPUs at a time, takes {read:.4g} ms and with "
            "the all-reduces {itl:.4g}; read fewer bytes",
            limit=float(sheet["itl_limit_ms"]),
            weights=float(sheet["served_gb"]),
            group=float(sheet["group"]),
            read=float(sheet["read_ms"]),
            itl=float(sheet["itl_ms"]),
        ),
    ),
    Rule(
        "decode_capacity",
        say("The replicas write what the peak asks for."),
        ("itl_ms", "decode_tokens"),
        lambda sheet: sheet["decode_tokens"] >= sheet["peak_tokens"],
        lambda sheet: say(
            "the peak is {peak:.4g} tokens a second; {replicas} replicas with {batch} sequences "
            "each write {rate:.4g}; add replicas, or let each do more",
            peak=float(sheet["peak_tokens"]),
            replicas=int(sheet["decode_replicas"]),
            batch=int(sheet["batch"]),
            rate=float(sheet["decode_tokens"]),
        ),
        ("serving_memory", "token_latency"),
    ),
    Rule(
        "prefill_capacity",
        say("The prefill nodes read the prompts of the peak."),
        ("prefill_replicas", "prefill_tokens"),
        lambda sheet: sheet["prefill_tokens"] >= sheet["prompt_tokens"],
        lambda sheet: say(
            "prompts bring {demand:.4g} tokens a second, and {nodes} prefill nodes in whole "
            "replicas of {length} read {rate:.4g}; add nodes",
            demand=float(sheet["prompt_tokens"]),
            nodes=int(sheet["prefill_nodes"]),
            length=int(sheet["nodes_a_replica"]),
            rate=float(sheet["prefill_tokens"]),
        ),
        ("serving_memory",),
    ),
    Rule(
        "token_price",
        say("A million tokens cost no more than they sell for."),
        ("year_musd", "gpu_hour_usd", "serving_nodes", "token_price"),
        lambda sheet: sheet["token_price"] <= sheet["price_limit"],
        lambda sheet: say(
            "a million tokens sell for {limit:.4g} dollars; {nodes} serving nodes at {hour:.4g} "
            "dollars a GPU hour cost {price:.4g} for each; serve with fewer nodes",
            limit=float(sheet["price_limit"]),
            nodes=int(sheet["serving_nodes"]),
            hour=float(sheet["gpu_hour_usd"]),
            price=float(sheet["token_price"]),
        ),
        CABLED,
    ),
    claim(
        "token_cost",
        "token_price",
        ("electricity_musd", "year_musd", "gpu_hour_usd", "serving_nodes", "token_price"),
        CABLED,
    ),
)
