"""What the pictures show: the cluster's tiers, and the cost of a run against its days."""

from __future__ import annotations

from typing import Any

from assembly import Design
from search import Outcome
from sheet import Sheet

from graders.text import say


def cluster(design: Design, sheet: Sheet) -> dict[str, Any]:
    """Tiers, bandwidths and the use of the nodes; for a fabric that can be cabled."""
    fabric = design["fabric"]
    return {
        "gpus": int(sheet["gpus"]),
        "planes": fabric["planes"],
        "pods": fabric["pods"],
        "pod_gpus": int(sheet["pod_gpus"]),
        "radix": int(sheet["radix"]),
        "core": {"switches": fabric["cores"], "ports_used": _core_ports(sheet)},
        "spine": {
            "switches": fabric["spines_per_pod"],
            "ports_used": int(sheet["spine_ports"]),
            "down": int(sheet["spine_down"]),
            "up": fabric["spine_up"],
        },
        "leaf": {
            "switches": fabric["leaves_per_pod"],
            "ports_used": int(sheet["leaf_ports"]),
            "down": fabric["leaf_down"],
            "up": fabric["leaf_up"],
        },
        "cables": {
            "core": int(sheet["core_cables"]),
            "leaf": int(sheet["leaf_cables"]),
            "node": int(sheet["node_cables"]),
        },
        "gb_per_s": {
            "card": sheet["nic_gb_per_s"],
            "pod": sheet["pod_gb_per_s"],
            "cross": sheet["cross_gb_per_s"],
        },
        "switches": int(sheet["switches"]),
        "bisection_tb_per_s": sheet["bisection_tb_per_s"],
        "nodes": {
            "total": int(sheet["nodes"]),
            "uses": [
                {"label": say("training"), "nodes": sheet["train_gpus"] / 8},
                {"label": say("spare"), "nodes": sheet["spare_nodes"]},
                {"label": say("serving: decode"), "nodes": sheet["decode_nodes"]},
                {"label": say("serving: prefill"), "nodes": sheet["prefill_nodes"]},
            ],
        },
    }


def _core_ports(sheet: Sheet) -> int:
    return 0 if sheet["pods"] == 1 else int(sheet["core_ports"])


def memory(sheet: Sheet) -> dict[str, Any]:
    """What fills a GPU that trains."""
    parts = (
        (say("weights"), sheet["weights_gb"]),
        (say("gradients"), sheet["gradients_gb"]),
        (say("optimizer"), sheet["optimizer_gb"]),
        (say("activations"), max(sheet["first_gb"], sheet["last_gb"])),
    )
    return _bars(
        say("What a GPU that trains holds"),
        "GB",
        say("of a GPU"),
        parts,
        {"label": say("can be used"), "value": sheet["usable_gb"]},
    )


def time(sheet: Sheet) -> dict[str, Any]:
    """Where the seconds of a step go."""
    work = sheet["compute_s"] + sheet["wait_s"]
    parts = (
        (say("compute"), sheet["compute_s"]),
        (say("waiting for traffic"), sheet["wait_s"]),
        (say("bubble"), work / (1 - sheet["bubble"]) - work),
        (say("gradients left exposed"), (1 - sheet["dp_overlap"]) * sheet["dp_s"]),
    )
    return _bars(say("Where a step's time goes"), "s", say("of a step"), parts, None)


def power(sheet: Sheet) -> dict[str, Any]:
    """The site's power from the GPU outwards."""
    parts = (
        (say("GPUs at their TDP"), sheet["tdp_mw"]),
        (say("rest of the nodes"), sheet["nodes_mw"] - sheet["tdp_mw"]),
        (say("network and storage"), sheet["rest_mw"]),
        (say("cooling and losses"), sheet["site_mw"] - sheet["equipment_mw"]),
    )
    return _bars(
        say("The site's greatest draw"),
        "MW",
        say("of the site"),
        parts,
        {"label": say("the grid"), "value": sheet["grid_mw"]},
    )


def _bars(
    title: str, unit: str, row: str, parts: tuple[tuple[str, float], ...], limit: Any
) -> dict[str, Any]:
    pieces = [{"label": label, "value": max(0.0, float(value))} for label, value in parts]
    return {
        "title": title,
        "unit": unit,
        "limit": limit,
        "rows": [{"label": row, "note": "", "parts": pieces}],
    }


def pareto(sheet: Sheet, outcome: Outcome, holds: bool) -> dict[str, Any]:
    """The run's cost against its days: the front that the search found, and this design.

    A design that is late, or breaks another constraint, lies where its figures put it and says so.
    """
    if sheet["days"] > sheet["deadline_days"]:
        mine = say("your design, past the deadline")
    else:
        mine = say("your design") if holds else say("your design, which does not hold")
    return {
        "x": {"label": say("time on the calendar"), "unit": say("days")},
        "y": {"label": say("cost of the run"), "unit": "MUSD"},
        "limit_x": {"label": say("deadline"), "value": sheet["deadline_days"]},
        "front": [
            {"x": one.days, "y": one.cost, "label": _plan(one.design["training"])}
            for one in outcome.front
        ],
        "mine": {"x": sheet["days"], "y": sheet["run_musd"], "label": mine},
    }


def _plan(training: dict[str, Any]) -> str:
    gpus = training["tp"] * training["pp"] * training["cp"] * training["dp"]
    return say(
        "{gpus} GPUs: tp {tp}, pp {pp}, cp {cp}, dp {dp}",
        gpus=gpus,
        tp=training["tp"],
        pp=training["pp"],
        cp=training["cp"],
        dp=training["dp"],
    )
