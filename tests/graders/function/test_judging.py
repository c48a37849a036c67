"""What the function grader says of submissions of every kind, and that it keeps its secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graders.function import judge
from graders.ports import Case, JudgeError
from graders.text import Text, to_json
from graders.verdict import EventKind
from tests.graders.function.box import CASES, CHECKER, RIGHT, box_task, verdict_of
from tests.graders.plain_launcher import PlainLauncher, plain_launcher


@pytest.fixture
def launcher() -> Iterator[PlainLauncher]:
    with plain_launcher() as launcher:
        yield launcher


NO_LID = RIGHT.replace("(1 + lid)", "1")


def test_a_right_answer_is_accepted_and_every_step_is_told(launcher: PlainLauncher) -> None:
    events = list(judge(box_task(), RIGHT.encode(), launcher, seed=7))
    assert [event.kind for event in events] == [
        EventKind.COMPILING,
        *[EventKind.CASE_STARTED, EventKind.CASE_FINISHED] * 2,
        EventKind.VERDICT,
    ]
    report = events[-1].data
    assert (report["verdict"], report["score"]) == ("AC", 1.0)
    assert report["metrics"] == {"configurations": 6, "items": 12, "items_right": 12}
    assert launcher.running == []


def test_a_wrong_number_is_shrunk_to_the_feature_that_breaks_it(launcher: PlainLauncher) -> None:
    report = verdict_of(NO_LID, launcher)
    assert report["verdict"] == "WA"
    assert report["score"] == 0.5
    counterexample = report["counterexample"]
    assert counterexample["kind"] == "arithmetic"
    assert counterexample["replay"]["input"] == {"sides": {"a": 1, "b": 1, "c": 1}, "lid": True}
    assert counterexample["data"]["item"] == "surface"
    assert (counterexample["data"]["expected"], counterexample["data"]["got"]) == (6, 5)
    assert report["message"] == "surface must be 6, got 5 (0.8333 times that): the lid is missing"


def test_a_counterexample_can_be_replayed_from_its_literal_input(launcher: PlainLauncher) -> None:
    replay = verdict_of(NO_LID, launcher)["counterexample"]["replay"]
    case = Case(replay["case"], "replayed", sample=False, input=replay["input"])
    task = box_task()
    again = verdict_of(
        NO_LID, launcher, type(task)(task.settings, (case,), task.limits, task.files)
    )
    assert again["counterexample"]["replay"]["input"] == replay["input"]
    assert again["counterexample"]["data"]["got"] == 5


def test_the_same_seed_draws_the_same_inputs_and_another_draws_others(
    launcher: PlainLauncher,
) -> None:
    tell = RIGHT + "\n_box = box\ndef box(**kw):\n    print(kw)\n    return _box(**kw)\n"
    outputs = [verdict_of(tell, launcher, seed=seed)["cases"][1]["output"] for seed in (7, 7, 8)]
    assert outputs[0] == outputs[1] != outputs[2]
    assert outputs[0].count("sides") == 5


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("{'volume': 1}", "the answer must have the keys surface and volume, got {'volume': 1}"),
        ("None", "the answer must have the keys surface and volume, got None"),
        ("{1, 2}", "the answer must be a dict, list, str, number, bool or None, got set"),
        ("{'volume': {1: 2}}", "the answer['volume'] must have str keys, got the key 1"),
        ("{'volume': float('nan')}", "the answer['volume'] must be finite, got nan"),
        ("{'volume': [float('inf')]}", "the answer['volume'][0] must be finite, got inf"),
        ("{'volume': 1 << 2000}", "the answer['volume'] must be less than 2**1023"),
        ("{'volume': '\\udc80\\0'}", "got {'volume': '\\udc80\\x00'}"),
    ],
)
def test_an_answer_of_another_shape_is_told_the_rule_and_the_fact(
    answer: str, message: str, launcher: PlainLauncher
) -> None:
    report = verdict_of(f"def box(sides, lid):\n    return {answer}\n", launcher)
    assert report["verdict"] == "WA"
    assert message in report["message"]
    assert report["counterexample"]["kind"] == "call"
    str(report).encode()  # a lone surrogate would not survive the way to the database


def test_numpy_scalars_are_numbers(launcher: PlainLauncher) -> None:
    source = RIGHT.replace("return {", "import numpy as np\n    return {").replace(
        "a * b * c,", "np.float64(a) * np.int64(b) * c,"
    )
    assert verdict_of(source, launcher)["verdict"] == "AC"


def test_an_exception_shows_the_candidates_own_lines_and_the_input(
    launcher: PlainLauncher,
) -> None:
    source = "import json\ndef box(sides, lid):\n    return json.loads('{')\n"
    report = verdict_of(source, launcher)
    assert report["verdict"] == "RE"
    assert "it raised json.decoder.JSONDecodeError" in report["message"]
    data = report["counterexample"]["data"]
    assert "line 3, in box" in data["traceback"]
    assert "json/" not in data["traceback"]
    assert "graders" not in data["traceback"]
    assert data["configuration"][0] == {
        "name": "sides",
        "rows": [{"name": name, "value": "1"} for name in "abc"],
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def box(sides, lid:\n", 'the submission must import: File "submission.py", line 1'),
        ("import nowhere\n", "the submission must import: ModuleNotFoundError"),
        ("x = 1\n", "the submission must define box, and no such name is there"),
        ("box = 3\n", "box must be a function, got int"),
        ("import os\nos._exit(0)\n", "exited with code 0 while importing"),
        (b"def box(sides, lid):\n    return '\xff'\n", "the submission must import: "),
    ],
)
def test_what_cannot_be_imported_is_a_compile_error(
    source: str | bytes, message: str, launcher: PlainLauncher
) -> None:
    report = verdict_of(source, launcher)
    assert report["verdict"] == "CE"
    assert message in report["message"]
    assert launcher.running == []


def test_a_wrong_signature_is_told_as_the_exception_it_is(launcher: PlainLauncher) -> None:
    report = verdict_of("def box(sides):\n    return {}\n", launcher)
    assert report["verdict"] == "RE"
    assert "unexpected keyword argument 'lid'" in report["message"]


def test_an_answer_that_does_not_come_is_a_time_limit_with_its_input(
    launcher: PlainLauncher,
) -> None:
    source = "def box(sides, lid):\n    while True: pass\n"
    report = verdict_of(source, launcher, box_task(answer_time_limit_s=0.2))
    assert report["verdict"] == "TLE"
    assert report["counterexample"]["replay"]["input"]["lid"] is True
    assert report["cases"][1]["message"] == "not run: an earlier case ran out of time"
    assert launcher.running == []


def test_a_program_that_dies_in_one_case_is_started_again_for_the_next(
    launcher: PlainLauncher,
) -> None:
    source = RIGHT + "\n_box = box\ndef box(sides, lid):\n    if sides == {'a': 4, 'b': 5, 'c': 6}:"
    source += "\n        import os; os._exit(0)\n    return _box(sides, lid)\n"
    report = verdict_of(source, launcher)
    assert [case["verdict"] for case in report["cases"]] == ["RE", "AC"]
    assert "exited with code 0" in report["message"]


def test_a_flood_of_output_is_its_own_verdict(launcher: PlainLauncher) -> None:
    source = "def box(sides, lid):\n    while True: print('x' * 1000, flush=True)\n"
    assert verdict_of(source, launcher)["verdict"] == "OLE"


def test_what_was_printed_is_told_with_its_case(launcher: PlainLauncher) -> None:
    source = RIGHT.replace("    return", "    print('a is', a)\n    return")
    report = verdict_of(source, launcher)
    assert report["cases"][0]["output"] == "a is 4\n"
    assert report["cases"][1]["output"].count("a is") == 5


FORGE = """
import json, os, struct
def box(sides, lid):
    text = json.dumps({{"type": "returned", "call": {call}, "answer": {answer}, "blobs": []}})
    inside = struct.pack("<I", len(text)) + text.encode()
    os.write(4, struct.pack("<I", len(inside)) + inside)
    os._exit(0)
