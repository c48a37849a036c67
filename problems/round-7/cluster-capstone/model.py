"""Assesses a design of the cluster: its constraints, figures, cost and pictures.

Every figure is a line of a `Sheet`; the modules beside this one hold the lines, by subject, the
rules over them and the search for a cheaper design.
"""

from __future__ import annotations

from typing import Any

import advice
import drawing
import fabric_rules
import operations_rules
import rules
import search
import training_rules
from assembly import given, sheet_of
from sheet import Sheet

from graders.text import say

RULES = (
    *fabric_rules.CABLING,
    *fabric_rules.BILL,
    *training_rules.PLAN,
    *training_rules.SPEED,
    *operations_rules.RUNNING,
    *operations_rules.POWER,
    *operations_rules.SERVING,
)

# Name of a line, what the page calls it.
METRICS = (
    ("switches", say("Switches")),
    ("cables", say("Cables")),
    ("bisection_tb_per_s", say("Bisection")),
    ("pod_gpus", say("GPUs of a pod")),
    ("train_gpus", say("GPUs that train")),
    ("batch_tokens", say("Batch")),
    ("memory_gb", say("Memory of a GPU")),
    ("bubble", say("Pipeline bubble")),
    ("step_s", say("Step")),
    ("mfu", say("MFU")),
    ("mtbf_min", say("Between failures")),
    ("restart_min", say("Restart")),
    ("goodput", say("Goodput")),
    ("days", say("Training on the calendar")),
    ("site_mw", say("Greatest draw of the site")),
    ("energy_gwh", say("Energy of a year")),
    ("capital_musd", say("Capital")),
    ("gpu_hour_usd", say("An hour of a GPU")),
    ("itl_ms", say("Between two tokens")),
    ("decode_tokens", say("Tokens written")),
    ("token_price", say("A million tokens")),
)


def assess(design: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Everything the grader wants to know; see graders/design/README.md for the keys."""
    constants = given(parameters)
    sheet = sheet_of(design, constants)
    constraints = rules.judge(sheet, RULES)
    held = {one["name"] for one in constraints if one["holds"]}
    pictures = _pictures(design, sheet, held)
    said: dict[str, Any] = {
        "constraints": constraints,
        "metrics": _metrics(sheet),
        "cost": None,
        "best": None,
        "better": None,
        "rubric": _levels(sheet, held),
        "pictures": pictures,
    }
    if len(held) == len(RULES):
        outcome = search.search(constants)
        cost = sheet["run_musd"]
        said["cost"] = {"label": say("The training run's cost"), "value": cost, "unit": "MUSD"}
        said["best"] = min(outcome.best.cost, cost)
        said["better"] = advice.better(design, cost, outcome, constants)
        said["pictures"] = {"pareto": drawing.pareto(sheet, outcome), **pictures}
    return said


def _metrics(sheet: Sheet) -> list[dict[str, Any]]:
    """Figures of the design; those that a broken one has not are left out."""
    found = []
    for name, label in METRICS:
        try:
            value = float(sheet[name])
        except ZeroDivisionError:
            continue
        if value > 0:
            unit = sheet.lines[name].unit
            shown = value if value.is_integer() else float(f"{value:.4g}")
            found.append({"name": name, "label": label, "value": shown, "unit": unit})
    return found


def _pictures(design: dict[str, Any], sheet: Sheet, held: set[str]) -> dict[str, Any]:
    pictures: dict[str, Any] = {}
    if held.issuperset(rule.name for rule in fabric_rules.CABLING):
        pictures["cluster"] = drawing.cluster(design, sheet)
    charts = []
    if held >= {"plan_divides", "zero_and_pipeline"}:
        charts.append(drawing.memory(sheet))
    if held >= {"plan_divides", "zero_and_pipeline", "placement", "tensor_inside_node"}:
        charts.append(drawing.time(sheet))
    if "cluster" in pictures:
        charts.append(drawing.power(sheet))
    if charts:
        pictures["bars"] = {"charts": charts}
    return pictures


def _levels(sheet: Sheet, held: set[str]) -> list[dict[str, Any]]:
    """Levels of the rubric that arithmetic can give."""
    claims = [rule.name for rule in RULES if rule.name.startswith("claim_")]
    right = sum(name in held for name in claims)
    level = 2 if right == len(claims) else 1 if 2 * right >= len(claims) else 0
    levels = [
        {
            "name": "Arithmetic",
            "level": level,
            "why": say(
                "{right} of {total} figures that you state are right.",
                right=right,
                total=len(claims),
            ),
        }
    ]
    if {"memory", "claim_mfu"} <= held:
        mfu = sheet["mfu"]
        levels.append(
            {
                "name": "Utilisation",
                "level": 2 if mfu >= 44 else 1 if mfu >= 38 else 0,
                "why": say(
                    "Your plan reaches {mfu:.1f} % MFU; Llama 3 reached 38 to 43 %.",
                    mfu=float(mfu),
                ),
            }
        )
    return levels
