"""Running the site as lines: failures, goodput, checkpoints, storage and monitoring.

Goodput follows the problem *Goodput of a training run*, with one term more: a period T holds T - C
of progress and takes T + T/M * (T/2 + L + R), with the job's mean time between failures M and the
restart R. L is how long training has gone on before a checkpoint is stored: until then a failure
falls back on the one before. It is 0 where training waits for the storage.

References
----------
.. [1] Young, "A first order approximation to the optimum checkpoint interval", CACM 1974.
.. [2] Grattafiori et al., "The Llama 3 Herd of Models": storage, checkpoints, interruptions.
"""

from __future__ import annotations

from typing import Any

from sheet import Line

from graders.text import say

LINES = {
    "steps": Line(say("of the run"), "train_tokens / batch_tokens", say("steps")),
    "ideal_days": Line(
        say("without failures and checkpoints"), "steps * step_s / 86400", say("days")
    ),
    "mtbf_min": Line(say("between failures of the job"), "60 * gpu_mtbf_h / train_gpus", "min"),
    "detect_min": Line(say("three heartbeats that did not come"), "3 * heartbeat / 60", "min"),
    "checkpoint_tb": Line(
        say("bf16 weights, fp32 master weights, two moments: 14 B each"),
        "14 * params / 1e12",
        "TB",
    ),
    "storage_tb_per_s": Line(
        say("of all storage servers, sustained"), "storage_servers * server_gb_per_s / 1000", "TB/s"
    ),
    "restore_tb_per_s": Line(
        say("of all storage servers, at their peak"),
        "storage_servers * server_peak_gb_per_s / 1000",
        "TB/s",
    ),
    "write_tb_per_s": Line(
        say("left for checkpoints while data is loaded"),
        "storage_tb_per_s - loader_tb_per_s",
        "TB/s",
    ),
    "write_s": Line(say("until a checkpoint is stored"), "checkpoint_tb / write_tb_per_s", "s"),
    "write_min": Line(
        say("from the start of a checkpoint until it is stored"),
        "(barrier_s + write_s) / 60",
        "min",
    ),
    "lag_min": Line(
        say("training goes on so long before the checkpoint is stored"),
        "max(0, write_min - blocked_s / 60)",
        "min",
    ),
    "lost_min": Line(
        say("computed again after a failure: half a period, and what was not stored yet"),
        "period / 2 + lag_min",
        "min",
    ),
    "restart_min": Line(
        say("detect, replace the node, start all ranks, load"),
        "detect_min + replace_min + start_min + load_min",
        "min",
    ),
    "goodput": Line(
        say("progress over time on the calendar"),
        "100 * (1 - blocked_s / (60 * period)) / (1 + (lost_min + restart_min) / mtbf_min)",
        "%",
    ),
    "days": Line(say("on the calendar"), "ideal_days / (goodput / 100)", say("days")),
    "in_repair": Line(
        say("nodes of the job in repair at any time"),
        "train_gpus / gpu_mtbf_h * repair_h",
        say("nodes"),
    ),
    "spares_needed": Line(
        say("the mean and three standard deviations, as of a Poisson process"),
        "in_repair + 3 * sqrt(in_repair)",
        say("nodes"),
    ),
    "samples_per_s": Line(
        say("that the agents send"), "8 * nodes * series_a_gpu / heartbeat", say("samples/s")
    ),
    "samples_at_most": Line(
        say("that the stores take"), "metric_stores * samples_a_store", say("samples/s")
    ),
    "two_steps_s": Line(say("time of two steps"), "2 * step_s", "s"),
    "alarm_s": Line(say("after which a silent node counts as dead"), "3 * heartbeat", "s"),
    "kept_tb": Line(
        say("training data and checkpoints"),
        "train_tokens * bytes_a_token / 1e12 + checkpoints_kept * checkpoint_tb",
        "TB",
    ),
    "storage_tb": Line(say("of all storage servers"), "storage_servers * server_tb", "TB"),
}

CHECKPOINT = {
    "blocking": {
        "blocked_s": Line(say("training waits until it is stored"), "barrier_s + write_s", "s")
    },
    "asynchronous": {
        "blocked_s": Line(
            say("training waits for the copy to host memory"),
            "barrier_s + 1000 * checkpoint_tb / train_gpus / pcie_gb_per_s",
            "s",
        )
    },
}

RESTORE = {
    "every_replica_reads": {
        "load_min": Line(
            say("weights once for each replica, the optimizer once"),
            "(2 * dp * cp + 12) * params / 1e12 / restore_tb_per_s / 60",
            "min",
        )
    },
    "one_reads_and_sends": {
        "load_min": Line(
            say("everything once, then weights from replica to replica"),
            "(checkpoint_tb / restore_tb_per_s + 2 * gpu_params / 1e9 / cross_gb_per_s) / 60",
            "min",
        )
    },
}

LOADER = {
    "one_rank_reads": {
        "loader_tb_per_s": Line(
            say("one rank of each replica reads and passes on"),
            "batch_tokens / step_s * bytes_a_token / 1e12",
            "TB/s",
        )
    },
    "every_rank_reads": {
        "loader_tb_per_s": Line(
            say("each rank of a replica reads the same"),
            "batch_tokens / step_s * bytes_a_token * replica_gpus / 1e12",
            "TB/s",
        )
    },
}


def lines(resilience: dict[str, Any], storage: dict[str, Any]) -> dict[str, Line]:
    """The lines of failures and storage."""
    return (
        LINES
        | CHECKPOINT[resilience["checkpoint"]]
        | RESTORE[resilience["restore"]]
        | LOADER[storage["loader"]]
    )
