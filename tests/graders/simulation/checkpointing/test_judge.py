"""What a checkpoint store can do wrong, and that the way to it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graders.ports import Case, ProgramLimits, Task
from graders.simulation import judge
from graders.simulation.checkpointing import alone
from graders.simulation.checkpointing.restoring import restore
from tests.graders.plain_launcher import PlainLauncher, plain_launcher

PACKAGE = Path(__file__).parents[4] / "problems/round-6/checkpointing"
REFERENCE = (PACKAGE / "reference.py").read_text()
SETTINGS = {
    "kind": "simulation",
    "simulator": "checkpointing",
    "entry_point": "Checkpointer",
    "step_time_limit_s": 10.0,
    "parameters": {"max_blocked_ms": 200.0},
}
LIMITS = ProgramLimits(cpu_time_s=20, wall_time_s=60, memory_mib=512, output_kib=64)
Report = Callable[..., dict[str, Any]]


@pytest.fixture
def launcher() -> Iterator[PlainLauncher]:
    with plain_launcher() as launcher:
        yield launcher


@pytest.fixture
def report(launcher: PlainLauncher) -> Report:
    def last(source: str, n_ranks: int = 1, saves: int = 2, **changes: Any) -> dict[str, Any]:
        case = Case("job", "a test", sample=True, input={"n_ranks": n_ranks, "saves": saves})
        files = {"reference.py": REFERENCE.encode()}
        task = Task({**SETTINGS, **changes}, (case,), LIMITS, files)
        events = list(judge(task, source.encode(), launcher, 1))
        assert launcher.running == [], "judging must leave no program running"
        return dict(events[-1].data)

    return last


def changed(*edits: tuple[str, str]) -> str:
    source = REFERENCE
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    return source


def steps(report: dict[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = report["counterexample"]["data"]["operations"]
    return listed


def test_the_timeline_ends_with_the_crash_what_was_lost_and_what_the_disk_held(
    report: Report,
) -> None:
    last = report(changed(('        yield ("fsync", mine)\n', "")))
    assert last["verdict"] == "WA"
    *before, crash = steps(last)
    assert [step["call"].split(": ")[-1].partition("(")[0] for step in before][:3] == [
        "resume",
        "create",
        "write",
    ]
    (write,) = (step for step in before if "write('1.rank-0'" in step["call"])
    assert write["mark"] == "half lost"
    assert write["note"] == "In this crash only half of it had reached the disk."
    assert crash["call"] == "crash"
    assert crash["shown"]
    assert crash["rows"][0]["expected"] == "None or step 1"
    held = {cell["name"]: cell["lines"][0] for cell in crash["views"][0]["cells"]}
    assert held["1.rank-0"] == "16 bytes"


def test_a_mistake_of_the_second_life_is_told_with_both_lives(report: Report) -> None:
    skips = changed(
        ('        yield ("create", mine)\n', '        names = yield ("list",)\n'),
        (
            '        yield ("write", mine, copy)\n',
            '        if mine not in names:\n            yield ("create", mine)\n'
            '            yield ("write", mine, copy)\n',
        ),
    )
    last = report(skips)
    assert last["verdict"] == "WA"
    calls = [step["call"] for step in steps(last)]
    assert calls.count("crash and restart") == 1
    assert calls[-1] == "crash"


def test_what_other_restores_left_in_the_program_does_not_help(report: Report) -> None:
    special = changed(
        ('LATEST = "latest"\n', 'import sys\nLATEST = "latest"\n'),
        (
            "        if LATEST not in disk.list():\n",
            '        sys.asked = getattr(sys, "asked", 0) + 1\n'
            "        if sys.asked == 1 or LATEST not in disk.list():\n",
        ),
    )
    last = report(special)
    assert (last["verdict"], "the disk alone" in last["message"]) == ("WA", True)


def test_what_easier_crashes_showed_does_not_help_where_data_is_lost(report: Report) -> None:
    cheat = PACKAGE / "submissions/cheat/learns_from_easier_crashes.py"
    last = report(cheat.read_text())
    assert (last["verdict"], "the disk alone" in last["message"]) == ("WA", True)
    crash = steps(last)[-1]
    assert (crash["call"], crash["shown"]) == ("crash", True)


def test_the_reference_survives_hundreds_of_crashes_and_then_each_disk_alone(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No program sees a state on two disks: the submission could look into the whole request."""
    requests: list[list[set[bytes]]] = []

    def spy(program: Any, crashes: list[Any], *rest: Any) -> Any:
        requests.append([{x for x in crash.image.values() if len(x) >= 16} for crash in crashes])
        return restore(program, crashes, *rest)

    monkeypatch.setattr(alone, "restore", spy)
    last = report(REFERENCE, n_ranks=2)
    assert (last["verdict"], last["score"]) == ("AC", 1.0)
    metrics = last["cases"][0]["metrics"]
    assert metrics["crashes"] > 200
    assert metrics["blocked_ms_per_save"] == 1.0
    disks = [states for request in requests for states in request]
    assert len(disks) > 80, "40 of the first life in turns, others of second lives"
    for request in requests:
        together = set().union(*request)
        assert sum(map(len, request)) == len(together)


