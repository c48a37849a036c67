"""The supervisor with real processes: small Python programs in the place of the site's."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from app.serving import supervisor as supervisor_module
from app.serving.children import Program, how_it_ended
from app.serving.logs import Terminal
from app.serving.supervisor import Service, StartFailed, Supervisor

PATIENCE_S = 20.0

READY = "import os; os.write(int(os.environ['READY_FD']), b'x')"
FOR_EVER = "import signal; signal.pause()"


def program(name: str, code: str, *, announces: bool = False, grace_s: float = 5.0) -> Program:
    return Program(name, (sys.executable, "-c", code), grace_s, announces)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except FileNotFoundError:
        return False
    return state[0] not in "ZX"


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervise(tmp_path: Path, screen: io.StringIO) -> Callable[..., Supervisor]:
    def make(*stages: list[Service]) -> Supervisor:
        order = [service.program.name for stage in stages for service in stage]
        return Supervisor(list(stages), order, tmp_path / "log", Terminal(screen))

    return make


async def test_a_stage_waits_for_the_one_before(
    supervise: Callable[..., Supervisor], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    first = f"import time, pathlib; time.sleep(0.3); pathlib.Path({str(mark)!r}).touch(); {READY}"
    second = f"import os, pathlib; assert pathlib.Path({str(mark)!r}).exists(); {READY}"
    site = supervise(
        [Service(program("first", f"{first}; {FOR_EVER}", announces=True))],
        [Service(program("second", f"{second}; {FOR_EVER}", announces=True))],
    )
    await site.start()
    await site.close()
    assert "AssertionError" not in (tmp_path / "log" / "second.log").read_text()


async def test_a_program_that_cannot_start_is_told_with_its_last_words(
    supervise: Callable[..., Supervisor],
) -> None:
    async def never() -> bool:
        return False

    site = supervise([Service(program("web", "raise SystemExit('no free lunch')"), never)])
    with pytest.raises(StartFailed, match=r"(?s)The web ended.*exit code 1.*no free lunch"):
        await site.start()
    await site.close()


async def test_a_program_that_answers_with_an_error_is_not_waited_for(
    supervise: Callable[..., Supervisor],
) -> None:
    async def broken() -> bool:
        raise StartFailed("the page came with status 500")

    site = supervise([Service(program("web", FOR_EVER), broken)])
    with pytest.raises(StartFailed, match="status 500"):
        await site.start()
    await site.close()


async def test_a_program_that_never_answers_is_told(
    supervise: Callable[..., Supervisor],
) -> None:
    service = Service(program("worker", FOR_EVER, announces=True), start_limit_s=0.3)
    site = supervise([service])
    with pytest.raises(StartFailed, match="must answer within"):
        await site.start()
    await site.close()


async def test_a_killed_program_is_started_again_and_said_in_one_line(
    supervise: Callable[..., Supervisor],
    screen: io.StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_DELAY_S", 0.05)
    pids = tmp_path / "pids"
    code = f"import os; print(os.getpid(), file=open({str(pids)!r}, 'a')); {READY}; {FOR_EVER}"
    site = supervise([Service(program("worker", code, announces=True))])
    await site.start()
    first = int(pids.read_text())
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(pids.read_text().split()) == 2)
    second = int(pids.read_text().split()[1])
    assert is_alive(second)
    assert not is_alive(first)
    said = screen.getvalue().splitlines()
    assert said == ["worker  ended (killed by SIGKILL), starting it again in 0.05 s"]
    await site.close()
    assert not is_alive(second)


async def test_a_program_that_keeps_dying_is_started_ever_more_slowly(
    supervise: Callable[..., Supervisor], screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(supervisor_module, "LONGEST_DELAY_S", 0.03)
    code = f"import time; {READY}; time.sleep(0.2)"
    site = supervise([Service(program("web", code, announces=True))])
    await site.start()
    await until(lambda: len(screen.getvalue().splitlines()) >= 4)
    await site.close()
    delays = [line.split()[-2] for line in screen.getvalue().splitlines()[:4]]
    assert delays == ["0.01", "0.02", "0.03", "0.03"]


async def test_who_ignores_sigterm_is_killed_after_the_grace_with_its_children(
    supervise: Callable[..., Supervisor], tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    code = f"""
        import os, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = os.fork()
        if child:
            print(os.getpid(), child, file=open({str(pids)!r}, "w"), flush=True)
            {READY}
        while True:
            signal.pause()
    """
    stubborn = program("worker", textwrap.dedent(code), announces=True, grace_s=0.2)
    site = supervise([Service(stubborn)])
    await site.start()
    both = [int(pid) for pid in pids.read_text().split()]
    assert len(both) == 2
    await site.close()
    await until(lambda: not any(is_alive(pid) for pid in both))


async def test_a_second_wish_to_stop_does_not_wait_for_the_grace(
    supervise: Callable[..., Supervisor],
) -> None:
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}; {FOR_EVER}"
    site = supervise([Service(program("worker", code, announces=True, grace_s=3600.0))])
    await site.start()
    closing = asyncio.create_task(site.close())
    await asyncio.sleep(0)
    assert not closing.done()
    await site.kill()
    async with asyncio.timeout(PATIENCE_S):
        await closing


async def test_a_stop_while_starting_ends_what_has_started(
    supervise: Callable[..., Supervisor], tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    code = f"import os; print(os.getpid(), file=open({str(pids)!r}, 'w'), flush=True); {FOR_EVER}"
    site = supervise([Service(program("worker", code, announces=True))])
    starting = asyncio.create_task(site.start())
    await until(lambda: pids.exists() and pids.read_text().endswith("\n"))
    site.stop()
    await starting
    await site.close()
    assert not is_alive(int(pids.read_text()))


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    code = f"""
        import asyncio, os, pathlib, sys
        from app.serving.children import Child, Program
        from app.serving.logs import ChildLog, Terminal

        async def main():
            log = ChildLog("web", pathlib.Path({str(tmp_path)!r}), Terminal())
            child = Child(Program("web", (sys.executable, "-c", {FOR_EVER!r}), 1.0), log)
            print(child.pid, flush=True)
            await child.ended.wait()

        asyncio.run(main())
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    asyncio.run(until(lambda: not is_alive(pid)))


@pytest.mark.parametrize(
    ("returncode", "words"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (-9, "killed by SIGKILL"),
        (-64, "killed by SIGRTMAX"),
    ],
)
def test_an_end_in_words(returncode: int, words: str) -> None:
    assert how_it_ended(returncode) == words
