"""A cluster's network: core, pods with spines and leaves, and what its nodes are used for.

data: as `layout` reads it below; counts of switches are those of one pod (leaf, spine) or plane
(core). ``gb_per_s`` is what one GPU gets at its card, inside its pod and from pod to pod.
"""

from __future__ import annotations

from typing import Any

from graders.answers.worksheet.units import number_text
from graders.design.pictures import values
from graders.text import say, say_n
from graders.verdict import JsonObject

MAX_COUNT = 1e9
MAX_USES = 8

# In the drawing's units; a phone shows one of them as 0.85 pixels.
WIDTH = 400.0
MARGIN = 1.0
SWITCH_HEIGHT = 14.0
GAP = 4.0
CORE_Y = 22.0
POD_HEIGHT = 128.0
POD_GAP = 12.0
ELLIPSIS_WIDTH = 26.0
SPINE_Y = 24.0  # from the pod's top
LEAF_Y = 66.0
CARD_Y = 104.0
CORE_TO_POD = 58.0
USE_HEIGHT = 22.0
THICKEST = 3.0  # a link at a card's full rate

MAX_CORE_BOXES = 9
MAX_POD_BOXES = 4
MAX_PODS = 3


def layout(data: JsonObject) -> JsonObject:
    """Boxes, links and texts of the drawing, the table of tiers and the bar of nodes.

    Raises
    ------
    ValueError, KeyError, TypeError
        If a count is missing, negative or no number.
    """
    whole = _counts(data, "gpus", "planes", "pods", "pod_gpus", "radix", "switches")
    spine = _counts(data["spine"], "switches", "ports_used", "down", "up")
    leaf = _counts(data["leaf"], "switches", "ports_used", "down", "up")
    core = _counts(data["core"], "switches", "ports_used")
    cables = _counts(data["cables"], "core", "leaf", "node")
    rates = _rates(data["gb_per_s"])
    pods_y = CORE_Y + SWITCH_HEIGHT + CORE_TO_POD if core["switches"] else 4.0
    pods, gap_x = _pods(whole, spine, leaf, rates, pods_y)
    core_boxes = _row(MARGIN, WIDTH - 2 * MARGIN, core["switches"], MAX_CORE_BOXES, CORE_Y)
    height = pods_y + POD_HEIGHT + 4
    return {
        "width": WIDTH,
        "height": height,
        "title": _title(whole),
        "core": core_boxes,
        "core_label": _core_label(core["switches"]),
        "core_links": _core_links(core_boxes, pods, rates),
        "core_badge": _badge(spine, rates["cross"], CORE_Y + SWITCH_HEIGHT + 0.62 * CORE_TO_POD)
        if core["switches"]
        else None,
        "pods": pods,
        "gap": {"x": gap_x, "y": pods_y + POD_HEIGHT / 2} if gap_x is not None else None,
        "tiers": _tiers(whole, core, spine, leaf, cables, rates),
        "switches_text": number_text(whole["switches"]),
        "cables_text": number_text(sum(cables.values())),
        "bisection_text": number_text(
            float(f"{values.number(data['bisection_tb_per_s'], 0, MAX_COUNT):.4g}")
        ),
        "uses": _uses(data["nodes"]),
    }


def _counts(said: Any, *names: str) -> dict[str, int]:
    found = {}
    for name in names:
        value = values.number(said[name], 0, MAX_COUNT)
        if not value.is_integer():
            raise ValueError(f"{name} must be a whole number, got {value}")
        found[name] = int(value)
    return found


def _rates(said: Any) -> dict[str, float]:
    return {
        name: values.number(said[name], 0 if name == "cross" else 1e-9, 1e6)
        for name in ("card", "pod", "cross")
    }


def _title(whole: dict[str, int]) -> str:
    pods = say_n("{count} pod", "{count} pods", count=whole["pods"])
    if whole["planes"] == 1:
        return say("{pods} of {gpus} GPUs", pods=pods, gpus=number_text(whole["pod_gpus"]))
    return say(
        "One of {planes} planes: {pods}, each of {gpus} GPUs over all planes",
        planes=whole["planes"],
        pods=pods,
        gpus=number_text(whole["pod_gpus"]),
    )


