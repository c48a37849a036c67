"""One answer to a field that wants a number: what was written, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from graders.answers.worksheet import units
from graders.answers.worksheet.units import Dimension, Quantity, Unit
from graders.text import Text, say

_EXAMPLES = {
    "information": "kB, MB, GB, TB, KiB, MiB, GiB, TiB",
    "time": "us, ms, s, min, h, days",
    "energy": "J, kWh, MWh, GWh, TWh",
    "money": "USD, kUSD, MUSD",
    "operations": "FLOP, GFLOP, TFLOP, PFLOP",
}


@dataclass(frozen=True, slots=True)
class Misread:
    """Why an answer could not be taken: the rule, the fact, what to do."""

    message: Text


def read_quantity(given: str, wanted: Unit) -> Quantity | Misread:
    """The quantity that was given, if it is one of the wanted dimension."""
    if not given:
        return Misread(
            say("an answer is needed, it is empty. Write {example}", example=_example(wanted))
        )
    try:
        quantity = units.read(given)
    except units.UnitError as error:
        if error.meant:
            return Misread(
                say(
                    "a unit must say what it is, {name} could be several. Write {meant}",
                    name=error.name[:40],
                    meant=error.meant,
                )
            )
        if error.name.lstrip("_,.' ")[:1].isdigit():  # 1 500 GB, 1.500,0 GB
            return Misread(
                say(
                    "a number must be written without spaces in it, and with a point before its "
                    "fraction, “{given}” is not. Write {example}",
                    given=given[:40],
                    example=_example(wanted),
                )
            )
        return Misread(
            say(
                "the unit must be one that is known here, {name} is not. Write one of {units}",
                name=error.name[:40],
                units=units_for(wanted),
            )
        )
    except ValueError:
        return Misread(
            say(
                "an answer must be a number with its unit, “{given}” is none. Write {example}",
                given=given[:40],
                example=_example(wanted),
            )
        )
    if quantity.unit.dimension == wanted.dimension:
        return quantity
    if not quantity.unit.text:
        return Misread(
            say(
                "a number needs a unit here, {given} has none. Write one of {units} after it",
                given=given,
                units=units_for(wanted),
            )
        )
    return Misread(
        say(
            "{wanted} is wanted here, and {unit} measures {got}. Write one of {units}",
            wanted=dimension_text(wanted.dimension),
            unit=quantity.unit.text,
            got=dimension_text(quantity.unit.dimension),
            units=units_for(wanted),
        )
    )


def units_for(wanted: Unit) -> str:
    """Units that would do, as a list in words."""
    if not wanted.dimension:
        return "%" if wanted.text == "%" else wanted.text or "1"
    names = dict(wanted.dimension)
    if len(names) == 1 and (name := next(iter(names))) in _EXAMPLES and names[name] == 1:
        return _EXAMPLES[name]
    if names == {"information": 1, "time": -1}:
        return "MB/s, GB/s, TB/s, GiB/s, Gbit/s"
    if names == {"operations": 1, "time": -1}:
        return "GFLOP/s, TFLOP/s, PFLOP/s"
    if names == {"energy": 1, "time": -1}:
        return "W, kW, MW, GW"
    base = units.base_text(wanted.dimension)
    return f"{wanted.text}, {base}" if wanted.text and wanted.text != base else base


def dimension_text(dimension: Dimension) -> Text:
    """What a dimension measures, in words."""
    match dict(dimension):
        case {"information": 1, **rest} if not rest:
            return say("a size in bytes")
        case {"time": 1, **rest} if not rest:
            return say("a time")
        case {"energy": 1, **rest} if not rest:
            return say("an energy")
        case {"money": 1, **rest} if not rest:
            return say("an amount of money")
        case {"operations": 1, **rest} if not rest:
            return say("a number of operations")
        case {"information": 1, "time": -1, **rest} if not rest:
            return say("a bandwidth")
        case {"operations": 1, "time": -1, **rest} if not rest:
            return say("a rate of operations")
        case {"energy": 1, "time": -1, **rest} if not rest:
            return say("a power")
        case {"time": -1, **rest} if not rest:
            return say("a rate per time")
        case {**rest} if not rest:
            return say("a plain number")
    return say("{units}, in base units", units=units.base_text(dimension))


def _example(wanted: Unit) -> str:
    return f"1.5 {wanted.text}".strip() if wanted.text != "%" else "45 %"


@dataclass(frozen=True, slots=True)
class Slip:
    """A right number with a wrong unit."""

    name: str
    advice: Text


def unit_slip(quantity: Quantity, right: float, allowed: float) -> Slip | None:
    """Which unit the answer would be right in; None if in none that people confuse."""
    powers = dict(quantity.unit.dimension)
    unit = quantity.unit.text
    if powers.get("information") in (1, -1):
        sign = int(powers["information"])
        for power in range(1, 6):
            if _near(quantity.value * 1.024 ** (sign * power), right, allowed):
                advice = say(
                    "the number is right in binary units (KiB, MiB, GiB) and labelled {unit}",
                    unit=unit,
                )
                return Slip("binary-number-decimal-unit", advice)
            if _near(quantity.value / 1.024 ** (sign * power), right, allowed):
                advice = say(
                    "the number is right in decimal units (kB, MB, GB) and labelled {unit}",
                    unit=unit,
                )
                return Slip("decimal-number-binary-unit", advice)
        if _near(quantity.value * 8**sign, right, allowed):
            return Slip(
                "bits-for-bytes",
                say("this is an eighth: a byte has 8 bits, and {unit} was written", unit=unit),
            )
        if _near(quantity.value / 8**sign, right, allowed):
            return Slip("bytes-for-bits", say("this is eight times too much: a byte has 8 bits"))
    if not powers and _near(quantity.value / 100, right, allowed):
        return Slip("percent", say("a share of 1 is meant, or a number with % after it"))
    for power in (1, 2, 3, 4):
        for factor in (1000.0**power, 1000.0**-power):
            if _near(quantity.value * factor, right, allowed):
                advice = say(
                    "the digits are right, the prefix of the unit is off by {factor}",
                    factor=f"{factor:g}",
                )
                return Slip("prefix", advice)
    return None


def _near(value: float, right: float, allowed: float) -> bool:
    return abs(value - right) <= allowed
