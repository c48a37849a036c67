"""Units as people of this field write them, and quantities: a number with its unit.

Pint holds the units, their prefixes and what converts into what. The definitions are our own: in
pint's default registry bytes are plain numbers, ``B`` is bel and ``h`` is Planck's constant. Here
information, operations, energy, time and money are dimensions, and what is counted (GPUs, tokens,
parameters) has none. Text from people is never handed to pint as a whole: single names are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import pint

DEFINITIONS = """
milli- = 1e-3 = m-
micro- = 1e-6 = µ- = μ- = u-
nano- = 1e-9 = n-
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-
tera- = 1e12 = T-
peta- = 1e15 = P-
exa- = 1e18 = E-
zetta- = 1e21 = Z-
yotta- = 1e24 = Y-
kibi- = 2**10 = Ki-
mebi- = 2**20 = Mi-
gibi- = 2**30 = Gi-
tebi- = 2**40 = Ti-
pebi- = 2**50 = Pi-
exbi- = 2**60 = Ei-
byte = [information] = B
bit = byte / 8 = b
second = [time] = s = sec
minute = 60 * second = min
hour = 60 * minute = h = hr
day = 24 * hour = d
week = 7 * day
year = 365 * day = yr
operation = [operations] = FLOP = flop
FLOPS = operation / second
Bps = byte / second
bps = bit / second
hertz = 1 / second = Hz
joule = [energy] = J
watt = joule / second = W
Wh = watt * hour
dollar = [money] = USD
one = []
GPU = one
token = one
parameter = one = param
block = one
layer = one
head = one
node = one
rank = one
step = one
request = one
sequence = one
percent = 0.01 * one
thousand = 1e3 * one
million = 1e6 * one
billion = 1e9 * one
trillion = 1e12 * one
""".strip().splitlines()

MAX_CHARACTERS = 60  # of a quantity that a person writes
MAX_EXPONENT = 3

# A dimension: exponents by name, without zeros, in order of names.
Dimension = tuple[tuple[str, Fraction], ...]
NONE: Dimension = ()

_BASE = ("byte", "operation", "second", "joule", "dollar")
_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?"
_QUANTITY = re.compile(rf"(?P<dollar>\$\s*)?(?P<number>{_NUMBER})\s*(?P<unit>.*)", re.DOTALL)
_UNIT_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-zµμ]+|%|\$)(?:\s*(?:\^|\*\*)\s*(?P<exponent>-?\d)|(?P<raised>[²³]))?"
    r"|(?P<operator>[/*·×-]|per\b))"  # noqa: RUF001
)
_POWERS = {"²": 2, "³": 3}
_MISWRITTEN = {
    "KB": "kB (1000 B) or KiB (1024 B)",
    "kb": "kB for bytes or kbit for bits",
    "mb": "MB for bytes or Mbit for bits",
    "gb": "GB for bytes or Gbit for bits",
    "tb": "TB for bytes or Tbit for bits",
    "mB": "MB",
    "gB": "GB",
    "kwh": "kWh",
    "KWh": "kWh",
    "kw": "kW",
    "mw": "MW",
    "S": "s",
}


class UnitError(ValueError):
    """A text is no unit or no quantity. `name` is what was not understood, `meant` what may be."""

    def __init__(self, name: str, meant: str = "") -> None:
        self.name = name
        self.meant = meant
        super().__init__(f"{name} is no unit here" + (f", write {meant}" if meant else ""))


class Bare(ValueError):
    """A number without a unit where one is needed."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: how many base units it is (bytes, FLOP, seconds, joules, dollars), of what."""

    text: str
    scale: float
    dimension: Dimension


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as somebody wrote it; `value` is in base units."""

    value: float
    unit: Unit

    @property
    def number(self) -> float:
        """The number in front of the unit."""
        return self.value / self.unit.scale


@cache
def registry() -> pint.UnitRegistry[Any]:
    """Pint with our definitions; made once a process."""
    units: pint.UnitRegistry[Any] = pint.UnitRegistry(None)
    units.load_definitions(DEFINITIONS)
    return units


@lru_cache(maxsize=4096)
def named(name: str) -> Unit:
    """The unit with this name, with a prefix or a plural s if it has one.

    Raises
    ------
    UnitError
        If there is none. Case counts: ``Gb`` is a bit, ``gb`` nothing.
    """
    if name in _MISWRITTEN:
        raise UnitError(name, _MISWRITTEN[name])
    looked_up = {"%": "percent", "$": "dollar"}.get(name, name)
    try:
        quantity = registry().Quantity(1.0, looked_up).to_base_units()
    except (pint.errors.UndefinedUnitError, pint.errors.DimensionalityError):
        raise UnitError(name) from None
    exponents = dict(registry().get_dimensionality(quantity.units))
    dimension = dimension_of(
        (str(one).strip("[]"), Fraction(str(power))) for one, power in exponents.items() if power
    )
    return Unit(name, float(quantity.magnitude), dimension)


@lru_cache(maxsize=4096)
def unit(text: str) -> Unit:
    """A unit as people write it: ``GB/s``, ``FLOP per byte``, ``GPU-hours``, ``USD/kWh``.

    After a slash everything stands below it: ``USD / GPU h`` is dollars for a GPU hour.

    Raises
    ------
    UnitError
        If a name in it is unknown, or it is no row of units.
    """
    scale, powers, sign, position, after_name = 1.0, dict[str, Fraction](), 1, 0, False
    while position < len(text):
        match = _UNIT_TOKEN.match(text, position)
        if match is None:
            raise UnitError(text[position:].strip() or text)
        position = match.end()
        if match["operator"] or match["name"] == "per":
            is_slash = match["operator"] == "/" or "per" in match[0]
            if not after_name and (text[: match.start()].strip() or not is_slash):
                raise UnitError(text)
            if is_slash:
                sign = -1
            after_name = False
            continue
        one = named(match["name"])
        power = sign * int(match["exponent"] or _POWERS.get(match["raised"] or "", 1))
        if abs(power) > MAX_EXPONENT:
            raise UnitError(text)
        scale *= one.scale**power
        for name, exponent in one.dimension:
            powers[name] = powers.get(name, Fraction(0)) + exponent * power
        after_name = True
    if text.strip() and not after_name:
        raise UnitError(text)
    return Unit(text.strip(), scale, dimension_of(powers.items()))


def dimension_of(powers: Iterable[tuple[str, Fraction]]) -> Dimension:
    """A dimension in its one form."""
    return tuple(sorted((name, power) for name, power in powers if power))


def read(text: str) -> Quantity:
    """A quantity such as ``1.5 TB``, ``1.36 TiB``, ``1,500 GB``, ``$2/h`` or ``45 %``.

    Raises
    ------
    UnitError
        If its unit is unknown.
    ValueError
        If it does not begin with a number, or is far too long or too large.
    """
    match = _QUANTITY.fullmatch(text.strip()) if len(text) <= MAX_CHARACTERS else None
    if match is None:
        raise ValueError(text)
    number = float(match["number"].replace(",", ""))
    written = match["unit"].strip()
    if match["dollar"]:
        # "$5.6 million" and "$5.6M", but never B, which is a byte.
        suffix = {"k": "kUSD", "K": "kUSD", "M": "MUSD"}.get(written)
        written = suffix or f"USD {written}".strip()
    measured = unit(written)
    value = number * measured.scale
    if abs(value) > 1e300:
        raise ValueError(text)
    return Quantity(value, measured)


def name_of(dimension: Dimension) -> str:
    """A dimension in words: ``information / time``; ``a plain number`` for none."""
    above = [_power(name, power) for name, power in dimension if power > 0]
    below = [_power(name, -power) for name, power in dimension if power < 0]
    if not above and not below:
        return "a plain number"
    return " / ".join([" * ".join(above) or "1", *below])


def _power(name: str, power: Fraction) -> str:
    return name if power == 1 else f"{name}^{power}"


def base_text(dimension: Dimension) -> str:
    """The base units of a dimension, as `unit` reads them: ``B/s``."""
    symbols = {"information": "B", "operations": "FLOP", "time": "s", "energy": "J", "money": "USD"}
    above = [_power(symbols[name], power) for name, power in dimension if power > 0]
    below = [_power(symbols[name], -power) for name, power in dimension if power < 0]
    if not above and not below:
        return ""
    return " ".join(above) + (f" / {' '.join(below)}" if below else "")


def number_text(value: float) -> str:
    """A number as people read it: whole ones in full up to 10**15, others to six digits."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.6g}"


