"""The scale-out network as lines: ports, switches, cables and bandwidth of planes of a Clos.

A plane is a network of its own; planes are alike, and figures are of one plane unless they say
otherwise. With one pod there is no core.

References
----------
.. [1] Al-Fares et al., "A scalable, commodity data center network architecture", SIGCOMM 2008:
   k^3/4 hosts in three tiers of switches with k ports.
.. [2] Grattafiori et al., "The Llama 3 Herd of Models": pods of 3,072 GPUs, 1:7 between them.
"""

from __future__ import annotations

from sheet import Line

from graders.text import say

LINES = {
    "gpus": Line(say("of the site"), "8 * nodes", say("GPUs")),
    "plane_nics": Line(
        say("network cards that each plane must connect"), "gpus / planes", say("ports")
    ),
    "leaf_ports": Line(say("used on a leaf"), "leaf_down + leaf_up", say("ports")),
    "trunk": Line(
        say("cables from each leaf to each spine of its pod"),
        "leaf_up / spines_per_pod",
        say("cables"),
    ),
    "spine_down": Line(say("of a spine towards leaves"), "leaves_per_pod * trunk", say("ports")),
    "spine_ports": Line(say("used on a spine"), "spine_down + spine_up", say("ports")),
    "pod_uplinks": Line(
        say("cables from a pod to the core"), "spines_per_pod * spine_up", say("cables")
    ),
    "core_trunk": Line(
        say("cables from each pod to each core switch"), "pod_uplinks / cores", say("cables")
    ),
    "core_ports": Line(say("used on a core switch"), "pods * core_trunk", say("ports")),
    "fat_tree_limit": Line(
        say("endpoints of a full three-tier fat tree"), "radix ** 3 / 4", say("ports")
    ),
    "plane_endpoints": Line(
        say("ports for network cards in a plane"),
        "pods * leaves_per_pod * leaf_down",
        say("ports"),
    ),
    "switches": Line(
        say("of all planes"),
        "planes * (pods * (leaves_per_pod + spines_per_pod) + cores)",
        say("switches"),
    ),
    "node_cables": Line(say("from network cards to leaves"), "8 * nodes", say("cables")),
    "leaf_cables": Line(
        say("from leaves to spines"), "planes * pods * leaves_per_pod * leaf_up", say("cables")
    ),
    "core_cables": Line(
        say("from spines to the core"), "planes * pods * spines_per_pod * spine_up", say("cables")
    ),
    "cables": Line(say("in all"), "node_cables + leaf_cables + core_cables", say("cables")),
    "leaf_share": Line(say("uplinks over downlinks of a leaf"), "min(1, leaf_up / leaf_down)", ""),
    "bisection_tb_per_s": Line(
        say("half of the GPUs to the other half, 0.4 Tbit/s each"),
        "gpus / 2 * 0.4 * leaf_share * spine_share",
        "Tbit/s",
    ),
    "pod_gpus": Line(
        say("whose cards share a pod, in all planes"),
        "planes * leaves_per_pod * leaf_down",
        say("GPUs"),
    ),
    "pod_gb_per_s": Line(
        say("a GPU inside its pod"), "nic_gb_per_s * routing_share * leaf_share", "GB/s"
    ),
    "cross_gb_per_s": Line(say("a GPU from pod to pod"), "pod_gb_per_s * spine_share", "GB/s"),
}

MANY_PODS = {
    "spine_share": Line(
        say("uplinks over downlinks of a spine"), "min(1, spine_up / spine_down)", ""
    )
}
ONE_POD = {
    "spine_share": Line(say("one pod, so nothing leaves it"), "1", ""),
    "core_trunk": Line(say("there is no core"), "0", say("cables")),
}


def lines(pods: float) -> dict[str, Line]:
    """The network's lines."""
    return LINES | (ONE_POD if pods == 1 else MANY_PODS)