def _core_label(switches: int) -> str:
    return say_n(
        "Core: {count:,} switch a plane", "Core: {count:,} switches a plane", count=switches
    )


def _row(x: float, width: float, count: int, most: int, y: float) -> list[Any]:
    """Boxes of equal width for `count` switches, `most` of them at most."""
    drawn = min(count, most)
    if not drawn:
        return []
    each = min(44.0, (width - GAP * (drawn - 1)) / drawn)
    left = x + (width - drawn * each - (drawn - 1) * GAP) / 2
    return [
        {
            "x": round(left + i * (each + GAP), 2),
            "y": y,
            "width": round(each, 2),
            "height": SWITCH_HEIGHT,
            "middle": round(left + i * (each + GAP) + each / 2, 2),
        }
        for i in range(drawn)
    ]


def _pods(
    whole: dict[str, int],
    spine: dict[str, int],
    leaf: dict[str, int],
    rates: dict[str, float],
    y: float,
) -> tuple[list[Any], float | None]:
    """The first pods and the last one, and where the gap between them is."""
    count = whole["pods"]
    numbers = list(range(1, count + 1)) if count <= MAX_PODS else [1, 2, count]
    has_gap = count > MAX_PODS
    room = WIDTH - 2 * MARGIN - (ELLIPSIS_WIDTH if has_gap else 0)
    room -= POD_GAP * (len(numbers) - 1 - has_gap)
    width = min(180.0, room / len(numbers))
    x = (WIDTH - width) / 2 if count == 1 else MARGIN
    drawn: list[Any] = []
    gap_x = None
    for index, number in enumerate(numbers):
        if has_gap and index == len(numbers) - 1:
            gap_x = round(x - POD_GAP + ELLIPSIS_WIDTH / 2, 2)
            x += ELLIPSIS_WIDTH - POD_GAP
        drawn.append(_pod(number, round(x, 2), y, round(width, 2), spine, leaf, rates))
        x += width + POD_GAP
    return drawn, gap_x


def _pod(
    number: int,
    x: float,
    y: float,
    width: float,
    spine: dict[str, int],
    leaf: dict[str, int],
    rates: dict[str, float],
) -> dict[str, Any]:
    inner = width - 16
    spines = _row(x + 8, inner, spine["switches"], MAX_POD_BOXES, y + SPINE_Y)
    leaves = _row(x + 8, inner, leaf["switches"], MAX_POD_BOXES, y + LEAF_Y)
    return {
        "x": x,
        "y": y,
        "width": width,
        "height": POD_HEIGHT,
        "middle": round(x + width / 2, 2),
        "label": say("pod {number}", number=number),
        "label_y": y + 15,
        "spine_bar": _bar(x + 8, inner, y + SPINE_Y),
        "spine_text": say_n("{count:,} spine", "{count:,} spines", count=spine["switches"]),
        "spine_text_y": y + SPINE_Y + 10.5,
        "leaf_bar": _bar(x + 8, inner, y + LEAF_Y),
        "leaf_text": say_n("{count:,} leaf", "{count:,} leaves", count=leaf["switches"]),
        "leaf_text_y": y + LEAF_Y + 10.5,
        "links": [
            _link(below["middle"], y + LEAF_Y, above["middle"], y + SPINE_Y + SWITCH_HEIGHT)
            for below in leaves
            for above in spines
        ],
        "link_width": _thickness(rates["pod"], rates),
        "cards": [
            {
                "x": round(one["middle"] + shift, 2),
                "y": y + CARD_Y,
                "from_x": one["middle"],
                "from_y": y + LEAF_Y + SWITCH_HEIGHT,
            }
            for one in leaves
            for shift in (-one["width"] / 3, 0.0, one["width"] / 3)
        ],
        "card_text": say("{count} cards a leaf", count=leaf["down"]),
        "card_text_y": y + CARD_Y + 18,
    }


def _bar(x: float, width: float, y: float) -> dict[str, float]:
    """A tier of a pod as one bar, so that its count can be read on it."""
    return {"x": round(x, 2), "y": y, "width": round(width, 2), "height": SWITCH_HEIGHT}


def _link(x1: float, y1: float, x2: float, y2: float) -> dict[str, float]:
    return {"x1": x1, "y1": y1, "x2": x2, "y2": y2}


