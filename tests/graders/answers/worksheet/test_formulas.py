"""The language of formulas: what it computes, what it refuses and where."""

from __future__ import annotations

import math

import pytest

from graders.answers.worksheet.formulas import FormulaError, Kind, Plain, Value, parse
from graders.answers.worksheet.units import NONE, unit

SCOPE: dict[str, Kind] = {
    "n": NONE,
    "size": unit("GB").dimension,
    "rate": unit("GB/s").dimension,
    "word": Plain.TEXT,
    "big": Plain.TRUTH,
}
VALUES: dict[str, Value] = {"n": 4, "size": 8e9, "rate": 2e9, "word": "all", "big": True}


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("2 * (n + 1) ** 2 - n / 8", 49.5, ""),
        ("-n % 3", 2, ""),
        ("size // (3 * GB)", 2, ""),
        ("size / rate", 4, "s"),
        ("sqrt(size ** 2)", 8e9, "B"),
        ("(size * size) / size", 8e9, "B"),
        ("ceil(n / 3) * 128", 256, ""),
        ("max(size, 10 * GB)", 1e10, "B"),
        ("sum(1, 2, n)", 7, ""),
        ("log2(n) + log(exp(1)) + abs(-1) + floor(1.5)", 5, ""),
        ("8 * GiB if n > 8 or word == 'all' else 0 * B", 8 * 2**30, "B"),
        ("1 if not big and 1 < n <= 4 else 2", 2, ""),
        ("1 if 1 < n <= 4 != 5 else 2", 1, ""),
        ("1 + (2 if True else 3)", 3, ""),
    ],
)
def test_a_formula_has_its_value_and_dimension(text: str, value: float, kind: str) -> None:
    formula = parse(text, SCOPE)
    assert formula(VALUES) == pytest.approx(value)
    assert formula.kind == unit(kind).dimension


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("size + n", 1, "both sides must be of one kind, got information and a plain number"),
        ("2 * (size + rate)", 6, "both sides must be of one kind"),
        ("size if n > 1 else 3", 1, "both sides must be of one kind"),
        ("n < size", 1, "both sides must be of one kind"),
        ("max(size, n)", 1, "both sides must be of one kind"),
        ("2 + nope", 5, "a name must be a value defined above or a unit, got nope"),
        ("3 * KB", 5, "a unit is written kB (1000 B) or KiB (1024 B)"),
        ("log2(size)", 1, "log2 takes plain numbers; divide by a unit first, got information"),
        ("ceil(size)", 1, "ceil takes plain numbers"),
        ("2 ** size", 6, "an exponent must be a plain number"),
        ("size ** n", 9, "must be a whole number written out, got n"),
        ("min(n)", 1, "min takes 2 to 8 arguments, got 1"),
        ("open('x')", 1, "a function must be one of min, max"),
        ("n.real", 1, "only arithmetic is allowed"),
        ("[n][0]", 1, "only arithmetic is allowed"),
        ("(lambda: n)()", 1, "a function must be one of"),
        ("f'{n}'", 1, "only arithmetic is allowed"),
        ("n if n else 1", 6, "a condition is needed here"),
        ("word + 1", 1, "a number is needed here, got a text"),
        ("word < 'b'", 1, "these cannot be compared so"),
        ("n & 1", 1, "only arithmetic is allowed"),
        ("~n", 1, "only arithmetic is allowed"),
        ("n in (1, 2)", 6, "only arithmetic is allowed"),
        ("2 +", 4, "a formula must be arithmetic"),
        ("n = 2", 3, "a formula must be arithmetic"),
        ("b'x'", 1, "only numbers, texts, True and False are constants"),
        ("1e999", 1, "only numbers, texts, True and False are constants"),
        ("max(n, 2, key=abs)", 1, "a function must be one of"),
        ("(" * 300 + "1" + ")" * 300, 1, "a formula must be"),
        ("+".join(["1"] * 900), 1, "a formula may have 1500 characters"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_place(text: str, column: int, told: str) -> None:
    with pytest.raises(FormulaError) as raised:
        parse(text, SCOPE)
    assert told in raised.value.message
    assert raised.value.column == column or told.startswith("a formula must be")


@pytest.mark.parametrize("text", ["1 / (n - 4)", "log2(n - 4)", "(-n) ** 0.5", "10 ** (n * 100)"])
def test_a_formula_without_a_value_raises_and_never_hangs(text: str) -> None:
    with pytest.raises(ArithmeticError):
        parse(text, SCOPE)(VALUES)


def test_the_numbers_put_in_give_the_same_value() -> None:
    formula = parse("max(n, 2) * size / rate", SCOPE)
    shown = formula.with_numbers({"n": "4", "size": "(8 GB)", "rate": "(2 GB/s)"})
    assert shown == "max(4, 2) * (8 GB) / (2 GB/s)"


def test_a_name_may_not_be_used_before_it_is_defined() -> None:
    assert parse("n", {"n": NONE})({"n": math.pi}) == math.pi
    with pytest.raises(FormulaError):
        parse("n", {})
