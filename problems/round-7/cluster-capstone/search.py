"""The cheapest run that we find, and the front of cost against days that leads there.

Every knob whose best value follows from the others is solved for (heartbeat, spares, period,
stores, replicas); the fabric and the parallel plan are searched, one after the other, until neither
helps. The result is a good design and no proof of the best: a candidate who beats it is believed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import economics
import training
from assembly import Design, sheet_of
from fabric_rules import CABLING
from operations_rules import POWER, RUNNING, SERVING
from rules import Rule, all_hold
from sheet import Sheet
from training_rules import PLAN

# Everything that holds of a design; what a candidate states about it is another matter.
WITHOUT_CLAIMS: tuple[Rule, ...] = tuple(
    rule
    for rule in (*CABLING, *PLAN, *RUNNING, *POWER, *SERVING)
    if not rule.name.startswith("claim_") and rule.name != "power_is_not_tdp"
)
_ANY_DAYS = tuple(rule for rule in WITHOUT_CLAIMS if rule.name != "deadline")
_PLAN_ALONE = tuple(rule for rule in PLAN if rule.name not in {"placement", "pods", "nodes"})

PIPELINES = (8, 10, 16, 20, 32, 40)
CONTEXTS = (2, 4, 8)  # one rank a sequence is never on the front: see the editorial
PARTS = 12  # of the free GPUs, in which training sizes are tried
LONGEST = 1.4  # how far past the deadline the front is drawn
SLOWEST_DAYS = 60.0  # and a first fabric may be this slow, though the deadline is near


class Found(NamedTuple):
    """A design that holds, with its days and the cost of its run in millions of dollars."""

    days: float
    cost: float
    design: Design


class Outcome(NamedTuple):
    """The cheapest design of the search, and those that no other beats in days and cost."""

    best: Found
    front: tuple[Found, ...]


def search(constants: dict[str, float]) -> Outcome:
    """The outcome for these constants; the same one is not searched twice.

    Raises
    ------
    ValueError
        If nothing that holds was found: then the constants ask for the impossible.
    """
    return _search(tuple(sorted(constants.items())))


@lru_cache(maxsize=4)
def _search(items: tuple[tuple[str, float], ...]) -> Outcome:
    constants = dict(items)
    design = _start(constants)
    best: Found | None = None
    found: list[Found] = []
    for _ in range(4):
        found = list(_plans(design, constants))
        planned = _cheapest(found, constants)
        cheapest = _cheapest([planned, *_sites(planned.design, constants)], constants)
        if best is not None and _cheapest([best, cheapest], constants) is best:
            break
        best, design = cheapest, cheapest.design
        if cheapest is planned:
            break  # the site stays, so the next round's plans would be these
    assert best is not None  # the first round set it
    if best.days > constants["deadline_days"]:
        raise ValueError("no design holds under these constants")
    return Outcome(best, _front([*found, best]))


def _cheapest(found: list[Found], constants: dict[str, float]) -> Found:
    """The cheapest that is in time, or the one that is least late.

    Raises
    ------
    ValueError
        If nothing was found at all.
    """
    if not found:
        raise ValueError("no design holds under these constants")
    deadline_days = constants["deadline_days"]
    return min(found, key=lambda one: (max(0.0, one.days - deadline_days), one.cost))


def _front(found: list[Found]) -> tuple[Found, ...]:
    """Those that are cheaper than every faster one, from fast to slow."""
    front: list[Found] = []
    for one in sorted(found, key=lambda one: (one.days, one.cost)):
        if not front or one.cost < front[-1].cost:
            front.append(one)
    return tuple(front)


def _start(constants: dict[str, float]) -> Design:
    """A design to begin with: its fabric and plan are searched, everything else is solved for."""
    fabric = next(_fabrics(constants))
    return {
        "fabric": fabric,
        "training": {
            "tp": 8, "pp": 20, "virtual_pp": 8, "dp": 512, "cp": 1, "micro_batch": 1,
            "micro_batches": 8, "zero_stage": 1, "gradients": "bf16", "sequence_parallel": True,
            "recompute": "selective", "placement": "replicas_in_pods",
        },
        "resilience": {
            "heartbeat": 10, "spare_nodes": 100, "checkpoint": "asynchronous", "period": 5.0,
            "restore": "one_reads_and_sends",
        },
        "storage": {"storage_servers": 2000, "checkpoints_kept": 50, "loader": "one_rank_reads"},
        "monitoring": {"series_a_gpu": 50, "metric_stores": 1},
        "power": {"cooling": "air", "contract": constants["grid_mw"]},
        "serving": _serving(constants),
        "claims": {},
    }  # fmt: skip


# Plans


def _plans(design: Design, constants: dict[str, float]) -> Iterator[Found]:
    """Designs that differ in their parallel plan alone, and in what follows from it."""
    free = _free_gpus(design, constants)
    longest = max(LONGEST * constants["deadline_days"], SLOWEST_DAYS)
    for pp, cp in itertools.product(PIPELINES, CONTEXTS):
        a_stage = int(constants["layers"]) // pp
        for virtual_pp in [one for one in range(a_stage, 0, -1) if a_stage % one == 0][:2]:
            shape = {"pp": pp, "cp": cp, "virtual_pp": virtual_pp}
            replica = design["training"]["tp"] * pp * cp
            for dp in sorted({free * part // (PARTS * replica) for part in range(2, PARTS + 1)}):
                shape["dp"] = dp
                plan = _with_most_micro_batches(design, design["training"] | shape, constants)
                one = _finished({**design, "training": plan}, constants) if plan else None
                if one is not None and one.days <= longest:
                    yield one


def _free_gpus(design: Design, constants: dict[str, float]) -> int:
    serving = design["serving"]
    taken = design["resilience"]["spare_nodes"] + serving["prefill_nodes"]
    taken += serving["decode_replicas"] * serving["nodes_a_replica"]
    return int((constants["nodes"] - taken) * 8)


def _with_most_micro_batches(
    design: Design, plan: dict[str, Any], constants: dict[str, float]
) -> dict[str, Any] | None:
    """The plan with as many micro-batches as batch and memory allow: they shrink the bubble."""
    if not plan["dp"]:
        return None
    a_batch = plan["dp"] * plan["micro_batch"] * constants["seq_len"]

    def fits(count: int) -> bool:
        some = {**design, "training": plan | {"micro_batches": count}}
        return all_hold(sheet_of(some, constants), _PLAN_ALONE)

    most = int(constants["batch_limit"] // a_batch)
    if most < 1:
        return None
    if not fits(most):
        if not fits(1):
            return None
        # From `saturated` on no more micro-batches are in flight; below, fewer take less memory.
        saturated = plan["pp"] + (plan["pp"] - 1) // plan["virtual_pp"]
        too_many, most = min(most, saturated), 1
        while too_many - most > 1:
            middle = (most + too_many) // 2
            most, too_many = (middle, too_many) if fits(middle) else (most, middle)
    return plan | {"micro_batches": most}


def _finished(design: Design, constants: dict[str, float]) -> Found | None:
    """The design with all solved for that follows from the rest; None if it breaks a rule."""
    sheet = sheet_of(design, constants)
    if not all_hold(sheet, CABLING) or not sheet["copies_here"]:
        return None
    heartbeat = max(1, math.ceil(2 * sheet["step_s"] / 3))
    samples = sheet["gpus"] * sheet["series_a_gpu"] / heartbeat
    spares = math.ceil(sheet["spares_needed"])
    resilience = {**design["resilience"], "heartbeat": heartbeat, "spare_nodes": spares}
    stores = math.ceil(samples / constants["samples_a_store"])
    monitoring = {**design["monitoring"], "metric_stores": stores}
    design = {**design, "resilience": resilience, "monitoring": monitoring}
    sheet = sheet_of(design, constants)
    resilience["period"] = _period_min(sheet)
    design["power"] = {**design["power"], "contract": math.ceil(10 * sheet["site_mw"]) / 10}
    sheet = sheet_of(design, constants)
    if not all_hold(sheet, _ANY_DAYS):  # the front goes on past the deadline
        return None
    return Found(sheet["days"], sheet["run_musd"], design)


def _period_min(sheet: Sheet) -> float:
    """The period with the best goodput, in tenths of minutes; over the time that a write takes.

    With progress (T - C) / (T + T/M (T/2 + L + R)) the derivative is zero at
    T = C + sqrt(C^2 + 2 C (M + L + R)).
    """
    blocked = sheet["blocked_s"] / 60
    wait = sheet["mtbf_min"] + sheet["lag_min"] + sheet["restart_min"]
    best = blocked + math.sqrt(blocked**2 + 2 * blocked * wait)
    return max(math.ceil(10 * best), math.floor(10 * sheet["write_min"]) + 1) / 10


# Fabrics and the rest of the site


def _sites(design: Design, constants: dict[str, float]) -> Iterator[Found]:
    """Designs that differ in one thing around the GPUs: fabric, routing, cooling, storage."""
    for fabric in _fabrics(constants):
        for placement in ("replicas_in_pods", "stages_in_pods")[: fabric["pods"]]:
            plan = {**design["training"], "placement": placement}
            one = _finished({**design, "fabric": fabric, "training": plan}, constants)
            if one:
                yield one
    for cooling in ("air", "liquid"):
        for servers in (700, 1000, 1500, 2000, 3000, 4500):
            storage = {**design["storage"], "storage_servers": servers}
            power = {**design["power"], "cooling": cooling}
            one = _finished({**design, "storage": storage, "power": power}, constants)
            if one:
                yield one


def _fabrics(constants: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Cabled fabrics for all cards: planes, leaves and spines more or less oversubscribed."""
    cards = 8 * constants["nodes"]
    for radix in (64, 128):
        for planes in (1, 2, 4, 8):
            a_plane = math.ceil(cards / planes)
            for leaf_up in (radix // 2, radix // 4):
                for spine_up in (0, radix // 16, radix // 8, radix // 4, radix // 2):
                    shape = _shape(radix, a_plane, leaf_up, spine_up)
                    if shape is None:
                        continue
                    for routing in ("adaptive", "ecmp"):
                        wires = {"switch": f"ports_{radix}", "planes": planes}
                        yield {"routing": routing, **wires, **shape}


def _shape(radix: int, cards: int, leaf_up: int, spine_up: int) -> dict[str, int] | None:
    """Leaves, spines, pods and core of one plane; None if its cards cannot be reached."""
    leaf_down, leaves = radix - leaf_up, radix - spine_up
    if spine_up == 0:
        leaves = math.ceil(cards / leaf_down)
        if leaves > radix:
            return None
    pods = math.ceil(cards / (leaf_down * leaves))
    uplinks, cores = leaf_up * spine_up, 0
    if pods > 1:
        trunks = [one for one in range(1, radix // pods + 1) if uplinks % one == 0]
        if not trunks or not uplinks:
            return None
        cores = uplinks // trunks[-1]
    elif spine_up:
        return None
    return {
        "leaf_down": leaf_down, "leaf_up": leaf_up, "leaves_per_pod": leaves,
        "spines_per_pod": leaf_up, "spine_up": spine_up, "pods": pods, "cores": cores,
    }  # fmt: skip


# Serving


def _serving(constants: dict[str, float]) -> dict[str, Any]:
    """The cheapest fleet: fp8, the largest batch for each size of replica, then as few as do."""
    best: dict[str, Any] = {}
    fewest = math.inf
    for nodes in range(2, 17):
        serving = {
            "weights": "fp8", "kv_cache": "fp8", "nodes_a_replica": nodes, "batch": 1,
            "decode_replicas": 1, "prefill_nodes": nodes,
        }  # fmt: skip
        sheet = _serving_sheet(serving, constants)
        room = (sheet["replica_hbm_gb"] - sheet["served_gb"]) / sheet["sequence_gb"]
        hops_ms = 2 * constants["layers"] * constants["hop_ms"]
        read = (constants["itl_limit_ms"] - hops_ms) * 8 * constants["hbm_tb_per_s"]
        quick = (read * constants["hbm_share"] - sheet["served_gb"]) / sheet["sequence_gb"] * nodes
        serving["batch"] = math.floor(min(room, quick))
        if serving["batch"] < 1:
            continue
        sheet = _serving_sheet(serving, constants)
        serving["decode_replicas"] = math.ceil(constants["peak_tokens"] / sheet["decode_tokens"])
        a_replica = sheet["prefill_tokens"]  # of one, as long as a decode replica
        serving["prefill_nodes"] = nodes * math.ceil(constants["prompt_tokens"] / a_replica)
        total = _serving_sheet(serving, constants)["serving_nodes"]
        if total < fewest:
            best, fewest = serving, total
    if not best:
        raise ValueError("no fleet serves the model under these constants")
    return best


def _serving_sheet(serving: dict[str, Any], constants: dict[str, float]) -> Sheet:
    words = {"fabric": {"switch": "ports_64", "routing": "ecmp"}, "power": {"cooling": "air"}}
    inputs = economics.choices(words | {"serving": serving}, constants)
    numbers = {name: one for name, one in serving.items() if not isinstance(one, str)}
    return Sheet(constants | inputs | numbers, economics.LINES | training.LINES)
