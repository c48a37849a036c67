"""How verdicts, times and data are written for people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.practice.templatetags.practice import (
    as_rows,
    duration,
    minutes,
    percent,
    tone,
    written,
    written_long,
)
from graders.verdict import Verdict


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0.4 ms"),
        (0.0096, "9.6 ms"),
        (0.12, "120 ms"),
        (0.9994, "999 ms"),
        (1.35, "1.35 s"),
    ],
)
def test_times_are_written_in_the_unit_that_people_read(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (0.999, "99 %"), (1.0, "100 %"), (0.29, "29 %")]
)
def test_only_a_full_score_reads_100_percent(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_wait_is_rounded_up() -> None:
    assert minutes(timedelta(minutes=14, seconds=1)) == 15


def test_every_verdict_has_a_colour_and_a_judge_error_is_not_the_candidates() -> None:
    colours = {verdict: tone(verdict.value) for verdict in Verdict}
    assert colours.pop(Verdict.ACCEPTED) == "ok"
    assert colours.pop(Verdict.TOO_SLOW) == "warn"
    assert colours.pop(Verdict.JUDGE_ERROR) == "ours"
    assert set(colours.values()) == {"bad"}
    assert tone("") == "none"


def test_objects_with_different_keys_share_a_table() -> None:
    rows = as_rows([{"name": "a", "ratio": 1.5}, {"name": "b", "note": "late"}])
    assert rows == {
        "headings": ["name", "ratio", "note"],
        "cells": [["a", 1.5, ""], ["b", "", "late"]],
    }


@pytest.mark.parametrize("value", [[], [1], [{}], [{"a": {"b": 1}}], {"a": 1}, "text", None])
def test_what_is_no_list_of_flat_objects_is_no_table(value: object) -> None:
    assert as_rows(value) is None


def test_values_are_written_for_people() -> None:
    assert written("as it is\n") == "as it is\n"
    assert written(True) == "yes"
    assert written(None) == "\N{EN DASH}"
    assert written(2.0000000001) == "2"
    assert written(50348611584.0) == "50,348,611,584"
    assert written(["a", 1]) == "a, 1"
    assert written_long({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