def text_in(value: float, written: str) -> str:
    """A value in base units, as a number in the unit `written`: ``1.364 TiB``."""
    shown = number_text(value / unit(written).scale)
    return f"{shown} {written}" if written else shown


_FAMILIES = {
    "B": ("B", "kB", "MB", "GB", "TB", "PB"),
    "s": ("ns", "us", "ms", "s"),
}
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def understood(quantity: Quantity, wanted: Unit) -> str:
    """How a quantity was read, in another unit than its own where that tells more.

    Sizes are said both ways, decimal and binary, because mixing them up is the classic slip.
    """
    if quantity.unit.dimension != wanted.dimension:
        return text_in(quantity.value, quantity.unit.text)
    if dict(quantity.unit.dimension) == {"information": 1}:
        is_binary = "i" in quantity.unit.text
        ladder = _FAMILIES["B"] if is_binary else _BINARY
        base = 1000.0 if is_binary else 1024.0
        rung = 0
        while rung < len(ladder) - 1 and abs(quantity.value) >= base ** (rung + 1):
            rung += 1
        return f"{quantity.value / base**rung:.4g} {ladder[rung]}"
    if quantity.unit.text != wanted.text and wanted.text:
        return f"{quantity.value / wanted.scale:.6g} {wanted.text}"
    return text_in(quantity.value, wanted.text)
