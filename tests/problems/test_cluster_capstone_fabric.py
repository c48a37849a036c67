"""The capstone's network against NVIDIA's, Llama 3's and the limit of three tiers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.problems.capstone_package import (
    PACKAGE,
    REFERENCE,
    ROOT,
    changed,
    design_of,
    failing,
    sheet_of,
)


def spines_needed(leaves: int) -> int:
    """The fewest spines of 64 ports that leaves with 32 uplinks can be cabled to."""
    rules = {rule.name: rule for rule in PACKAGE.fabric_rules.CABLING}
    for spines in range(1, 65):
        sheet = sheet_of(
            changed(
                fabric={
                    "leaves_per_pod": leaves,
                    "spines_per_pod": spines,
                    "spine_up": 0,
                    "pods": 1,
                    "cores": 0,
                    "planes": 1,
                }
            )
        )
        if rules["leaf_spread"].holds(sheet) and rules["spine_ports"].holds(sheet):
            return spines
    raise AssertionError(leaves)


@pytest.mark.parametrize(("leaves", "spines"), [(8, 4), (16, 8), (24, 16), (32, 16), (64, 32)])
def test_leaves_and_spines_are_those_of_nvidias_superpods(leaves: int, spines: int) -> None:
    assert spines_needed(leaves) == spines


@pytest.mark.parametrize(("nodes", "cables"), [(31, 252), (63, 508), (95, 764), (127, 1020)])
def test_node_cables_are_those_of_nvidias_superpods(nodes: int, cables: int) -> None:
    fabric_managers = 4  # cables of the two servers that manage the fabric
    assert sheet_of(REFERENCE, nodes=nodes)["node_cables"] + fabric_managers == cables


def test_a_pod_of_llama_3_has_3072_gpus_and_a_seventh_of_the_bandwidth_above() -> None:
    sheet = sheet_of(
        changed(
            fabric={
                "planes": 1,
                "leaf_down": 16,  # the GPUs of a rack
                "leaf_up": 16,
                "leaves_per_pod": 192,
                "spines_per_pod": 16,
                "spine_up": 27,
                "pods": 8,
                "cores": 16,
            }
        )
    )
    assert sheet["pod_gpus"] == 3072
    assert sheet["plane_endpoints"] == 24_576
    assert sheet["spine_share"] == pytest.approx(1 / 7, rel=0.02)  # 192 over 27 ports, a whole one


def full_tree(pods: int) -> dict[str, Any]:
    return changed(
        fabric={
            "planes": 1,
            "leaves_per_pod": 32,
            "spines_per_pod": 32,
            "spine_up": 32,
            "pods": pods,
            "cores": 1024,
        }
    )


def test_three_full_tiers_of_64_ports_end_at_65536() -> None:
    assert "core_ports" not in failing(full_tree(64), nodes=65_536 / 8)
    assert "endpoints" not in failing(full_tree(64), nodes=65_536 / 8)
    assert "endpoints" in failing(full_tree(64), nodes=65_544 / 8)
    assert "core_ports" in failing(full_tree(65), nodes=65_544 / 8)
    assert sheet_of(full_tree(64))["fat_tree_limit"] == sheet_of(full_tree(64))["plane_endpoints"]


def test_the_editorials_table_of_fabrics_is_what_the_designs_give() -> None:
    rows = re.findall(
        r"^\| .* \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) Tbit/s \| \$([\d.]+)",
        (ROOT / "editorial.md").read_text(),
        re.MULTILINE,
    )
    designs = (
        "reference.yaml",
        "submissions/accepted/one_full_fat_tree.yaml",
        "submissions/wrong_answer/two_tier_rails.yaml",
    )
    for row, path in zip(rows, designs, strict=True):
        sheet = sheet_of(design_of(path))
        switches, cables, bisection, price = (float(one.replace(",", "")) for one in row)
        assert (switches, cables) == (sheet["switches"], sheet["cables"])
        assert bisection == pytest.approx(sheet["bisection_tb_per_s"], abs=0.5)
        assert price == pytest.approx(sheet["gpu_hour_usd"], abs=0.005)


PODS = [
    # A replica of 512 GPUs in pods of 14,336: 28 a pod, 146 in six.
    ("replicas_in_pods", {"pods": 6}, {}, 8 * 6 * 56 * 32, True),
    ("replicas_in_pods", {"pods": 5, "cores": 64}, {}, 8 * 5 * 56 * 32, False),
    # A stage of 4,672 GPUs: three a pod, 16 in six.
    ("stages_in_pods", {"pods": 6}, {}, 8 * 6 * 56 * 32, True),
    ("stages_in_pods", {"pods": 5, "cores": 64}, {}, 8 * 5 * 56 * 32, False),
    # In pods of 1,024 each replica of 640 GPUs has a pod of its own.
    ("replicas_in_pods", {"leaves_per_pod": 4, "pods": 98}, {"pp": 20, "dp": 98}, 100_000, True),
    ("replicas_in_pods", {"leaves_per_pod": 4, "pods": 98}, {"pp": 20, "dp": 99}, 100_000, False),
]


@pytest.mark.parametrize(("placement", "fabric", "plan", "gpus", "holds"), PODS)
def test_a_plan_that_finds_no_pod_is_refused(
    placement: str, fabric: dict[str, Any], plan: dict[str, Any], gpus: int, holds: bool
) -> None:
    design = changed(training={"placement": placement, **plan}, fabric=fabric)
    rules = {rule.name: rule for rule in PACKAGE.training_rules.PLAN}
    sheet = sheet_of(design, nodes=gpus / 8)
    assert rules["placement"].holds(sheet)
    assert rules["pods"].holds(sheet) is holds
    if not holds:
        assert "and the fabric has" in rules["pods"].message(sheet)


def test_no_design_on_the_front_lacks_a_pod() -> None:
    for found in PACKAGE.search.search(PACKAGE.givens.VALUES).front:
        fabric, plan = found.design["fabric"], found.design["training"]
        pod = fabric["planes"] * fabric["leaves_per_pod"] * fabric["leaf_down"]
        count, whole = plan["dp"], plan["tp"] * plan["cp"] * plan["pp"]
        if plan["placement"] == "stages_in_pods":
            count, whole = plan["pp"], plan["tp"] * plan["cp"] * plan["dp"]
        assert fabric["pods"] * (pod // whole) >= count
