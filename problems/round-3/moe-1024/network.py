"""Which links a group of ranks uses, and how long its traffic takes there.

Ranks are numbered with the first dimension of `order` running fastest, GPUs node by node and nodes
pod by pod. So a dimension repeats every `stride` ranks, and how much of it lies inside a node or a
pod follows from that alone. All sizes are powers of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LEVELS = ("node", "pod", "spine")
Numbers = Any


@dataclass(frozen=True)
class Spread:
    """How many ranks of a group share a node, share a pod, and are there at all."""

    node: Numbers
    pod: Numbers
    size: Numbers

    def __mul__(self, other: Spread) -> Spread:
        """The group of all combinations of two groups."""
        return Spread(self.node * other.node, self.pod * other.pod, self.size * other.size)

    @property
    def level(self) -> Numbers:
        """The outermost level that the group uses: an index into `LEVELS`."""
        return np.where(self.size == self.node, 0, np.where(self.size == self.pod, 1, 2))


def spread(
    order: Sequence[str], sizes: dict[str, int], cluster: dict[str, Any]
) -> dict[str, Spread]:
    """The spread of each dimension of `order`; the sizes' product is the number of GPUs."""
    in_node, in_pod = cluster["gpus_per_node"], cluster["gpus_per_pod"]
    found, stride = {}, 1
    for name in order:
        size = sizes[name]
        node = min(max(in_node // stride, 1), size)
        found[name] = Spread(node, min(max(in_pod // stride, 1), size), size)
        stride *= size
    return found


def strides(order: Sequence[str], sizes: dict[str, int]) -> dict[str, int]:
    """Every how many ranks each dimension repeats."""
    found, stride = {}, 1
    for name in order:
        found[name] = stride
        stride *= sizes[name]
    return found


def rates(cluster: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Bytes a second that a GPU sends on each level, in one direction."""
    names = ("nvlink_gb_per_s", "pod_gb_per_s", "spine_gb_per_s")
    return np.array([cluster[name] * 1e9 for name in names])


def collective(total: Numbers, over: Spread) -> np.ndarray[Any, Any]:
    """Bytes sent on each level by an all-gather or reduce-scatter of `total` bytes, inside out.

    First among the ranks of a node, then with what is left of the data among nodes of a pod, then
    among pods: together (n-1)/n of `total`, as on a ring.
    """
    parts = (1 - 1 / over.node, 1 / over.node - 1 / over.pod, 1 / over.pod - 1 / over.size)
    return np.array([total * part for part in parts])


def all_to_all(total: Numbers, over: Spread) -> np.ndarray[Any, Any]:
    """Bytes sent on each level by an all-to-all of `total` bytes, an n-th to each other rank."""
    parts = (over.node - 1, over.pod - over.node, over.size - over.pod)
    return np.array([total * part / over.size for part in parts])


def one_link(total: Numbers, over: Spread) -> np.ndarray[Any, Any]:
    """Bytes between neighbours, all charged to the slowest link that the group uses."""
    return np.array([np.where(over.level == index, total, 0.0) for index in range(len(LEVELS))])


def seconds(sent: np.ndarray[Any, Any], cluster: dict[str, Any]) -> Numbers:
    """Time of bytes by level, one level after the other."""
    return np.tensordot(1 / rates(cluster), sent, axes=1)
