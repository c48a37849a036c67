"""The launcher of the tests itself: what it promises to the graders' tests must hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graders.ports import Outcome, ProgramLimits, ProgramSpec, StopReason
from tests.graders.plain_launcher import PlainLauncher, PlainProgram, plain_launcher

ECHO = """
import os, struct, sys
while header := os.read(3, 4):
    (length,) = struct.unpack("<I", header)
    body = os.read(3, length) if length else b""
    print("got", len(body), flush=True)
    os.write(4, header + body)
"""


@pytest.fixture
def launcher() -> Iterator[PlainLauncher]:
    with plain_launcher() as launcher:
        yield launcher


def start(launcher: PlainLauncher, source: str, wall_time_s: float = 20.0) -> PlainProgram:
    limits = ProgramLimits(cpu_time_s=10, wall_time_s=wall_time_s, memory_mib=256, output_kib=1)
    return launcher.start(ProgramSpec(("python", "main.py"), {"main.py": source.encode()}, limits))


def ending(program: PlainProgram, time_limit_s: float = 10.0) -> Outcome:
    outcome = program.receive(time_limit_s)
    assert isinstance(outcome, Outcome)
    return outcome


def test_frames_come_back_whole_and_in_order(launcher: PlainLauncher) -> None:
    program = start(launcher, ECHO)
    for frame in (b"", b"one", b"x" * 5000):
        program.send(frame)
        assert program.receive(10) == frame
    program.close()
    assert program.take_output().text == "got 0\ngot 3\ngot 5000\n"


def test_a_late_answer_kills_the_program(launcher: PlainLauncher) -> None:
    program = start(launcher, "while True: pass")
    assert ending(program, 0.1).reason is StopReason.WALL_TIME
    assert ending(program).reason is StopReason.WALL_TIME


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise SystemExit(3)", StopReason.EXITED),
        ("import os; os.kill(os.getpid(), 11)", StopReason.SIGNALLED),
        ("while True: print('x' * 99)", StopReason.OUTPUT),
        ("import os; os.write(4, b'\\xff' * 8); os.read(3, 1)", StopReason.BAD_FRAME),
    ],
)
def test_how_a_program_ended_is_told(
    launcher: PlainLauncher, source: str, reason: StopReason
) -> None:
    program = start(launcher, source)
    outcome = ending(program)
    assert outcome.reason is reason
    assert (outcome.exit_code == 3) is (reason is StopReason.EXITED)
    program.send(b"nobody reads this")
    assert program.take_output().truncated is (reason is StopReason.OUTPUT)


def test_close_is_safe_twice_and_leaves_nothing_running(
    launcher: PlainLauncher,
) -> None:
    program = start(launcher, ECHO)
    assert launcher.running == [program]
    assert program.close() == program.close()
    assert launcher.running == []


def test_usage_of_a_living_program_is_measured(launcher: PlainLauncher) -> None:
    program = start(launcher, "sum(range(3_000_000))\n" + ECHO)
    program.send(b"hello")
    assert program.receive(10) == b"hello"
    assert program.usage().cpu_time_s > 0
    assert program.usage().memory_mib > 1
