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

# What the page calls a line, and the constraints that must hold before it means anything.
CABLED = fabric_rules.CABLED
STEP = training_rules.STEP
DRAINS = ("checkpoint_drains",)
PRICED = (*CABLED, *DRAINS)  # what the run costs, and how long it takes
OBEYED = {rule.name for rule in search.WITHOUT_CLAIMS}  # all but what is stated about the design
METRICS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("switches", say("Switches"), CABLED),
    ("cables", say("Cables"), CABLED),
    ("bisection_tb_per_s", say("Bisection"), CABLED),
    ("pod_gpus", say("GPUs of a pod"), CABLED),
    ("train_gpus", say("GPUs that train"), ()),
    ("batch_tokens", say("Batch"), ()),
    ("memory_gb", say("Memory of a GPU"), ("plan_divides", "zero_and_pipeline")),
    ("bubble", say("Pipeline bubble"), ()),
    ("step_s", say("Step"), STEP),
    ("mfu", say("MFU"), STEP),
    ("mtbf_min", say("Between failures"), ()),
    ("restart_min", say("Restart"), STEP),
    ("goodput", say("Goodput"), DRAINS),
    ("days", say("Training on the calendar"), DRAINS),
    ("site_mw", say("Greatest draw of the site"), CABLED),
    ("energy_gwh", say("Energy of a year"), CABLED),
    ("capital_musd", say("Capital"), CABLED),
    ("gpu_hour_usd", say("An hour of a GPU"), CABLED),
    ("itl_ms", say("Between two tokens"), ()),
    ("decode_tokens", say("Tokens written"), ()),
    ("token_price", say("A million tokens"), CABLED),
)


def assess(design: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Everything the grader wants to know; see graders/design/README.md for the keys."""
    constants = given(parameters)
    sheet = sheet_of(design, constants)
    constraints = rules.judge(sheet, RULES)
    held = {one["name"] for one in constraints if one["holds"]}
    # A run that is late or misstated is on the plane of cost and days all the same.
    outcome = search.search(constants) if held.issuperset(PRICED) else None
    pictures = {} if outcome is None else {"pareto": drawing.pareto(sheet, outcome, held >= OBEYED)}
    pictures |= _pictures(design, sheet, held)
    said: dict[str, Any] = {
        "constraints": constraints,
        "metrics": _metrics(sheet, held),
        "cost": None,
        "best": None,
        "better": None,
        "rubric": _levels(sheet, held),
        "pictures": pictures,
    }
    if outcome is not None and len(held) == len(RULES):
        cost = sheet["run_musd"]
        said["cost"] = {"label": say("The training run's cost"), "value": cost, "unit": "MUSD"}
        said["best"] = min(outcome.best.cost, cost)
        said["better"] = advice.better(design, cost, outcome, constants)
    return said


def _metrics(sheet: Sheet, held: set[str]) -> list[dict[str, Any]]:
    """Figures of the design, to four digits or whole; those that a broken one has not are not."""
    found = []
    for name, label, needs in METRICS:
        if held.issuperset(needs):
            value = float(sheet[name])
            shown = value if value.is_integer() else float(f"{value:.4g}")
            unit = sheet.lines[name].unit
            found.append({"name": name, "label": label, "value": shown, "unit": unit})
    return found


def _pictures(design: dict[str, Any], sheet: Sheet, held: set[str]) -> dict[str, Any]:
    pictures: dict[str, Any] = {}
    if held.issuperset(CABLED):
        pictures["cluster"] = drawing.cluster(design, sheet)
    charts = []
    if held >= {"plan_divides", "zero_and_pipeline"}:
        charts.append(drawing.memory(sheet))
    if held.issuperset(STEP):
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
