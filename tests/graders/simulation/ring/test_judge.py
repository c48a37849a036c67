"""Judging from the first event to the verdict: each way to fail, and what is said of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graders.ports import Case
from graders.simulation import QUEUE, judge
from graders.text import Text, to_json
from graders.verdict import Event, EventKind
from tests.graders.plain_launcher import PlainLauncher, PlainProgram
from tests.graders.simulation.ring.conftest import Judge, body, case, task

PACKAGE = Path(__file__).parents[4] / "problems/round-4/ring-all-reduce"
REFERENCE = (PACKAGE / "reference.py").read_bytes()
EXCHANGE = """
    part = np.empty_like(buf)
    requests = [comm.irecv(part, left), comm.isend(buf, right)]
    for request in requests:
        request.wait()
    buf += part
"""


def test_events_come_in_their_order(events: Callable[..., list[Event]]) -> None:
    seen = events(REFERENCE, case(1, 3), case(2, 4, sample=True))
    assert [event.kind for event in seen] == [
        EventKind.COMPILING,
        EventKind.CASE_STARTED,
        EventKind.CASE_FINISHED,
        EventKind.CASE_STARTED,
        EventKind.CASE_FINISHED,
        EventKind.VERDICT,
    ]
    assert seen[3].data == {"index": 2, "total": 2, "name": "ranks-2-length-4-float64"}
    assert seen[-1].data["verdict"] == "AC"
    json.dumps([event.data for event in seen])  # they are saved as JSON
    assert QUEUE == "cpu"


def test_metrics_of_an_accepted_run(report: Judge) -> None:
    got = report(REFERENCE, case(1, 3), case(4, 8, sample=True))
    metrics = got["metrics"]
    assert metrics["bytes_ratio"] == metrics["time_ratio"] == 1.0
    assert metrics["cases"][1]["bytes_sent_by_rank"] == [96] * 4
    assert metrics["cases"][1]["time_us"] == pytest.approx(6.096)
    assert metrics["cases_not_run"] == []
    assert len(metrics["diagram"]["messages"]) == 24
    assert not any(arrow["bad"] for arrow in metrics["diagram"]["arrows"])


FAILURES = {
    "nothing is done": (
        "pass",
        "WA",
        "wrong_sum",
        "on rank 0 element 0 is .* it lacks the part of rank 1",
    ),
    "a part is added twice": (
        EXCHANGE + "    buf += part\n",
        "WA",
        "wrong_sum",
        "has the part of rank [12] twice",
    ),
    "the vector is replaced": (
        "total = buf.copy()\nbuf = total\nright and comm.isend(buf, right) and None",
        "WA",
        "unread",
        "no rank posted the irecv for rank 0's isend of 1 element",
    ),
    "a name is bound anew": (
        "part = np.empty_like(buf)\na = comm.irecv(part, left)\nb = comm.isend(buf, right)\n"
        "a.wait()\nb.wait()\nbuf = buf + part",
        "WA",
        "not_in_place",
        "buf is unchanged and nothing was written",
    ),
    "a receive is never met": (
        "comm.irecv(np.empty_like(buf), left)",
        "WA",
        "never_sent",
        "no rank posted the isend for rank 0's irecv",
    ),
    "all wait for their receives": (
        "comm.irecv(np.empty_like(buf), left).wait()",
        "WA",
        "deadlock",
        "rank 0 waits for its irecv from rank [12], .*: a cycle",
    ),
    "a rank leaves early": (
        "if rank: comm.irecv(np.empty_like(buf), 0).wait()",
        "WA",
        "deadlock",
        "rank 1 waits for its irecv from rank 0, which has returned",
    ),
    "a request is not waited for": (
        EXCHANGE.replace("in requests", "in requests[:1]"),
        "WA",
        "never_waited",
        "rank 0's isend of 1 element .* never was. Call wait",
    ),
    "a buffer that receives is written": (
        "part = np.empty_like(buf)\na = comm.irecv(part, left)\nb = comm.isend(buf, right)\n"
        "part[:] = 0\na.wait()\nb.wait()",
        "WA",
        "buffer_changed",
        r"the array given to irecv\(array, src=[12]\) must not change",
    ),
    "the misuse is caught and hidden": (
        "part = np.empty_like(buf)\na = comm.irecv(part, left)\nb = comm.isend(buf, right)\n"
        "part[:] = 0\ntry: a.wait()\nexcept Exception: pass\nb.wait()",
        "WA",
        "buffer_changed",
        "must not change before its wait",
    ),
    "lengths differ": (
        "a = comm.irecv(np.empty(2), left)\nb = comm.isend(buf[:1], right)\na.wait()\nb.wait()",
        "WA",
        "mismatch",
        "rank [012]'s isend of 1 element .* meets rank [012]'s irecv of 2 elements",
    ),
    "an exception": (
        "raise KeyError('chunk')",
        "RE",
        "raised",
        "rank 0 raised KeyError: 'chunk'",
    ),
    "sys.exit": ("sys.exit()", "RE", "raised", "rank 0 raised SystemExit"),
    "the program ends": ("os._exit(0)", "RE", "stopped_exited", "program exited with code 0"),
    "a signal": ("os.kill(os.getpid(), 9)", "RE", "stopped_signalled", "ended by signal 9"),
    "memory": (
        "raise MemoryError",
        "MLE",
        "raised",
        "rank 0 raised MemoryError",
    ),
    "an endless loop": ("while True: pass", "TLE", "time_limit", "may compute for 1 s"),
    "a flood of requests": (
        "while True: comm.isend(buf[:0], right)",
        "TLE",
        "time_limit",
        "may compute for 1 s",
    ),
    "too many requests": (
        "for _ in range(3000): comm.isend(buf[:0], right)",
        "WA",
        "flood",
        "may post 2048 requests .* has posted 2049",
    ),
    "a forged wait": (
        "comm._completed[0] = b''\ncomm.isend(buf, right).wait()",
        "RE",
        "stray_frame",
        "it went on before its request was complete",
    ),
    "a forged size": (
        "comm._buffer = buf\ncomm._tell('returned', b'12345', returned=None)",
        "RE",
        "stray_frame",
        "the vector that it gives back has another size",
    ),
    "a forged request": (
        "op = {'op': 'send', 'request': 0, 'peer': right, 'dtype': 'O', 'count': 1}\n"
        "if n > 1: comm._ops.append(op)",
        "RE",
        "stray_frame",
        "its array has no dtype or length",
    ),
    "a forged peer": (
        "comm._ops.append({'op': 'recv', 'request': 0, 'peer': rank, 'dtype': '<f8', 'count': 1})",
        "RE",
        "stray_frame",
        "its peer is no other rank",
    ),
    "a forged sentence": (
        "text = {'$say': {'template': '{x:99999999}', 'values': {'x': 1}}}\n"
        "comm._tell('raised', error='E', message=text, traceback='')",
        "RE",
        "stray_frame",
        "its exception has no text",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_named(name: str, report: Judge) -> None:
    text, verdict, kind, message = FAILURES[name]
    step_time_limit_s = 1.0 if verdict == "TLE" else 10.0
    got = report(body(text), case(3, 1), step_time_limit_s=step_time_limit_s)
    assert got["verdict"] == verdict, got["message"]
    assert got["counterexample"]["data"]["failure"] == kind
    assert re.search(message, got["message"]), got["message"]
    assert isinstance(got["message"], Text)  # or it would stay English
    assert got["score"] == 0
    template = got["counterexample"]["kind"] + ".html"
    assert (PACKAGE.parents[2] / "templates/practice/counterexamples" / template).is_file()


def test_who_knows_the_seed_must_still_send(report: Judge) -> None:
    guesses = body("""
        import hashlib
        shape = (n, len(buf))
        text = f"1/{n}/{len(buf)}/float64"
        entropy = int.from_bytes(hashlib.sha256(text.encode()).digest(), "little")
        generator = np.random.default_rng(entropy)
        sign = generator.choice([-1, 1], shape)
        buf[:] = (generator.uniform(1, 2, shape) * sign).sum(axis=0)
    """)
    got = report(guesses, case(3, 30), seed=1)
    assert got["verdict"] == "WA"
    assert "these ranks sent 0 bytes, too few to know the sum" in got["message"]


def test_ranks_that_do_not_share_the_work_are_slow(report: Judge) -> None:
    chain = (PACKAGE / "submissions/too_slow/reduce_and_broadcast.py").read_bytes()
    got = report(chain, case(8, 8))
    assert got["verdict"] == "SLOW"
    assert "each must send 2(n-1)/n of the vector, 112 bytes" in got["message"]
    assert "rank 0 sent 64 and another 128, 1.14 times the ideal" in got["message"]


def test_a_single_rank_may_not_change_its_vector(report: Judge) -> None:
    got = report(body("buf *= 1 + 2**-52"), case(1, 3))
    assert got["verdict"] == "WA"
    assert "every rank must end with the sum" in got["message"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_an_early_read_is_seen_whatever_the_dtype(dtype: str, report: Judge) -> None:
    early = (PACKAGE / "submissions/wrong_answer/adds_before_wait.py").read_bytes()
    got = report(early, case(2, 4, dtype))
    assert "read between irecv and its wait()" in got["message"]


def first_bad(got: dict[str, Any]) -> tuple[int, int, str] | None:
    rows = [row for row in got["counterexample"]["data"]["diagram"]["messages"] if row["bad"]]
    return (rows[0]["source"], rows[0]["target"], rows[0]["start"]) if rows else None


SWAPPED = """
    part = np.empty(1)
    requests = [comm.irecv(buf[1:] if rank else part, left), comm.isend(buf[:1], right)]
    for request in requests:
        request.wait()
