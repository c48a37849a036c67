"""Nothing outlives a run, not even its runner."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxes.bubblewrap import find_hierarchies
from sandboxes.cgroups import Hierarchies, sweep
from sandboxes.interface import Command, Limits, RunStatus, SandboxError
from sandboxes.meter import process_tree
from sandboxes.slot import SlotSandbox
from tests.sandboxes.conftest import AnySandbox
from tests.sandboxes.programs import ECHO, python

PROJECT = Path(__file__).resolve().parents[2]
DAEMON = (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        while True: time.sleep(0.01)\n"
    "    os._exit(0)\n"
    "os.wait()\n"
)


def let_go(sandbox: AnySandbox) -> None:
    """Nothing is kept for the next run, where the backend keeps something."""
    if isinstance(sandbox, SlotSandbox):
        sandbox.close()


def living(processes: set[int], reap: bool = False) -> set[int]:
    """Those that are still there; orphans of a killed child are ours to reap, as a subreaper's."""
    for process in processes if reap else ():
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process, os.WNOHANG)
    return {process for process in processes if Path(f"/proc/{process}").exists()}


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, f"waited 10 s for {what}"
        time.sleep(0.01)


def own_cgroups() -> list[Path]:
    return sorted(
        path
        for parent in find_hierarchies().directories()
        for path in parent.glob(f"gauntlet-{os.getpid()}-*")
    )


def test_a_daemon_is_gone_when_the_run_has_ended(sandbox: AnySandbox) -> None:
    let_go(sandbox)
    before = set(process_tree(os.getpid()))  # orphans too: this process is a subreaper
    result = sandbox.run(python(DAEMON, Limits(processes=4)))
    assert (result.status, result.exit_code) == (RunStatus.EXITED, 0), result.stderr
    let_go(sandbox)
    assert set(process_tree(os.getpid())) <= before


def test_the_whole_tree_is_gone_when_close_returns(sandbox: AnySandbox) -> None:
    with sandbox.start(python(DAEMON + ECHO, Limits(processes=4))) as run:
        run.send(b"x")
        assert run.receive(10) == b"x"
        tree = process_tree(run._launched.process_id)
        assert len(tree) >= run._launched.own_processes + 2  # the program, its daemon
        run.close()
        assert not living(set(tree))


def test_runs_leave_no_groups_descriptors_threads_or_mounts(sandbox: AnySandbox) -> None:
    def state() -> tuple[int, int, str, list[Path]]:
        descriptors, mounts = len(os.listdir("/proc/self/fd")), Path("/proc/self/mounts")
        return descriptors, threading.active_count(), mounts.read_text(), own_cgroups()

    sandbox.run(python("pass"))
    let_go(sandbox)
    before = state()
    for source in ("pass", "raise SystemExit(1)", "while True: pass", "open('out', 'w')"):
        sandbox.run(python(source, Limits(cpu_time_s=0.1), collect=("out",)))
        sandbox.start(python(ECHO)).close()
    let_go(sandbox)
    wait_until(lambda: state() == before, "the last run's thread to end")


def test_a_command_that_is_refused_leaves_nothing_either(sandbox: AnySandbox) -> None:
    let_go(sandbox)
    before = sorted(os.listdir("/proc/self/fd")), own_cgroups()
    for _ in range(3):
        with pytest.raises(SandboxError, match="relative path"):
            sandbox.start(Command(("python",), files={"../x": b""}))
    assert (sorted(os.listdir("/proc/self/fd")), own_cgroups()) == before


def test_a_runner_killed_in_the_middle_takes_its_runs_along(sandbox: AnySandbox) -> None:
    uses_cgroups = bool(sandbox.host.hierarchies.directories())
    script = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(PROJECT)!r})
        from pathlib import Path
        from {type(sandbox).__module__} import {type(sandbox).__name__}
        from sandboxes.cgroups import Hierarchies
        from sandboxes.interface import Command, Limits
        sandbox = {type(sandbox).__name__}(
            runtime=Path({str(sandbox.host.runtime)!r}),
            hierarchies=None if {uses_cgroups} else Hierarchies(),
        )
        source = {(DAEMON + ECHO)!r}
        run = sandbox.start(Command(
            ("python", "program.py"), files={{"program.py": source.encode()}},
            limits=Limits(processes=4, wall_time_s=60)))
        run.send(b"x")
        assert run.receive(20) == b"x"
        print("running", flush=True)
        run.receive(60)
    """)
    runner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert runner.stdout is not None
    try:
        assert runner.stdout.readline() == b"running\n"
        inside = set(process_tree(runner.pid)) - {runner.pid}
        assert len(inside) >= 3
    finally:
        os.kill(runner.pid, signal.SIGKILL)
        runner.wait()
        runner.stdout.close()
    wait_until(lambda: not living(inside, reap=True), "the killed runner's processes to go")
    if uses_cgroups:
        left = [
            path
            for parent in sandbox.host.hierarchies.directories()
            for path in parent.glob(f"gauntlet-{runner.pid}-*")
        ]
        assert left  # nobody was there to remove them
        sandbox.sweep()
        assert not [path for path in left if path.exists()]


def test_a_sweep_spares_the_living(sandbox: AnySandbox) -> None:
    with sandbox.start(python(ECHO)) as run:
        sandbox.sweep()
        run.send(b"alive")
        assert run.receive(10) == b"alive"


def test_a_sweep_kills_what_an_earlier_bearer_of_the_number_left() -> None:
    hierarchies = find_hierarchies()
    if hierarchies.pids is None:
        pytest.skip("this host gives no control groups to this user")
    # This process's number, but the start time of another: a number that was used again.
    orphaned = hierarchies.pids / f"gauntlet-{os.getpid()}-1-1"
    orphaned.mkdir()
    sleeper = subprocess.Popen(["/bin/sleep", "60"])
    try:
        (orphaned / "cgroup.procs").write_text(str(sleeper.pid))
        reaper = threading.Thread(target=sleeper.wait)
        reaper.start()
        assert orphaned.name in sweep(Hierarchies(pids=hierarchies.pids))
        reaper.join(5)
        assert sleeper.returncode == -signal.SIGKILL
        assert not orphaned.exists()
    finally:
        sleeper.kill()
        sleeper.wait()
