"""What a stateful submission can do wrong, and that it is told with the shortest sequence."""

from __future__ import annotations

from typing import Any

import pytest

from graders.ports import Case
from tests.graders.simulation.stateful.conftest import REFERENCE, Report, drawn, literal

ONE = literal(["allocate", "A", [1, 2, 3]], ["append", "A", 4], ["free", "A"])


def changed(old: str, new: str) -> str:
    assert old in REFERENCE
    return REFERENCE.replace(old, new)


def shown(report: dict[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = report["counterexample"]["data"]["operations"]
    return steps


def test_the_reference_is_accepted_on_literal_and_drawn_cases(report: Report) -> None:
    last = report(REFERENCE, ONE, drawn())
    assert (last["verdict"], last["score"]) == ("AC", 1.0)


def test_what_a_submission_cannot_do_alone_is_found_and_cut_to_the_calls_that_show_it(
    report: Report,
) -> None:
    never_copies = changed("or self.references[sequence.table[-1]] > 1", "")
    last = report(never_copies, drawn(least=10, most=25))
    assert last["verdict"] == "WA"
    calls = [step["call"].partition("(")[0] for step in shown(last)]
    assert calls == ["allocate", "fork", "append"]
    assert [step["ok"] for step in shown(last)] == [True, True, False]
    assert [step["shown"] for step in shown(last)] == [False, False, True]
    assert "you write into a block that another sequence reads" in last["message"]


def test_a_counterexample_replays_from_its_own_data(report: Report) -> None:
    saltless = changed("if prefixes else salt", 'if prefixes else ""')
    found = report(saltless, drawn(examples=200, most=30))
    replay = found["counterexample"]["replay"]
    again = report(saltless, Case("drawn", "a test", sample=True, input=replay["input"]))
    assert found["verdict"] == again["verdict"] == "WA"
    assert again["counterexample"]["summary"] == found["counterexample"]["summary"]
    assert again["counterexample"]["replay"]["input"] == replay["input"]


def test_a_recorded_sequence_loses_the_calls_that_do_not_matter(report: Report) -> None:
    case = literal(
        ["allocate", "A", [1]],
        ["append", "A", 2],
        ["allocate", "B", [1, 2]],
        ["free", "A"],
        num_blocks=6,
    )
    last = report(changed("(len(tokens) - 1) // size", "len(tokens) // size"), case)
    assert [step["call"] for step in shown(last)] == [
        "allocate('A', [1])",
        "append('A', 2)",
        "allocate('B', [1, 2])",
    ]


def test_the_same_seed_gives_the_same_counterexample(report: Report) -> None:
    source = changed("self.free_blocks.push_head(block)", "self.free_blocks.push_tail(block)")
    first, again = (report(source, drawn(), seed=5)["counterexample"] for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("answer", "fragment"),
    [
        ("None", "must return [0, [1, 2]], got None"),
        ("[0, [1]]", "got [0, [1]]"),
        ("[False, [1, 2]]", "got [False, [1, 2]]"),
        ("[0, [1, 2], 3]", "got [0, [1, 2], 3]"),
        ("[0.5, [1, 2]]", "got [0.5, [1, 2]]"),
        ("{1, 2}", "every answer must be plain JSON"),
        ("float('nan')", "got nan"),
    ],
)
def test_an_answer_of_another_value_or_shape_is_refused(
    report: Report, answer: str, fragment: str
) -> None:
    source = changed("return [len(hits) * size, list(table)]", f"return {answer}")
    last = report(source, ONE)
    assert (last["verdict"], fragment in last["message"]) == ("WA", True), last["message"]


def test_numpy_numbers_and_tuples_are_as_good(report: Report) -> None:
    source = "import numpy as np\n" + changed(
        "return [len(hits) * size, list(table)]", "return np.int64(len(hits) * size), tuple(table)"
    )
    # The future import must stay first.
    source = source.replace("from __future__ import annotations\n", "")
    assert report(source, ONE)["verdict"] == "AC"


def test_an_exception_is_told_with_the_call_and_the_candidates_own_lines(report: Report) -> None:
    last = report(changed("sequence.tokens.append(token)", "raise LookupError(token)"), ONE)
    assert (last["verdict"], last["message"]) == (
        "RE",
        "append must return without an exception: it raised LookupError: 4",
    )
    data = last["counterexample"]["data"]
    assert "raise LookupError(token)" in data["traceback"]
    assert [step["call"] for step in data["operations"]][-1] == "append('A', 4)"


def test_a_loop_without_end_is_a_time_limit_and_ends_the_judging(report: Report) -> None:
    source = changed("sequence.tokens.append(token)", "while True: pass")
    last = report(source, ONE, drawn(), step_time_limit_s=0.5)
    assert last["verdict"] == "TLE"
    assert last["metrics"]["cases_not_run"] == ["drawn"]
    assert last["score"] == 0


def test_leaving_in_the_middle_is_told(report: Report) -> None:
    last = report(changed("sequence.tokens.append(token)", "import os; os._exit(0)"), ONE)
    assert (last["verdict"], "program exited with code 0" in last["message"]) == ("RE", True)


def test_a_submission_that_answers_by_chance_is_refused_and_harms_nobody(report: Report) -> None:
    source = changed(
        "return [len(hits) * size, list(table)]",
        "import os; return [len(hits) * size + os.urandom(1)[0] % 2, list(table)]",
    )
    assert report(source, drawn())["verdict"] == "WA"


@pytest.mark.parametrize(
    ("source", "fragment"),
    [
        ("class Other: pass", "the submission must define BlockManager"),
        ("class BlockManager:", "must be importable"),
        ("raise SystemExit(3)", "must be importable"),
    ],
)
def test_what_cannot_be_imported_is_a_compile_error(
    report: Report, source: str, fragment: str
) -> None:
    last = report(source, ONE)
    assert (last["verdict"], fragment in last["message"]) == ("CE", True), last["message"]


def test_what_was_printed_stands_with_its_case_and_the_search_prints_nothing(
    report: Report,
) -> None:
    source = changed("sequence.tokens.append(token)", "print('append', token); raise ValueError")
    cases = report(source, ONE)["cases"]
    assert cases[0]["output"] == ""
    right = changed("sequence.tokens.append(token)", "sequence.tokens.append(token); print(token)")
    assert report(right, ONE)["cases"][0]["output"] == "4\n"


@pytest.mark.parametrize(
    "fields",
    [
        {"num_blocks": 4, "block_size": 2},
        {"num_blocks": 0, "block_size": 2, "operations": []},
        {"num_blocks": 4, "block_size": 2, "operations": [["append", "A", 1]]},
        {"num_blocks": 4, "block_size": 2, "operations": [["grow", "A"]]},
        {"num_blocks": 4, "block_size": 2, "operations": [["free"]]},
        {"draw": {"examples": 3}},
        {"growth": {"small": 1, "large": 2, "operations": 100}},
    ],
)
def test_a_case_that_no_package_may_hold_is_our_fault(
    report: Report, fields: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"must|takes"):
        report(REFERENCE, Case("broken", "a test", sample=True, input=fields))
