"""Quantities as people write them: told apart, converted, refused with what would do."""

from __future__ import annotations

import pytest

from graders.answers.worksheet import units


@pytest.mark.parametrize(
    ("text", "base", "value"),
    [
        ("1.5 TB", "B", 1.5e12),
        ("1.36 TiB", "B", 1.36 * 2**40),
        ("1500 GB", "B", 1.5e12),
        ("1,500 GB", "B", 1.5e12),
        ("1.5e12B", "B", 1.5e12),
        ("12 Gbit", "B", 1.5e9),
        ("128 KiB/token", "B", 131072),
        ("128 KiB per token", "B", 131072),
        ("900 GB/s", "B / s", 9e11),
        ("400 Gbps", "B / s", 5e10),
        ("312 TFLOPS", "FLOP / s", 3.12e14),
        ("312 TFLOP/s", "FLOP / s", 3.12e14),
        ("5 PFLOPs", "FLOP", 5e15),
        ("3 h", "s", 10800),
        ("33.9 days", "s", 33.9 * 86400),
        ("12 us", "s", 12e-6),
        ("12 µs", "s", 12e-6),
        ("2788 thousand GPU-hours", "s", 2.788e6 * 3600),
        ("181.5 MW", "J / s", 181.5e6),
        ("1.59 TWh", "J", 1.59e12 * 3600),
        ("0.078 USD/kWh", "USD / J", 0.078 / 3.6e6),
        ("$2/h", "USD / s", 2 / 3600),
        ("$2 per GPU hour", "USD / s", 2 / 3600),
        ("$5.6M", "USD", 5.6e6),
        ("$5.6 million", "USD", 5.6e6),
        ("7.5 billion parameters", "", 7.5e9),
        ("45 %", "", 0.45),
        ("45%", "", 0.45),
        ("-3.", "", -3.0),
    ],
)
def test_a_quantity_is_read_in_base_units(text: str, base: str, value: float) -> None:
    quantity = units.read(text)
    assert quantity.value == pytest.approx(value, rel=1e-12)
    assert units.base_text(quantity.unit.dimension) == base


@pytest.mark.parametrize(
    "text",
    [
        "5 gb",
        "5 KB",
        "5 GB/",
        "5 -GB",
        "5 GB -",
        "5 / s / / s",
        "5 B**9",
        "5 parsec",
        "5 (B)",
        "5 __class__",
    ],
)
def test_a_unit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(units.UnitError):
        units.read(text)


@pytest.mark.parametrize(
    "text", ["", "GB", "- GB", "1.2.3", "1,50 GB", "0x10", "1e999 B", "1e300 TB", "nan", "9" * 61]
)
def test_what_begins_with_no_number_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  a UnitError is one too
        units.read(text)


def test_an_ambiguous_unit_is_refused_with_what_would_do() -> None:
    with pytest.raises(units.UnitError) as raised:
        units.read("5 KB")
    assert raised.value.meant == "kB (1000 B) or KiB (1024 B)"


def test_bits_and_bytes_differ_by_eight_and_case_tells_them_apart() -> None:
    assert units.read("1 GB").value == 8 * units.read("1 Gb").value


@pytest.mark.parametrize(
    ("text", "wanted", "shown"),
    [
        ("1.5 TB", "GB", "1.364 TiB"),
        ("1.36 TiB", "GB", "1.495 TB"),
        ("500 B", "GB", "500 B"),
        ("813.6 h", "d", "33.9 d"),
        ("0.45", "%", "45 %"),
        ("12 s", "s", "12 s"),
    ],
)
def test_a_size_is_said_the_other_way_too(text: str, wanted: str, shown: str) -> None:
    assert units.understood(units.read(text), units.unit(wanted)) == shown


def test_after_a_slash_everything_stands_below_it() -> None:
    assert units.unit("USD / GPU h").dimension == units.unit("USD/h").dimension
    assert units.unit("J / s / B").dimension == units.unit("W/B").dimension
