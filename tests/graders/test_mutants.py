"""Mutants are wrong in one place each, can be told apart, and are made the same every time."""

from __future__ import annotations

from typing import Any

from graders.mutants import Mutant, of_answers, of_python

SOURCE = '''"""2 lines of text, and no number to change."""


def total(numbers: list[int], most: int = 3) -> int:
    """Sum of the first 5."""
    found = 0
    for number in numbers:
        if number < most and not number == 7:
            found += 2 * number
            print(found)
    return found
'''


def run(mutant: Mutant, *given: Any) -> object:
    scope: dict[str, Any] = {}
    exec(compile(mutant.source, "mutant.py", "exec"), scope)  # noqa: S102  ours, three lines up
    return scope["total"](*given)


def test_each_place_that_computes_is_changed_and_texts_and_types_are_not() -> None:
    assert [(mutant.line, mutant.name.split(": ")[-1]) for mutant in of_python(SOURCE)] == [
        (4, "emptied"),
        (4, "3 -> 4"),
        (6, "0 -> 1"),
        (8, "and -> or"),
        (8, "< -> <="),
        (8, "not left out"),
        (8, "== -> !="),
        (8, "7 -> 8"),
        (9, "+ -> -"),
        (9, "left out"),
        (9, "* -> +"),
        (9, "2 -> 3"),
        (10, "left out"),
    ]


def test_a_mutant_computes_something_else_and_the_source_stays_in_the_rest() -> None:
    mutants = {mutant.name.split(": ")[-1]: mutant for mutant in of_python(SOURCE)}
    assert run(mutants["< -> <="], [1, 3]) == 8
    assert run(mutants["* -> +"], [1]) == 3
    assert run(mutants["emptied"], [1]) is None
    assert run(mutants["not left out"], [1]) == 0


def test_the_same_change_twice_in_a_line_has_two_names() -> None:
    names = [mutant.name for mutant in of_python("def total():\n    return 1 + 1 + 1\n")]
    assert names[1:] == [
        "return 1 + 1 + 1: + -> -",
        "return 1 + 1 + 1: + -> - (2)",
        "return 1 + 1 + 1: 1 -> 2",
        "return 1 + 1 + 1: 1 -> 2 (2)",
        "return 1 + 1 + 1: 1 -> 2 (3)",
    ]


def test_answers_are_changed_as_a_whole_also_those_of_a_function_that_calls_itself() -> None:
    source = (
        "def total(numbers):\n"
        "    if not numbers:\n"
        "        return {'sum': 0, 'parts': []}\n"
        "    rest = total(numbers[1:])\n"
        "    return {'sum': numbers[0] + rest['sum'], 'parts': [numbers[0], *rest['parts']]}\n"
    )
    given = [5, 6]
    changed = {mutant.name: run(mutant, given) for mutant in of_answers(source, "total", [])}
    assert changed == {
        "answer: zeros": {"sum": 0, "parts": [0, 0]},
        "answer: off by one": {"sum": 12, "parts": [6, 7]},
        "answer: another order": {"sum": [6, 5], "parts": 11},
        "answer: last part left out": {"sum": 11},
        "answer: the input given back": None,  # the judge gives arguments by name
        "answer: nothing": None,
    }
    mutant = next(one for one in of_answers(source, "total", []) if "given back" in one.name)
    scope: dict[str, Any] = {}
    exec(mutant.source, scope)  # noqa: S102
    assert scope["total"](numbers=given) == given
    constant = list(of_answers(source, "total", [{"numbers": [1]}]))[-1]
    assert run(constant, given) == {"sum": 1, "parts": [1]}