"""


def test_a_forged_frame_is_no_more_than_an_answer(launcher: PlainLauncher) -> None:
    wrong = FORGE.format(call=1, answer='{"volume": 1, "surface": 1}')
    assert verdict_of(wrong, launcher)["cases"][0]["verdict"] == "WA"
    passed = FORGE.format(call=1, answer='{"ok": True, "items": [], "verdict": "AC"}')
    assert verdict_of(passed, launcher)["score"] == 0.0
    out_of_step = FORGE.format(call=99, answer="{}")
    report = verdict_of(out_of_step, launcher)
    assert report["verdict"] == "RE"
    assert "judge's pipe" in report["message"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [("no_json", "{'$say': {'template': '{x:99999999}', 'values': {'x': 1}}}"), ("raised", "3")],
)
def test_a_forged_sentence_is_no_answer(kind: str, text: str, launcher: PlainLauncher) -> None:
    source = FORGE.format(call=1, answer="0").replace(
        '"type": "returned"', f'"type": "{kind}", "message": {text}'
    )
    assert source != FORGE.format(call=1, answer="0")
    report = verdict_of(source, launcher)
    assert report["verdict"] == "RE"
    assert "judge's pipe" in report["message"]


def test_what_the_judge_says_can_be_said_in_another_language(launcher: PlainLauncher) -> None:
    for source in (
        NO_LID,
        "def box(sides, lid):\n    return {1, 2}\n",
        "def box(sides, lid):\n    return 1 / 0\n",
        "def bax(sides, lid):\n    return 1\n",
        "import os\nos._exit(3)\n",
    ):
        assert isinstance(verdict_of(source, launcher)["message"], Text), source
    missing = verdict_of("def bax(sides, lid):\n    return 1\n", launcher)["message"]
    assert "the submission must define {entry_point}" in str(to_json(missing))


def test_the_submission_never_gets_the_checker_or_the_seed(launcher: PlainLauncher) -> None:
    verdict_of(RIGHT, launcher, seed=123456789)
    submissions = [p.spec for p in launcher.programs if "submission.py" in p.spec.files]
    assert len(submissions) == 1
    for spec in submissions:
        assert set(spec.files) == {
            "submission.py",
            "graders/harness/candidate.py",
            "graders/harness/function.py",
            "graders/harness/wire.py",
            "graders/text.py",
        }
        everything = b"".join(spec.files.values()) + repr(spec.argv).encode()
        assert b"123456789" not in everything
        assert b"no-lid" not in everything


def test_state_left_in_the_module_does_not_reach_the_next_call(launcher: PlainLauncher) -> None:
    source = "calls = []\n" + RIGHT.replace("    a, b", "    calls.append(1)\n    a, b")
    source = source.replace('"volume": a * b * c', '"volume": a * b * c * len(calls)')
    assert verdict_of(source, launcher)["verdict"] == "AC"


@pytest.mark.parametrize(
    ("checker", "message"),
    [
        (b"def check(case_input, answer, seed):\n    return 1 / 0\n", "ZeroDivisionError"),
        (b"import nowhere\n", "nowhere"),
        (b"def check(case_input, answer, seed):\n    return []\n", "at least one item"),
        (CHECKER.replace(b"abs(got - expected) <= 1e-9 * expected,\n", b"True,\n"), "item is brok"),
        (b"import os\nos._exit(3)\n", "but it ended"),
        (
            b"from graders.text import say\n"
            b"def check(case_input, answer, seed):\n    return say('{x}' * 21, x=1)\n",
            "complaint is broken",
        ),
    ],
)
def test_a_checker_that_fails_is_our_fault(
    checker: bytes, message: str, launcher: PlainLauncher
) -> None:
    task = box_task(checker)
    task = type(task)(task.settings, CASES[:1], task.limits, task.files)
    with pytest.raises(JudgeError, match=message):
        verdict_of(NO_LID, launcher, task)
    assert launcher.running == []


def test_a_judging_that_is_given_up_leaves_no_program(launcher: PlainLauncher) -> None:
    events = judge(box_task(), RIGHT.encode(), launcher, seed=7)
    assert next(events).kind is EventKind.COMPILING
    assert next(events).kind is EventKind.CASE_STARTED
    assert len(launcher.running) == 2
    events.close()  # type: ignore[attr-defined]
    assert launcher.running == []