"""


@pytest.mark.parametrize(
    ("source", "bad"),
    [
        # Rank 1 writes what was element 0 of rank 0 to element 1.
        (body(SWAPPED), (0, 1, "0 \u00b5s")),
        # The second round passes on what already holds a part twice.
        (body(EXCHANGE + EXCHANGE + EXCHANGE), (0, 1, "2.016 \u00b5s")),
        # The unfinished chunk is copied over the finished one on rank 1.
        ("off_by_one_chunks", (0, 1, "1.008 \u00b5s")),
        # What is missing cannot be marked.
        ("all_gather_missing", None),
    ],
)
def test_the_first_bad_message_of_a_wrong_sum_is_marked(
    source: bytes | str, bad: tuple[int, int, str] | None, report: Judge
) -> None:
    if isinstance(source, str):
        source = (PACKAGE / f"submissions/wrong_answer/{source}.py").read_bytes()
    assert first_bad(report(source, case(2, 2))) == bad


MISUSES = {
    "comm.isend([1.0], right)": "TypeError: isend: array must be a numpy array, got list",
    "comm.isend(np.ones((2, 2)), right)": r"isend: array must be 1-D, got shape \(2, 2\)",
    "comm.isend(np.array(['a']), right)": "isend: array must hold numbers, got dtype <U1",
    "comm.irecv(buf, 'left')": "TypeError: irecv: src must be an integer, got str",
    "comm.irecv(buf, n)": "ValueError: irecv: src must be 0 to 0, got 1",
    "comm.isend(buf, -1)": "ValueError: isend: dst must be 0 to 0, got -1",
    "comm.isend(buf, rank)": "isend: dst must be another rank, got 0 on rank 0",
    "comm.irecv(np.frombuffer(bytes(8)), right)": "irecv: array must be writeable",
}


@pytest.mark.parametrize("call", MISUSES)
def test_a_wrong_argument_is_refused_with_rule_and_fact(call: str, report: Judge) -> None:
    got = report(body(call), case(2, 1))
    assert got["verdict"] == "RE"
    assert re.search(MISUSES[call], got["message"]), got["message"]
    assert "{error}: {fact}" in str(to_json(got["message"]))  # or it would stay English
    # The traceback shows the candidate's line and none of ours.
    trace = got["counterexample"]["data"]["detail"]["traceback"]
    assert call in trace
    assert "collective.py" not in trace


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"def all_reduce(comm, buf)\n    pass", "SyntaxError"),
        (b"import torch_that_is_not_there", "ModuleNotFoundError"),
        (b"x = 1 / 0", "ZeroDivisionError"),
        (b"all_reduce = 3", "all_reduce must be a function, got int"),
        (b"\xff\xfe", "SyntaxError"),
        (b"raise SystemExit", "SystemExit"),
        (b"import os; os._exit(0)", "program exited with code 0"),
    ],
)
def test_what_cannot_be_imported_is_a_compile_error(
    source: bytes, message: str, report: Judge, launcher: PlainLauncher
) -> None:
    got = report(source, case(2, 2))
    assert got["verdict"] == "CE"
    assert message in got["message"]
    assert launcher.running == []


def test_an_import_error_shows_only_the_candidates_lines(report: Judge) -> None:
    source = b"def half(x):\n    return x / 0\n\nhalf(3)\n"
    output = report(source, case(2, 2))["counterexample"]["data"]["output"]
    assert "line 4" in output
    assert "line 2, in half" in output
    assert "collective" not in output


def test_the_counterexample_is_the_smallest_and_replays(report: Judge) -> None:
    wrong = (PACKAGE / "submissions/wrong_answer/blocking_sends_deadlock.py").read_bytes()
    got = report(wrong, case(6, 30))
    example = got["counterexample"]
    assert example["replay"]["input"] == {"n_ranks": 2, "length": 1, "dtype": "float64"}
    assert "2 ranks, 1 element of float64; this case has 6 ranks, 30 elements" in got["message"]
    replay = example["replay"]
    again = report(wrong, Case(replay["case"], "", False, replay["input"]), seed=replay["seed"])
    assert again["counterexample"] == example


def test_a_failure_that_needs_many_ranks_is_not_shrunk_into_another(report: Judge) -> None:
    only_five = body("if n == 5: raise ValueError('five')\nif n > 1: raise TypeError('small')")
    got = report(only_five, case(5, 2))
    assert got["counterexample"]["replay"]["input"]["n_ranks"] == 5
    assert "ValueError: five" in got["message"]


def test_a_failure_left_by_an_earlier_run_is_not_shown_as_a_smaller_one(report: Judge) -> None:
    # What is patched stays patched in a program, so after n = 3 even n = 1 fails: but not afresh.
    poisoned = body("""
        if n == 3: np.poisoned = True
        if hasattr(np, "poisoned"): raise ValueError("poisoned")
    """)
    got = report(poisoned, case(3, 2))
    assert got["counterexample"]["replay"]["input"]["n_ranks"] == 3


def test_a_frame_after_the_return_fails_the_run_that_left_it(report: Judge) -> None:
    source = body("""
        comm._tell("returned", buf.tobytes(), returned=None)
    """)
    got = report(source, case(1, 4))
    assert got["verdict"] == "RE"
    assert "it came after the call had returned" in got["message"]
    assert got["counterexample"]["replay"]["input"]["length"] == 1


def test_judging_twice_gives_the_same_report(events: Callable[..., list[Event]]) -> None:
    wrong = (PACKAGE / "submissions/wrong_answer/own_order_of_sums.py").read_bytes()

    def once() -> Any:
        last = json.loads(json.dumps(events(wrong, case(3, 9), case(4, 8), seed=4)[-1].data))
        for each in last["cases"]:
            del each["time_s"], each["memory_mib"]
        return last

    assert once() == once()


def test_after_three_failed_cases_the_rest_is_not_run(report: Judge) -> None:
    cases = [case(2, length) for length in range(1, 6)]
    got = report(body("pass"), *cases)
    assert [each["name"] for each in got["cases"]] == [each.name for each in cases[:3]]
    assert got["metrics"]["cases_not_run"] == [each.name for each in cases[3:]]


def test_what_was_not_run_earns_nothing(report: Judge) -> None:
    got = report(body("pass"), case(1, 2), *[case(2, length) for length in range(1, 8)])
    assert got["score"] == pytest.approx(1 / 8)


def test_slow_cases_do_not_end_the_run_and_earn_their_ratio(report: Judge) -> None:
    slow = (PACKAGE / "submissions/too_slow/takes_turns.py").read_bytes()
    cases = [case(2, length) for length in range(1, 6)]
    got = report(slow, *cases)
    assert got["verdict"] == "SLOW"
    assert len(got["cases"]) == 5
    assert got["score"] == pytest.approx(0.5, abs=0.01)
    assert got["metrics"]["time_ratio"] == pytest.approx(2, abs=0.02)


def test_a_rank_that_dies_does_not_spoil_the_next_case(
    report: Judge, launcher: PlainLauncher
) -> None:
    source = REFERENCE.replace(b"    if n == 1:", b"    assert len(buf) != 3\n    if n == 1:")
    got = report(source, case(3, 3), case(3, 4), case(2, 8))
    assert [each["verdict"] for each in got["cases"]] == ["RE", "AC", "AC"]
    assert launcher.running == []


def test_no_module_state_survives_a_call(report: Judge) -> None:
    source = REFERENCE.replace(b"    n, rank", b"    CALLS.append(1)\n    n, rank", 1)
    source = b"CALLS = []\n" + source.replace(
        b"    if n == 1:", b"    assert CALLS == [1]\n    if n == 1:"
    )
    assert report(source, case(2, 2), case(2, 3))["verdict"] == "AC"


def test_output_is_shown_by_rank_and_by_case(report: Judge) -> None:
    source = REFERENCE.replace(b"    if n == 1:", b"    print(rank, len(buf))\n    if n == 1:")
    got = report(source, case(2, 2), case(2, 3))
    assert [each["output"] for each in got["cases"]] == [
        "[rank 0] 0 2\n[rank 1] 1 2\n",
        "[rank 0] 0 3\n[rank 1] 1 3\n",
    ]


def test_what_a_killed_rank_printed_is_not_lost(report: Judge) -> None:
    got = report(body("print('here', rank)\ncomm.irecv(buf, left).wait()"), case(2, 1))
    assert got["cases"][0]["output"] == "[rank 0] here 0\n[rank 1] here 1\n"


def test_a_flood_of_output_is_an_output_limit(report: Judge) -> None:
    got = report(body("while True: print('x' * 999)"), case(2, 1), output_kib=4)
    assert got["verdict"] == "OLE"
    assert got["cases"][0]["output_truncated"]
    assert len(got["cases"][0]["output"]) <= 4096


def test_judging_that_is_given_up_leaves_no_program(launcher: PlainLauncher) -> None:
    stream = judge(task(case(2, 2), case(3, 3)), REFERENCE, launcher, 1)
    for event in stream:
        if event.kind is EventKind.CASE_FINISHED:
            break
    assert launcher.running
    stream.close()  # type: ignore[attr-defined]
    assert launcher.running == []


def test_programs_are_started_once_for_all_cases(report: Judge, launcher: PlainLauncher) -> None:
    report(REFERENCE, case(2, 2), case(4, 4), case(3, 3))
    assert len(launcher.programs) == 4


def test_a_program_is_told_neither_seed_nor_what_is_expected(
    report: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    send = PlainProgram.send

    def tapped(program: PlainProgram, frame: bytes) -> None:
        sent.append(frame)
        send(program, frame)

    monkeypatch.setattr(PlainProgram, "send", tapped)
    report(REFERENCE, case(2, 2), seed=918273645)
    assert len(sent) > 4
    assert not any(b"918273645" in frame or b"seed" in frame for frame in sent)


def test_settings_that_the_simulator_does_not_know_are_our_error(launcher: PlainLauncher) -> None:
    bad = task(case(2, 2))
    settings = {**bad.settings, "parameters": {"alpha_s": 1e-6, "gamma": 1}}
    with pytest.raises(ValueError, match="parameters must be alpha_s and beta_s_per_byte"):
        list(judge(type(bad)(settings, bad.cases, bad.limits, {}), REFERENCE, launcher, 1))
