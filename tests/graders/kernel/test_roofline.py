"""The roofline against published peaks, and a floor that no honest time is below."""

from __future__ import annotations

from typing import Any

import pytest

from graders.kernel.operations import OPERATIONS
from graders.kernel.operations.base import Work
from graders.kernel.roofline import HEIGHT, WIDTH, layout, peaks, place

H100: dict[str, Any] = {
    "architecture": 90,
    "multiprocessors": 132,
    "clock_khz": 1_830_000,
    "memory_clock_khz": 2_619_000,
    "memory_bus_bits": 5120,
    "l2_bytes": 50 << 20,
}
A100: dict[str, Any] = {
    "architecture": 80,
    "multiprocessors": 108,
    "clock_khz": 1_410_000,
    "memory_clock_khz": 1_215_000,
    "memory_bus_bits": 5120,
    "l2_bytes": 40 << 20,
}


def test_peaks_are_the_published_ones() -> None:
    # NVIDIA's data sheets at boost clock: H100 SXM 989.4 TFLOP/s and 3.35 TB/s; A100 40GB 312
    # TFLOP/s, 19.5 in fp32, 1.555 TB/s.
    assert peaks(H100).tensor_flop_per_s == pytest.approx(989.4e12, rel=0.001)
    assert peaks(H100).bandwidth_b_per_s == pytest.approx(3.352e12, rel=0.001)
    assert peaks(A100).tensor_flop_per_s == pytest.approx(312e12, rel=0.001)
    assert peaks(A100).bandwidth_b_per_s == pytest.approx(1.555e12, rel=0.001)
    assert peaks(H100).fp32_flop_per_s == pytest.approx(61.8e12, rel=0.001)


def test_fp32_of_an_a100_is_the_published_one() -> None:
    assert peaks(A100).fp32_flop_per_s == pytest.approx(19.5e12, rel=0.001)


def test_a_large_matmul_is_bound_by_arithmetic_and_a_softmax_by_memory() -> None:
    matmul = OPERATIONS["matmul"].work({"m": 4096, "n": 4096, "k": 4096, "dtype": "bf16"})
    softmax = OPERATIONS["softmax"].work({"rows": 8192, "columns": 8192, "dtype": "bf16"})
    assert place(matmul, 1e-3, peaks(H100)).bound == "arithmetic"
    assert place(softmax, 1e-3, peaks(H100)).bound == "memory"


def test_a_time_below_the_floor_is_impossible() -> None:
    work = Work(flops=1e12, bytes_read=1e6, bytes_written=1e6, unit="tensor")
    floor_s = place(work, 1.0, peaks(H100)).floor_s
    assert place(work, floor_s * 0.99, peaks(H100)).impossible
    assert not place(work, floor_s * 1.01, peaks(H100)).impossible


def test_what_may_stay_in_the_cache_is_no_part_of_the_floor() -> None:
    write = Work(flops=1.0, bytes_read=0.0, bytes_written=float(50 << 20), unit="fp32")
    more = Work(flops=1.0, bytes_read=0.0, bytes_written=float(150 << 20), unit="fp32")
    assert place(write, 1.0, peaks(H100)).floor_s < 1e-12
    assert place(more, 1.0, peaks(H100)).floor_s == pytest.approx((100 << 20) / 3.352e12, rel=0.01)


def test_an_unknown_chip_has_no_peaks() -> None:
    with pytest.raises(KeyError):
        peaks({**H100, "architecture": 75})


@pytest.mark.parametrize("flops", [1e6, 1e9, 1e13])
def test_the_drawing_keeps_everything_inside_and_points_below_the_roof(flops: float) -> None:
    work = Work(flops=flops, bytes_read=1e8, bytes_written=1e8, unit="tensor")
    limits = peaks(H100)
    floor_s = place(work, 1.0, limits).floor_s
    drawn = layout(work, {"yours": 3 * floor_s, "reference": 2 * floor_s}, limits)
    yours, reference = drawn["points"]
    assert yours["y"] > reference["y"]  # slower is lower, and y grows downwards
    corners = [tuple(map(float, one.split(","))) for one in drawn["roof"].split()]
    for x, y in [*corners, *((one["x"], one["y"]) for one in drawn["points"])]:
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert min(y for _, y in corners) < reference["y"]
