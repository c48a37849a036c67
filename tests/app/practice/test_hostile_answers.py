"""No answer of a submission's program, however forged, is a fault of the judge.

A judging of each problem is recorded, frame by frame, and played back with one value of one frame
replaced: by what a harness would not write, or what no one should compute with.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, Self, cast

import pytest

from app.practice.judging import Mode, SandboxLauncher, judge
from graders.harness import wire
from graders.ports import Environment, Outcome, Output, ProgramSpec, StopReason, Usage
from graders.text import to_json
from graders.verdict import EventKind
from problems.package import SHIPPED, Package, read_package
from tests.graders.plain_launcher import PlainLauncher, PlainProgram, plain_launcher

SUBJECTS = [
    "round-3/parallelism-sizing",
    "round-3/pipeline-schedule",
    "round-4/ring-all-reduce",
    "round-4/ecmp-collisions",
    "round-4/pfc-deadlock",
    "round-5/kv-cache",
    "round-5/continuous-batching",
    "round-6/checkpointing",
    "round-6/gang-scheduler",
]
DEEP: Any = 1
for _ in range(60):
    DEEP = [DEEP]
HOSTILE: list[Any] = [
    None,
    True,
    -1,
    10**400,
    float("nan"),
    1e308,
    "",
    "a\ud800\0",
    "x" * 100_000,
    [],
    [1],
    {},
    {"a\ud800\0": 1},
    DEEP,
]
FRAMES = 3  # of each program that are tampered with
PATHS = 6  # of each frame
PROGRAMS = 2
Answer = bytes | Outcome
ENDED = Outcome(StopReason.EXITED, exit_code=0)


class Recorded(PlainLauncher):
    """Keeps what each program of the submission answered."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[list[Answer]] = []

    def start(self, spec: ProgramSpec) -> PlainProgram:
        program = super().start(spec)
        if is_checker(spec):
            return program
        answers: list[Answer] = []
        self.answers.append(answers)
        receive = program.receive

        def recording(time_limit_s: float) -> Answer:
            answers.append(receive(time_limit_s))
            return answers[-1]

        program.receive = recording  # type: ignore[method-assign]
        return program

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Checker:
    """The package's checker, one process for many judgings."""

    def __init__(self, program: PlainProgram) -> None:
        self._program = program
        self._ready = program.receive(30.0)
        self._asked = False

    def send(self, frame: bytes) -> None:
        self._asked = True
        self._program.send(frame)

    def receive(self, time_limit_s: float) -> Answer:
        return self._program.receive(time_limit_s) if self._asked else self._ready

    def close(self) -> Outcome:
        self._asked = False
        return ENDED


class Played:
    """A program that gives recorded answers, whatever it is asked."""

    def __init__(self, answers: list[Answer]) -> None:
        self._answers = iter(answers)

    def send(self, frame: bytes) -> None:
        pass

    def receive(self, time_limit_s: float) -> Answer:
        return next(self._answers, ENDED)

    def take_output(self) -> Output:
        return Output("", truncated=False)

    def usage(self) -> Usage:
        return Usage(0.0, 0.0)

    def close(self) -> Outcome:
        return ENDED


class Player:
    """Starts programs of a recording; one that it does not know ends at once."""

    def __init__(self, answers: list[list[Answer]], checkers: PlainLauncher) -> None:
        self._answers = iter(answers)
        self._checkers = checkers

    def start(self, spec: ProgramSpec) -> Played | Checker:
        if is_checker(spec):
            return checker_of(spec, self._checkers)
        return Played(next(self._answers, []))

    def offers(self, environment: Environment) -> bool:
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def is_checker(spec: ProgramSpec) -> bool:
    return "graders.harness.checker" in spec.argv


_CHECKERS: dict[int, Checker] = {}


def checker_of(spec: ProgramSpec, launcher: PlainLauncher) -> Checker:
    """The launcher's one checker."""
    if id(launcher) not in _CHECKERS:
        _CHECKERS[id(launcher)] = Checker(launcher.start(spec))
    return _CHECKERS[id(launcher)]


def judged(package: Package, launcher: Any) -> dict[str, Any]:
    """The report, as it would be kept."""
    source = package.files["reference.py"]
    spec = package.spec.model_copy(update={"cases": package.spec.cases[:1]})
    files = package.files
    events = list(judge(spec, files, source, Mode.SUBMIT, 1, cast(SandboxLauncher, launcher)))
    assert events[-1].kind is EventKind.VERDICT
    for event in events:
        kept = json.dumps(to_json(event.data), allow_nan=False, ensure_ascii=False)
        assert not re.search(r"(?<!\\)\\u0000", kept), "a database cannot hold it"
        kept.encode()
    return dict(events[-1].data)


def tampered(frame: bytes) -> Iterator[tuple[str, Any, bytes]]:
    """The frame with one value replaced, for each of its values and each hostile one."""
    message, blobs = wire.unpack(frame)
    for path in list(paths_of(message))[:PATHS]:
        for hostile in HOSTILE:
            changed = copy.deepcopy(message)
            place: Any = changed
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = hostile
            yield "/".join(map(str, path)), hostile, wire.pack(changed, *blobs)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))[:3]
    for key, one in inside:
        yield (*path, key)
        yield from paths_of(one, (*path, key))


@pytest.fixture
def checkers() -> Iterator[PlainLauncher]:
    with plain_launcher() as launcher:
        yield launcher
        _CHECKERS.pop(id(launcher), None)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_forged_answer_is_never_a_fault_of_the_judge(name: str, checkers: PlainLauncher) -> None:
    package = read_package(SHIPPED / name)
    recorded = Recorded()
    assert judged(package, recorded)["verdict"] == "AC"
    assert judged(package, Player(recorded.answers, checkers))["verdict"] == "AC"
    n_forged = 0
    for program, answers in enumerate(recorded.answers[:PROGRAMS]):
        for at, frame in enumerate(answers[:FRAMES]):
            assert isinstance(frame, bytes)
            for path, hostile, forged in tampered(frame):
                n_forged += 1
                changed = [list(each) for each in recorded.answers]
                changed[program][at] = forged
                try:
                    judged(package, Player(changed, checkers))
                except Exception as error:
                    error.add_note(f"program {program}, frame {at}, {path} = {hostile!r:.60}")
                    raise
    assert n_forged > 50
