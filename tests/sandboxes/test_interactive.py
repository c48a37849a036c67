"""Runs that are spoken to in frames."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandboxes.interface import Command, Limits, RunResult, RunStatus, SandboxError
from tests.sandboxes.conftest import AnySandbox
from tests.sandboxes.programs import ECHO, python
from tests.tries import best_of_tries

NUMPY_ECHO = "import numpy" + ECHO


def ended(answer: bytes | RunResult) -> RunResult:
    assert isinstance(answer, RunResult), f"a frame of {len(answer)} bytes, but the end was due"
    return answer


@pytest.mark.parametrize("size", [0, 1, 3, 4, 65535, 65536, 65537, 5_000_001])
def test_frames_of_every_size_come_back_whole(any_sandbox: AnySandbox, size: int) -> None:
    frame = os.urandom(min(size, 1000)) * (size // 1000 + 1)
    with any_sandbox.start(python(ECHO)) as run:
        run.send(frame[:size])
        assert run.receive(10) == frame[:size]


def test_frames_keep_their_order_and_bounds(sandbox: AnySandbox) -> None:
    frames = [bytes([number]) * (number * 37) for number in range(200)]
    with sandbox.start(python(ECHO)) as run:
        for frame in frames:
            run.send(frame)
        assert [run.receive(10) for _ in frames] == frames


def test_sending_more_than_a_pipe_holds_waits_for_nobody(any_sandbox: AnySandbox) -> None:
    frame = b"x" * (8 << 20)
    with any_sandbox.start(python("import time; time.sleep(2)" + ECHO)) as run:
        before = time.monotonic()
        run.send(frame)
        assert time.monotonic() - before < 1.8
        assert run.receive(10) == frame


def test_the_end_comes_after_the_last_frame(sandbox: AnySandbox) -> None:
    source = (
        "import os\nos.write(4, b'\\1\\0\\0\\0a\\1\\0\\0\\0b')\nprint('done')\nraise SystemExit(3)"
    )
    with sandbox.start(python(source)) as run:
        assert [run.receive(10), run.receive(10)] == [b"a", b"b"]
        result = ended(run.receive(10))
        assert (result.status, result.exit_code, result.stdout) == (RunStatus.EXITED, 3, b"done\n")
        assert ended(run.receive(10)) == result
        assert run.close() == result


def test_a_late_answer_ends_the_run(sandbox: AnySandbox) -> None:
    with sandbox.start(python("import time; time.sleep(60)")) as run:
        before = time.monotonic()
        assert ended(run.receive(0.2)).status is RunStatus.WALL_TIME_EXCEEDED
        assert 0.2 <= time.monotonic() - before < 30


def test_the_wall_time_of_the_whole_run_holds_while_waiting(sandbox: AnySandbox) -> None:
    with sandbox.start(python("import time; time.sleep(60)", Limits(wall_time_s=0.3))) as run:
        assert ended(run.receive(30)).status is RunStatus.WALL_TIME_EXCEEDED


def test_a_busy_loop_is_ended_while_waiting(sandbox: AnySandbox) -> None:
    def run_it() -> RunResult:
        with sandbox.start(python("while True: pass", Limits(cpu_time_s=0.3))) as run:
            return ended(run.receive(30))

    result = best_of_tries(run_it, lambda result: result.cpu_time_s <= 0.33)
    assert result.status is RunStatus.CPU_TIME_EXCEEDED
    assert 0.3 <= result.cpu_time_s <= 0.33


def test_memory_is_limited_while_waiting(sandbox: AnySandbox) -> None:
    source = "kept = []\nwhile True: kept.append(bytearray(1 << 20))"
    with sandbox.start(python(source, Limits(memory_mib=96))) as run:
        assert ended(run.receive(30)).status is RunStatus.MEMORY_EXCEEDED


def test_a_crash_is_told_with_its_signal(sandbox: AnySandbox) -> None:
    with sandbox.start(python("import os; os.kill(os.getpid(), 11)")) as run:
        result = ended(run.receive(10))
        assert (result.status, result.signal) == (RunStatus.SIGNALLED, 11)


def test_a_frame_over_the_limit_is_refused_unread(any_sandbox: AnySandbox) -> None:
    source = "import os, time\nos.write(4, b'\\xff\\xff\\xff\\xff'); time.sleep(60)"
    with any_sandbox.start(python(source)) as run:
        assert ended(run.receive(10)).status is RunStatus.BAD_FRAME


def test_a_frame_of_exactly_the_limit_is_taken(any_sandbox: AnySandbox) -> None:
    with any_sandbox.start(python(ECHO, Limits(frame_mib=1))) as run:
        run.send(b"x" * (1 << 20))
        assert run.receive(10) == b"x" * (1 << 20)
        run.send(b"x" * ((1 << 20) + 1))
        assert ended(run.receive(10)).status is RunStatus.BAD_FRAME


def test_a_frame_that_breaks_off_is_bad(any_sandbox: AnySandbox) -> None:
    with any_sandbox.start(python("import os; os.write(4, b'\\x09\\0\\0\\0abc')")) as run:
        assert ended(run.receive(10)).status is RunStatus.BAD_FRAME


def test_a_program_that_closes_its_end_and_stays_is_late(any_sandbox: AnySandbox) -> None:
    with any_sandbox.start(python("import os, time; os.close(4); time.sleep(60)")) as run:
        assert ended(run.receive(0.5)).status is RunStatus.WALL_TIME_EXCEEDED


def test_sending_to_a_run_that_has_ended_does_nothing(any_sandbox: AnySandbox) -> None:
    with any_sandbox.start(python("pass")) as run:
        first = ended(run.receive(10))
        run.send(b"x" * (2 << 20))
        assert ended(run.receive(10)) == first
    run.send(b"x")


def test_output_comes_in_order_of_arrival_and_once(any_sandbox: AnySandbox) -> None:
    source = (
        "import sys\nfor n in range(3):\n    print('out', n); print('err', n, file=sys.stderr)\n"
        "print('größe ✓')" + ECHO
    )
    with any_sandbox.start(python(source)) as run:
        run.send(b"")
        run.receive(10)
        text = "out 0\nerr 0\nout 1\nerr 1\nout 2\nerr 2\ngröße ✓\n"
        assert run.take_output() == (text.encode(), False)
        assert run.take_output() == (b"", False)


def test_output_printed_before_a_frame_is_there_with_the_frame(
    any_sandbox: AnySandbox,
) -> None:
    source = ECHO.replace("data = memoryview", "print(header[0]); data = memoryview")
    with any_sandbox.start(python(source)) as run:
        for size in range(50):
            run.send(b"x" * size)
            run.receive(10)
            assert run.take_output() == (b"%d\n" % size, False)


def test_output_over_the_cap_is_cut_and_the_run_goes_on(any_sandbox: AnySandbox) -> None:
    source = "print('a' * 2000)\nprint('b' * 100000)" + ECHO
    with any_sandbox.start(python(source, Limits(output_kib=2))) as run:
        run.send(b"still there")
        assert run.receive(10) == b"still there"
        text, truncated = run.take_output()
        assert (text, truncated) == (b"a" * 2000 + b"\n" + b"b" * 47, True)


def test_a_flood_of_output_ends_the_run_while_waiting(sandbox: AnySandbox) -> None:
    source = "import os\nwhile True: os.write(1, b'x' * 65536)"
    with sandbox.start(python(source, Limits(output_kib=4))) as run:
        assert ended(run.receive(10)).status is RunStatus.OUTPUT_EXCEEDED
        text, truncated = run.take_output()
        assert (len(text), truncated) == (4096, True)


def test_usage_grows_with_the_work(sandbox: AnySandbox) -> None:
    source = "data = bytearray(50 << 20)\nfor _ in range(3_000_000): pass" + ECHO
    with sandbox.start(python(source)) as run:
        run.send(b"")
        assert run.receive(10) == b""
        cpu_time_s, memory_mib = run.usage()
        assert cpu_time_s > 0.04
        assert 50 <= memory_mib <= 70
        result = run.close()
    assert result.cpu_time_s >= cpu_time_s
    assert result.memory_mib >= memory_mib
    assert run.usage() == (result.cpu_time_s, result.memory_mib)


def test_closing_kills_and_says_so(sandbox: AnySandbox) -> None:
    run = sandbox.start(python(ECHO))
    run.send(b"x")
    assert run.receive(10) == b"x"
    result = run.close()
    assert result.status is RunStatus.KILLED
    assert run.close() == result


def test_closing_at_once_is_clean(sandbox: AnySandbox) -> None:
    for _ in range(5):
        assert sandbox.start(python(ECHO)).close().status is RunStatus.KILLED


def test_a_command_that_cannot_be_laid_out_raises_at_once(any_sandbox: AnySandbox) -> None:
    with pytest.raises(SandboxError, match="relative path"):
        any_sandbox.start(Command(("python", "-V"), files={"/x": b""}))


def test_sixteen_ranks_live_side_by_side(sandbox: AnySandbox) -> None:
    limits = Limits(wall_time_s=60)
    with ThreadPoolExecutor(16, thread_name_prefix="starter") as threads:
        runs = list(threads.map(lambda _: sandbox.start(python(NUMPY_ECHO, limits)), range(16)))
    # The threads that started them are gone; the runs must not be.
    assert not [t for t in threading.enumerate() if t.name.startswith("starter")]
    try:
        for _ in range(3):
            for rank, run in enumerate(runs):
                run.send(b"rank %d" % rank)
            assert [run.receive(30) for run in runs] == [b"rank %d" % rank for rank in range(16)]
    finally:
        results = [run.close() for run in runs]
    assert {result.status for result in results} == {RunStatus.KILLED}


def test_one_rank_out_of_memory_does_not_touch_its_neighbour(sandbox: AnySandbox) -> None:
    greedy = "kept = []\nwhile True: kept.append(bytearray(1 << 20))"
    with sandbox.start(python(ECHO)) as neighbour:
        with sandbox.start(python(greedy, Limits(memory_mib=64))) as run:
            assert ended(run.receive(10)).status is RunStatus.MEMORY_EXCEEDED
        neighbour.send(b"alive")
        assert neighbour.receive(10) == b"alive"


def test_a_run_can_be_cancelled_from_another_thread(sandbox: AnySandbox) -> None:
    run = sandbox.start(python("import time; time.sleep(60)"))
    canceller = threading.Timer(0.2, run.close)
    canceller.start()
    before = time.monotonic()
    assert ended(run.receive(30)).status is RunStatus.KILLED
    assert time.monotonic() - before < 25
    canceller.join()
    assert run.close().status is RunStatus.KILLED
