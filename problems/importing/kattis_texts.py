"""The files of an imported Kattis package: starter, checker, and programs as functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

HEAD = """\
Write `solve(stdin)`: it gets the whole input as one text and returns the whole output as another.

"""

EDITORIAL = "Why the solution is what it is.\n"

STARTER = '''\
def solve(stdin: str) -> str:
    """The whole output for the whole input."""
    lines = stdin.splitlines()
    return f"{len(lines)}\\n"
'''

_PROGRAM = '''\
"""A program that reads its standard input and writes its standard output, called as a function."""

import contextlib
import io
import sys


def solve(stdin: str) -> str:
    given, output = io.BytesIO(stdin.encode()), io.BytesIO()
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(given, encoding="utf-8")
    try:
        with contextlib.redirect_stdout(io.TextIOWrapper(output, encoding="utf-8")) as printed:
            try:
                exec(compile(PROGRAM, "program", "exec"), {"__name__": "__main__"})
            except SystemExit as ended:
                if ended.code:
                    raise RuntimeError(f"the program ended with code {ended.code}") from None
            printed.flush()
    finally:
        sys.stdin = before
    return output.getvalue().decode()


'''

_CHECKER = '''\
"""Compares an output with the answer file's, word by word."""

import hashlib
import math

from answers import ANSWERS
from graders.harness.items import Item
from graders.text import say

CASE_SENSITIVE = {case_sensitive}
SPACE_SENSITIVE = {space_sensitive}
ABSOLUTE, RELATIVE = {absolute}, {relative}  # None: numbers are compared as texts


def check(case_input, answer, seed):
    right = ANSWERS[hashlib.sha256(case_input["stdin"].encode()).hexdigest()]
    if not isinstance(answer, str):
        return say("the output must be a str, got {{type}}", type=type(answer).__name__)
    if SPACE_SENSITIVE and spaces(answer) != spaces(right):
        return say("the output must have the spaces and line ends of the answer, it has others")
    words, wanted = answer.split(), right.split()
    for at, (got, want) in enumerate(zip(words, wanted), start=1):
        if not same(got, want):
            return say(
                "the output must have {{want}} as its word {{at}}, got {{got}}",
                want=want[:80],
                at=at,
                got=got[:80],
            )
    if len(words) != len(wanted):
        return say(
            "the output must have {{want}} words, got {{got}}", want=len(wanted), got=len(words)
        )
    count = float(len(wanted))
    return [Item(name=say("words"), unit="", expected=count, got=count, tolerance=0.0, ok=True)]


def same(got, want):
    if got == want or (not CASE_SENSITIVE and got.lower() == want.lower()):
        return True
    if ABSOLUTE is None and RELATIVE is None:
        return False
    try:
        number, right = float(got), float(want)
    except ValueError:
        return False
    if not math.isfinite(number):
        return False
    distance = abs(number - right)
    return (ABSOLUTE is not None and distance <= ABSOLUTE) or (
        RELATIVE is not None and distance <= RELATIVE * abs(right)
    )


def spaces(text):
    return "".join(" " if letter == " " else letter for letter in text if letter.isspace())
'''


def checker(flags: Mapping[str, Any]) -> str:
    """checker.py for the default output validator with these arguments."""
    names = ("case_sensitive", "space_sensitive", "absolute", "relative")
    defaults = dict.fromkeys(names[:2], False) | dict.fromkeys(names[2:], None)
    return _CHECKER.format(**{**defaults, **flags})


def answers(right: Mapping[str, str]) -> str:
    """answers.py: SHA-256 of each input to the right output. Only the checker's sandbox has it."""
    rows = "".join(f"    {key!r}: {json.dumps(text)},\n" for key, text in right.items())
    return f'"""The right output, by the SHA-256 of the input."""\n\nANSWERS = {{\n{rows}}}\n'


def as_function(source: str) -> str:
    """A whole program as a submission that defines ``solve(stdin) -> str``."""
    if "'''" in source or "\\" in source:
        return f"{_PROGRAM}PROGRAM = {json.dumps(source)}\n"
    return f"{_PROGRAM}PROGRAM = '''\\\n{source.rstrip()}\n'''\n"
