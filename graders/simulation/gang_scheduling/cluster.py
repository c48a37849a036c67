"""The cluster that jobs are placed on, and the jobs of a trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graders.verdict import JsonObject

# Training steps a round, by what the job's GPUs span.
NODE_SPEED = 10
RACK_SPEED = 8
SPREAD_SPEED = 5
PRIORITIES = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Racks of nodes of GPUs. GPUs are numbered from 0, node by node, rack by rack.

    Attributes
    ----------
    quota : mapping of str to int
        GPUs that the jobs of each team may hold together.
    """

    racks: int
    nodes_per_rack: int
    gpus_per_node: int
    quota: Mapping[str, int]

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Cluster:
        """From a case's input; raises ValueError where it is no such thing."""
        names = {"racks", "nodes_per_rack", "gpus_per_node", "quota"}
        if set(fields) != names:
            raise ValueError(f"cluster must have {sorted(names)}, got {sorted(fields)}")
        made = cls(**fields)
        sizes = (made.racks, made.nodes_per_rack, made.gpus_per_node)
        if not all(type(size) is int and size > 0 for size in (*sizes, *made.quota.values())):
            raise ValueError(f"sizes and quotas must be positive whole numbers, got {fields}")
        return made

    @property
    def gpus(self) -> int:
        return self.racks * self.nodes_per_rack * self.gpus_per_node

    def node_of(self, gpu: int) -> int:
        """Counted over all racks."""
        return gpu // self.gpus_per_node

    def rack_of(self, gpu: int) -> int:
        return gpu // (self.gpus_per_node * self.nodes_per_rack)

    def speed(self, gpus: Iterable[int]) -> int:
        """Steps a round of a job on these GPUs."""
        held = list(gpus)
        if len({self.node_of(gpu) for gpu in held}) == 1:
            return NODE_SPEED
        return RACK_SPEED if len({self.rack_of(gpu) for gpu in held}) == 1 else SPREAD_SPEED

    def to_json(self) -> JsonObject:
        """As a case's input has it."""
        return {
            "racks": self.racks,
            "nodes_per_rack": self.nodes_per_rack,
            "gpus_per_node": self.gpus_per_node,
            "quota": dict(self.quota),
        }


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job of a trace: a gang of `gpus` GPUs that trains for `steps` steps."""

    name: str
    at: int  # the first round in which it can be placed
    team: str
    priority: int
    gpus: int
    steps: int

    @property
    def weight(self) -> int:
        """What a round of its waiting or running counts in the score."""
        return int(2**self.priority)


@dataclass(slots=True)
class Job:
    """A job that has arrived and has not ended.

    Attributes
    ----------
    since : int
        The round in which it arrived, was started or was preempted, whichever came last.
    saved : int
        Steps in its last checkpoint.
    trained : int
        Rounds that it has trained since it was started.
    passed_over : int
        Rounds in a row in which it could have run in place of jobs of lower priority.
    lost_runs : list of (int, int)
        First and last round of each run that ended without a checkpoint and for nobody of a
        higher priority, since its last checkpoint.
    """

    arrival: Arrival
    since: int
    done: int = 0
    saved: int = 0
    gpus: tuple[int, ...] = ()
    trained: int = 0
    started: int = -1  # the round of the last start
    saved_in_run: bool = False
    passed_over: int = 0
    lost_runs: list[tuple[int, int]] = field(default_factory=list)

    @property
    def runs(self) -> bool:
        return bool(self.gpus)

    def to_json(self) -> JsonObject:
        """As a scheduler sees it."""
        arrival = self.arrival
        return {
            "id": arrival.name,
            "team": arrival.team,
            "priority": arrival.priority,
            "gpus": arrival.gpus,
            "steps": arrival.steps,
            "arrival": arrival.at,
            "since": self.since,
            "done": self.done,
            "saved": self.saved,
            "placed": list(self.gpus),
        }


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that has done all its steps by the end of round `end` - 1."""

    arrival: Arrival
    end: int