def _thickness(rate: float, rates: dict[str, float]) -> float:
    return round(max(0.4, THICKEST * min(1.0, rate / rates["card"])), 2)


def _core_links(core: list[Any], pods: list[Any], rates: dict[str, float]) -> JsonObject:
    links: list[Any] = [
        _link(pod["middle"], pod["y"], box["middle"], CORE_Y + SWITCH_HEIGHT)
        for pod in pods
        for box in core
    ]
    return {"lines": links, "width": _thickness(rates["cross"], rates)}


def _badge(tier: dict[str, int], rate: float, y: float) -> JsonObject:
    """What a GPU gets through a tier, in the middle of its links."""
    return {
        "x": WIDTH / 2,
        "y": y,
        "text": say(
            "{ratio}, {rate} GB/s a GPU",
            ratio=ratio_text(tier["down"], tier["up"]),
            rate=number_text(float(f"{rate:.3g}")),
        ),
        "is_narrow": tier["down"] > tier["up"],
    }


def ratio_text(down: int, up: int) -> str:
    """Oversubscription as people say it: ``7:1``; ``1:1`` where there are uplinks to spare.

    Raises
    ------
    ZeroDivisionError
        If there are no uplinks.
    """
    return f"{number_text(float(f'{max(1.0, down / up):.3g}'))}:1"


def _tiers(
    whole: dict[str, int],
    core: dict[str, int],
    spine: dict[str, int],
    leaf: dict[str, int],
    cables: dict[str, int],
    rates: dict[str, float],
) -> list[Any]:
    """The same as a table, from the core to the cards: the drawing's text alternative."""
    above_pods = core["switches"] > 0
    rows: list[dict[str, Any]] = [
        {
            "name": say("spines"),
            "switches": whole["planes"] * whole["pods"] * spine["switches"],
            "ports": spine["ports_used"],
            "cables": cables["leaf"],
            "ratio": ratio_text(spine["down"], spine["up"]) if above_pods else "",
            "rate": rates["cross"] if above_pods else rates["pod"],
        },
        {
            "name": say("leaves"),
            "switches": whole["planes"] * whole["pods"] * leaf["switches"],
            "ports": leaf["ports_used"],
            "cables": cables["node"],
            "ratio": ratio_text(leaf["down"], leaf["up"]),
            "rate": rates["pod"],
        },
    ]
    if above_pods:
        rows.insert(
            0,
            {
                "name": say("core"),
                "switches": whole["planes"] * core["switches"],
                "ports": core["ports_used"],
                "cables": cables["core"],
                "ratio": "",
                "rate": None,  # what a GPU gets through the core is said of the spines below it
            },
        )
    return [
        {
            "name": row["name"],
            "switches_text": number_text(row["switches"]),
            "ports_text": say("{used} of {radix}", used=row["ports"], radix=whole["radix"]),
            "cables_text": number_text(row["cables"]),
            "ratio_text": row["ratio"],
            "rate_text": "" if row["rate"] is None else number_text(float(f"{row['rate']:.3g}")),
        }
        for row in rows
    ]


def _uses(said: Any) -> JsonObject:
    """What the nodes are for, as pieces of one bar; what is left over comes last."""
    total = values.number(said["total"], 1, MAX_COUNT)
    uses = [
        (values.text(one["label"]), values.number(one["nodes"], 0, MAX_COUNT))
        for one in values.rows(said["uses"], MAX_USES)
    ]
    free = total - sum(nodes for _, nodes in uses)
    scale = WIDTH / max(total, total - free)
    pieces: list[Any] = []
    x = 0.0
    for colour, (label, nodes) in enumerate(uses):
        pieces.append(_piece(label, nodes, x, scale, colour))
        x += nodes * scale
    if free > 0:
        pieces.append(_piece(say("let to others"), free, x, scale, len(uses)))
    return {
        "width": WIDTH,
        "height": USE_HEIGHT,
        "pieces": pieces,
        "total_text": number_text(total),
        "is_over": free < 0,
    }


def _piece(label: str, nodes: float, x: float, scale: float, colour: int) -> dict[str, Any]:
    return {
        "label": label,
        "nodes_text": number_text(float(f"{nodes:.5g}")),
        "x": round(x, 2),
        "width": round(nodes * scale, 2),
        "colour": colour,
    }
