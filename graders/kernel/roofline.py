"""What a chip cannot do faster: a floor under every time, and the place of a time above it.

Peaks come from what the driver says about the chip (clocks, multiprocessors, bus) and from the
operations of one multiprocessor in one cycle, so they are the highest that the hardware could
reach at its highest clock. A time below the floor was not measured right, whoever is to blame.

References
----------
.. [1] Williams, Waterman, Patterson, "Roofline: an insightful visual performance model for
   multicore architectures", CACM 52(4), 2009.
.. [2] NVIDIA, "A100 Tensor Core GPU Architecture", 2020; "H100 Tensor Core GPU Architecture", 2022;
   "Blackwell Architecture Technical Brief", 2024: dense rates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graders.kernel.operations.base import Work

# Floating-point operations of one multiprocessor in one cycle, dense; a multiply-add is two.
_TENSOR_FLOPS = {80: 2048, 90: 4096, 100: 8192}  # fp16 and bf16
_FP32_FLOPS = {80: 128, 90: 256, 100: 256}


@dataclass(frozen=True, slots=True)
class Peaks:
    """The highest rates of a GPU."""

    tensor_flop_per_s: float
    fp32_flop_per_s: float
    bandwidth_b_per_s: float
    l2_bytes: int

    def flop_per_s(self, unit: str) -> float:
        """Of the unit that does the arithmetic of a `Work`."""
        return self.tensor_flop_per_s if unit == "tensor" else self.fp32_flop_per_s


@dataclass(frozen=True, slots=True)
class Place:
    """Where a time lies.

    Attributes
    ----------
    floor_s : float
        No kernel is faster here.
    bound : str
        ``memory`` or ``arithmetic``: which of the two floors is the higher.
    fraction : float
        The floor over the time: how much of what the chip could do was reached.
    """

    floor_s: float
    bound: str
    fraction: float
    flop_per_byte: float
    flop_per_s: float
    bytes_per_s: float

    @property
    def impossible(self) -> bool:
        """Whether the time is below the floor."""
        return self.fraction > 1.0


def peaks(properties: Mapping[str, Any]) -> Peaks:
    """The peaks of a GPU.

    Parameters
    ----------
    properties : mapping
        As `graders.kernel.device.driver.Properties` has them.

    Raises
    ------
    KeyError
        If the architecture is none that kernels are compiled for.
    """
    architecture = int(properties["architecture"])
    cycles_per_s = properties["multiprocessors"] * properties["clock_khz"] * 1e3
    return Peaks(
        tensor_flop_per_s=_TENSOR_FLOPS[architecture] * cycles_per_s,
        fp32_flop_per_s=_FP32_FLOPS[architecture] * cycles_per_s,
        # Two transfers a clock on every bit of the bus.
        bandwidth_b_per_s=properties["memory_clock_khz"]
        * 1e3
        * 2
        * properties["memory_bus_bits"]
        / 8,
        l2_bytes=int(properties["l2_bytes"]),
    )


def place(work: Work, time_s: float, limits: Peaks) -> Place:
    """Place a time on the roofline.

    The inputs come from memory, since the cache is cold. Of what is written as much as fits the L2
    cache may still be there when the clock stops, so the floor leaves that out.
    """
    moved = work.bytes_read + max(0.0, work.bytes_written - limits.l2_bytes)
    memory_s = moved / limits.bandwidth_b_per_s
    arithmetic_s = work.flops / limits.flop_per_s(work.unit)
    floor_s = max(memory_s, arithmetic_s)
    n_bytes = work.bytes_read + work.bytes_written
    return Place(
        floor_s=floor_s,
        bound="memory" if memory_s >= arithmetic_s else "arithmetic",
        fraction=floor_s / time_s,
        flop_per_byte=work.flops / n_bytes,
        flop_per_s=work.flops / time_s,
        bytes_per_s=n_bytes / time_s,
    )


WIDTH, HEIGHT, MARGIN = 480.0, 260.0, 40.0
_DECADES_OF_FLOPS = 4.0


def layout(work: Work, times_s: Mapping[str, float], limits: Peaks) -> dict[str, Any]:
    """The drawing: the roof, and a point for each time, on two logarithmic axes.

    Returns
    -------
    dict
        ``roof``, the points of a polyline; ``points`` with label, x and y; ``x_ticks`` (FLOP a
        byte) and ``y_ticks`` (TFLOP/s), each with label and place. Lengths in units of the drawing.
    """
    top = limits.flop_per_s(work.unit)
    ridge = top / limits.bandwidth_b_per_s
    intensity = work.flops / (work.bytes_read + work.bytes_written)
    x_low = math.floor(math.log10(min(ridge, intensity))) - 0.3
    x_high = math.ceil(math.log10(max(ridge, intensity))) + 0.3
    y_high = math.log10(top) + 0.2
    y_low = min(
        y_high - _DECADES_OF_FLOPS,
        *(math.log10(work.flops / time_s) - 0.3 for time_s in times_s.values()),
    )

    def x(flop_per_byte: float) -> float:
        share = (math.log10(flop_per_byte) - x_low) / (x_high - x_low)
        return round(MARGIN + share * (WIDTH - 1.5 * MARGIN), 1)

    def y(flop_per_s: float) -> float:
        share = (math.log10(flop_per_s) - y_low) / (y_high - y_low)
        return round(HEIGHT - MARGIN - share * (HEIGHT - 1.5 * MARGIN), 1)

    left = max(10.0**x_low, 10.0**y_low / limits.bandwidth_b_per_s)
    roof = [
        (x(left), y(left * limits.bandwidth_b_per_s)),
        (x(ridge), y(top)),
        (x(10.0**x_high), y(top)),
    ]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "roof": " ".join(f"{a},{b}" for a, b in roof),
        "points": [
            {"label": label, "x": x(intensity), "y": y(work.flops / time_s)}
            for label, time_s in times_s.items()
        ],
        "x_ticks": [
            {"label": f"{10.0**n:g}", "x": x(10.0**n)}
            for n in range(math.ceil(x_low), math.floor(x_high) + 1)
        ],
        "y_ticks": [
            {"label": f"{10.0**n / 1e12:g}", "y": y(10.0**n)}
            for n in range(math.ceil(y_low), math.floor(y_high) + 1)
        ],
        "axis_y": HEIGHT - MARGIN,
        "axis_x": MARGIN,
    }
