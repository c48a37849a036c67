"""Constraints on the network: ports, switches, cables and bisection must balance."""

from __future__ import annotations

from rules import Rule, claim
from sheet import Sheet

from graders.text import say


def _core_is_even(sheet: Sheet) -> bool:
    if sheet["pods"] == 1:
        return sheet["cores"] == 0 and sheet["spine_up"] == 0
    return (
        sheet["cores"] >= 1
        and sheet["spine_up"] >= 1
        and sheet["pod_uplinks"] % sheet["cores"] == 0
    )


def _about_core(sheet: Sheet) -> str:
    if sheet["pods"] == 1:
        return say(
            "one pod has nothing above its spines; you have {cores} core switches and {up} uplinks "
            "a spine; set cores and spine_up to 0, or build several pods",
            cores=int(sheet["cores"]),
            up=int(sheet["spine_up"]),
        )
    return say(
        "several pods meet in a core, and each pod has the same number of cables to every core "
        "switch; {uplinks} uplinks of a pod do not spread over {cores} core switches; choose a "
        "number of core switches that divides them",
        uplinks=int(sheet["pod_uplinks"]),
        cores=int(sheet["cores"]),
    )


def _about_reach(sheet: Sheet) -> str:
    if sheet["leaf_share"] == sheet["spine_share"] == 1 and sheet["core_trunk"] == 1:
        return say(
            "a three-tier tree without oversubscription ends at k^3/4 endpoints: with {radix} "
            "ports that is {limit:,}, and {pods} pods need {ports} ports on every core switch; "
            "take wider switches, several planes or an oversubscribed core",
            radix=int(sheet["radix"]),
            limit=int(sheet["fat_tree_limit"]),
            pods=int(sheet["pods"]),
            ports=int(sheet["core_ports"]),
        )
    return say(
        "a core switch reaches every pod, and has {radix} ports; {pods} pods with {trunk} cables "
        "each need {ports}; take fewer uplinks a pod, more core switches, larger pods or wider "
        "switches",
        radix=int(sheet["radix"]),
        pods=int(sheet["pods"]),
        trunk=int(sheet["core_trunk"]),
        ports=int(sheet["core_ports"]),
    )


CABLING = (
    Rule(
        "rails",
        say("The 8 cards of a node spread evenly over the planes."),
        ("plane_nics",),
        lambda sheet: 8 % sheet["planes"] == 0,
        lambda sheet: say(
            "the 8 cards of a node spread evenly over the planes; {planes} planes do not divide 8; "
            "take 1, 2, 4 or 8",
            planes=int(sheet["planes"]),
        ),
    ),
    Rule(
        "leaf_ports",
        say("A leaf has ports for its nodes and its uplinks."),
        ("leaf_ports",),
        lambda sheet: sheet["leaf_ports"] <= sheet["radix"],
        lambda sheet: say(
            "a leaf has {radix} ports; {down} down and {up} up are {used}; take some away",
            radix=int(sheet["radix"]),
            down=int(sheet["leaf_down"]),
            up=int(sheet["leaf_up"]),
            used=int(sheet["leaf_ports"]),
        ),
    ),
    Rule(
        "leaf_spread",
        say("A leaf has the same number of cables to every spine of its pod."),
        ("trunk",),
        lambda sheet: sheet["leaf_up"] % sheet["spines_per_pod"] == 0,
        lambda sheet: say(
            "each leaf has the same number of cables to every spine of its pod, one at least; {up} "
            "uplinks do not spread over {spines} spines; choose a number of spines that divides "
            "them",
            up=int(sheet["leaf_up"]),
            spines=int(sheet["spines_per_pod"]),
        ),
    ),
    Rule(
        "spine_ports",
        say("A spine has ports for every leaf of its pod and its uplinks."),
        ("trunk", "spine_down", "spine_ports"),
        lambda sheet: sheet["spine_ports"] <= sheet["radix"],
        lambda sheet: say(
            "a spine has {radix} ports; {leaves} leaves take {down} and its uplinks {up}, which is "
            "{used}; build smaller pods, more spines or fewer uplinks",
            radix=int(sheet["radix"]),
            leaves=int(sheet["leaves_per_pod"]),
            down=int(sheet["spine_down"]),
            up=int(sheet["spine_up"]),
            used=int(sheet["spine_ports"]),
        ),
        ("leaf_spread",),
    ),
    Rule(
        "core_spread",
        say("A pod has the same number of cables to every core switch; one pod needs none."),
        ("pod_uplinks",),
        _core_is_even,
        _about_core,
    ),
    Rule(
        "core_ports",
        say("A core switch has ports for every pod."),
        ("pod_uplinks", "core_trunk", "fat_tree_limit", "core_ports"),
        lambda sheet: sheet["pods"] == 1 or sheet["core_ports"] <= sheet["radix"],
        _about_reach,
        ("core_spread",),
    ),
    Rule(
        "endpoints",
        say("Every network card has a port in its plane."),
        ("gpus", "plane_nics", "plane_endpoints"),
        lambda sheet: sheet["plane_endpoints"] >= sheet["plane_nics"],
        lambda sheet: say(
            "every network card needs a port; a plane has {cards:,} cards and {ports:,} ports; add "
            "pods or leaves",
            cards=int(-(-sheet["plane_nics"] // 1)),
            ports=int(sheet["plane_endpoints"]),
        ),
    ),
)

CABLED = tuple(rule.name for rule in CABLING)  # what bandwidths and bills rest on


def _exactly(name: str, shows: tuple[str, ...]) -> Rule:
    claimed = f"claimed_{name}"
    return Rule(
        f"claim_{name}",
        say("The bill of {name} is exact.", name=name),
        shows,
        lambda sheet: sheet[claimed] == sheet[name],
        lambda sheet: say(
            "the bill of {name} must be exact; you order {claimed:,}, and the design needs "
            "{right:,}; count every tier of every plane",
            name=name,
            claimed=int(sheet[claimed]),
            right=int(sheet[name]),
        ),
        CABLED,
    )


BILL = (
    _exactly("switches", ("switches",)),
    _exactly("cables", ("node_cables", "leaf_cables", "core_cables", "cables")),
    claim(
        "bisection",
        "bisection_tb_per_s",
        ("leaf_share", "spine_share", "bisection_tb_per_s"),
        CABLED,
    ),
)