def test_training_that_stands_still_is_slow_by_simulated_time(report: Report) -> None:
    last = report(changed(('        yield ("resume",)\n', "")))
    assert last["verdict"] == "SLOW"
    assert last["counterexample"]["data"]["blocked_ms_per_save"] == 3388.5
    assert last["score"] == pytest.approx(200 / 3388.5)


def test_a_slow_save_is_drawn_beside_the_references_save_of_the_same_step(report: Report) -> None:
    last = report(changed(('        yield ("resume",)\n', "")), n_ranks=2)
    assert last["counterexample"]["kind"] == "lanes"
    figure = last["counterexample"]["data"]["figure"]
    lanes = figure["lanes"]
    assert [lane["label"] for lane in lanes[:2]] == ["rank 0", "rank 1"]
    assert [lane["label"] for lane in lanes[2:]] == [
        "the reference, rank 0",
        "the reference, rank 1",
    ]
    tones = [{span["tone"] for span in lane["spans"]} for lane in lanes]
    assert tones[0] == {"save", "start", "wait"}, "nothing of it is in the background"
    assert tones[2] == {"save", "work"}, "all but the resume is in the background"
    assert {lane["limit_x"] for lane in lanes} == {lanes[0]["limit_x"]} != {None}
    still = [lane["value"] for lane in lanes]
    assert int(still[0].split()[0]) > 3000
    assert still[2] == "1 ms still"
    writes = [row for row in figure["rows"] if row["what"] == "write" and row["lane"] == "rank 1"]
    assert [float(row["end"]) - float(row["begin"]) for row in writes] == [3201]


def test_a_background_write_that_outlasts_the_interval_blocks_the_next_save(
    report: Report,
) -> None:
    many = "        for _ in range(4):\n            yield ('create', 'again')\n"
    many += "            yield ('write', 'again', copy)\n"
    slow = changed(('        yield ("create", mine)\n', many + '        yield ("create", mine)\n'))
    last = report(slow)
    # Five writes of 3,201 ms in the background, 10,000 ms between two saves.
    assert last["verdict"] == "SLOW"
    data = last["counterexample"]["data"]
    assert data["blocked_ms_per_save"] > 5000
    tones = {span["tone"] for lane in data["figure"]["lanes"] for span in lane["spans"]}
    assert "lost" in tones, "what holds up the next save is marked"


@pytest.mark.parametrize(
    ("edit", "verdict", "fragment"),
    [
        (('yield ("barrier",)', 'yield ("wait",)'), "WA", "an operation must be one of"),
        (
            ('yield ("fsync_dir",)', 'yield ("fsync_dir", "x")'),
            "WA",
            "takes 0 file names",
        ),
        (('yield ("create", mine)', 'yield ("create", "a/b")'), "WA", "no slash"),
        (('yield ("create", mine)', "yield 7"), "WA", "an operation must be a tuple"),
        (("mine, copy)", 'mine, "text")'), "WA", "write takes bytes, got str"),
        (('yield ("create", mine)', "pass"), "WA", "write needs a file that exists"),
        (('yield ("create", mine)', "raise OSError(5)"), "RE", "save must return without"),
        (('yield ("create", mine)', "import os; os._exit(3)"), "RE", "it exited with code 3"),
        (("return step, disk", "return step + 1, disk"), "WA", "restore must give the newest step"),
        (("return step, disk.read", "return step, len(disk.list()) or"), "WA", "must be bytes"),
        (("        if LATEST not in disk.list():", "        if True:"), "WA", "step 1 was safe"),
        (
            ('yield ("barrier",)', "while True:\n            yield ('list',)"),
            "WA",
            "a rank may do 200 operations in a save",
        ),
    ],
)
def test_a_broken_rule_is_told(
    report: Report, edit: tuple[str, str], verdict: str, fragment: str
) -> None:
    last = report(changed(edit))
    assert (last["verdict"], fragment in last["message"]) == (verdict, True), last["message"]


def test_a_save_that_is_no_generator_is_told(report: Report) -> None:
    source = "class Checkpointer:\n    def __init__(self, *a): pass\n"
    source += (
        "    def save(self, step, state): return []\n    def restore(self, disk): return None\n"
    )
    last = report(source)
    assert "save must be a generator" in last["message"]


def test_the_same_seed_gives_the_same_counterexample(report: Report) -> None:
    source = changed(('        yield ("fsync", draft)\n', ""))
    first, again = (report(source, n_ranks=2)["counterexample"] for _ in range(2))
    assert first == again
