"""What only a slot has: processes kept from run to run, and programs forked from a Python."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes.bubblewrap import find_hierarchies
from sandboxes.cgroups import Hierarchies
from sandboxes.interface import Command, Profile, RunResult, RunStatus, SandboxError
from sandboxes.meter import process_tree
from sandboxes.run import Run
from sandboxes.slot import SlotSandbox, build
from tests.sandboxes.programs import ECHO, python

PROJECT = Path(__file__).resolve().parents[2]
TRUE = Command(("/usr/bin/true",), Profile.RUN_CPP)


@pytest.fixture
def slots() -> Iterator[SlotSandbox]:
    """A sandbox whose slots are this test's own."""
    made = SlotSandbox(hierarchies=Hierarchies())
    yield made
    made.close()


def cgroups_of(process_id: int) -> list[Path]:
    parents = find_hierarchies().directories()
    return [path for parent in parents for path in parent.glob(f"gauntlet-{process_id}-*")]


def server_of(run: Run) -> int:
    """The parent of a run's init."""
    status = Path(f"/proc/{run._launched.process_id}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in status if line.startswith("PPid:")))


def said(result: RunResult) -> str:
    assert result.exit_code == 0, result
    return result.stdout.decode()


def test_a_slot_is_used_again(slots: SlotSandbox) -> None:
    servers = set()
    for _ in range(5):
        with slots.start(python(ECHO)) as run:
            servers.add(server_of(run))
    assert len(servers) == 1


def test_the_next_runs_init_waits_in_its_group_already() -> None:
    sandbox = SlotSandbox()
    if sandbox.host.hierarchies.memory is None:
        pytest.skip("this host gives no control groups to this user")
    try:
        sandbox.run(TRUE)
        sandbox._changed.acquire()
        sandbox._changed.wait_for(lambda: any(sandbox._idle.values()), 10)
        sandbox._changed.release()
        ahead = next(slots[0]._ahead for slots in sandbox._idle.values() if slots)
        assert ahead is not None
        groups = Path(f"/proc/{ahead.process_id}/cgroup").read_text()
        assert f"gauntlet-{os.getpid()}-" in groups
    finally:
        sandbox.close()


def test_an_init_that_died_waiting_costs_one_run_and_no_more(slots: SlotSandbox) -> None:
    slots.run(TRUE)
    with slots._changed:
        slots._changed.wait_for(lambda: any(slots._idle.values()), 10)
        ahead = next(kept[0]._ahead for kept in slots._idle.values() if kept)
    assert ahead is not None
    os.kill(ahead.process_id, signal.SIGKILL)
    with pytest.raises(SandboxError, match="ended unasked"):
        slots.run(TRUE)
    assert slots.run(TRUE).exit_code == 0


def test_a_program_that_died_waiting_is_our_error_and_never_the_candidates(
    slots: SlotSandbox,
) -> None:
    slots.run(python("pass"))
    with slots._changed:
        kind = slots.kind_of(python("pass"))
        slots._changed.wait_for(lambda: slots._idle[kind], 10)
        ahead = slots._idle[kind][0]._ahead
    assert ahead is not None
    deadline = time.monotonic() + 10
    while len(tree := process_tree(ahead.process_id)) < 2:  # it is forked ahead as well
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(tree[1], signal.SIGKILL)
    with pytest.raises(SandboxError, match="ended before its first instruction"):
        slots.run(python("pass"))
    assert slots.run(python("pass")).exit_code == 0


def test_what_was_done_ahead_is_not_charged() -> None:
    sandbox = SlotSandbox()
    if sandbox.host.hierarchies.cpu is None:
        pytest.skip("this host gives no control groups to this user")
    cold = SlotSandbox(zygotes={})
    source = "import numpy"
    try:
        assert sandbox.run(python(source)).cpu_time_s < cold.run(python(source)).cpu_time_s / 2
    finally:
        sandbox.close()
        cold.close()


def test_closing_ends_what_was_kept(slots: SlotSandbox) -> None:
    slots.close()
    before = set(process_tree(os.getpid())), len(os.listdir("/proc/self/fd"))
    slots.run(TRUE)
    slots.run(python("pass"))
    assert set(process_tree(os.getpid())) > before[0]
    slots.close()
    assert (set(process_tree(os.getpid())), len(os.listdir("/proc/self/fd"))) == before


def test_one_run_sees_nothing_of_the_one_before(slots: SlotSandbox) -> None:
    leave = (
        "import builtins, os, sys, numpy\n"
        "for place in ('/tmp', '/dev/shm', '.'): open(f'{place}/left', 'w').write('left')\n"
        "builtins.left = sys.left = numpy.left = os.environ['LEFT'] = 'left'\n"
        "sys.path.append('/left'); os.umask(0); os.chdir('/tmp')\n"
    )
    look = (
        "import builtins, os, sys, numpy\n"
        "print([p for p in ('/tmp/left', '/dev/shm/left', 'left') if os.path.exists(p)],\n"
        "  [o for o in (builtins, sys, numpy) if hasattr(o, 'left')], 'LEFT' in os.environ,\n"
        "  '/left' in sys.path, oct(os.umask(0)), os.getcwd(), sorted(os.listdir('/scratch')))\n"
    )
    assert said(slots.run(python(leave))) == ""
    expected = "[] [] False False 0o22 /scratch/home ['home', 'shm', 'tmp']\n"
    assert said(slots.run(python(look))) == expected


def test_init_can_be_neither_read_nor_written(slots: SlotSandbox) -> None:
    look = (
        "import os\n"
        "for name in ('mem', 'maps', 'environ', 'fd', 'fdinfo', 'root', 'cwd', 'exe', 'ns/pid'):\n"
        "    try: os.open(f'/proc/1/{name}', os.O_RDONLY); print('opened', name)\n"
        "    except PermissionError: pass\n"
        "try: os.open('/proc/1/mem', os.O_WRONLY); print('opened to write')\n"
        "except OSError: pass\n"
    )
    files = {"program.py": look.encode()}
    for argv in (("python", "program.py"), ("python", "-c", look)):
        assert said(slots.run(Command(argv, files=files))) == ""


def test_numpy_is_imported_already_and_only_for_python_files(slots: SlotSandbox) -> None:
    look = "import sys; print('numpy' in sys.modules)"
    assert said(slots.run(python(look))) == "True\n"
    assert said(slots.run(Command(("python", "-c", look)))) == "False\n"
    assert said(SlotSandbox(zygotes={}).run(python(look))) == "False\n"


def test_random_numbers_differ_from_run_to_run(slots: SlotSandbox) -> None:
    source = "import numpy, random; print(random.random(), numpy.random.random())"
    numbers = [number for _ in range(3) for number in said(slots.run(python(source))).split()]
    assert len(set(numbers)) == 6


def test_hashes_are_those_of_a_fresh_start(slots: SlotSandbox) -> None:
    look = "print(hash('a'), hash(b'b'))"
    assert said(slots.run(python(look))) == said(slots.run(Command(("python", "-c", look))))


@pytest.mark.parametrize("argv", [("program.py", "x", "-y"), ("-m", "pack.program", "x", "-y")])
def test_a_zygotes_program_starts_as_one_of_its_own(
    slots: SlotSandbox, argv: tuple[str, ...]
) -> None:
    look = (
        "import os, sys, threading, inspect\n"
        "print(sys.argv, sys.path, __name__, __file__, sys.flags, sorted(os.environ.items()))\n"
        "print(os.getpid(), os.listdir('/proc/self/fd'), sys.stdin.read())\n"
        "print(sys.stdin, sys.stdout, sys.stderr, __loader__.__class__, __spec__ is None)\n"
        "print(threading.main_thread() is threading.current_thread(), sorted(globals()))\n"
        "print([os.stat(fd).st_mode for fd in (0, 1, 2)], open('/proc/self/maps').read(1) > '')\n"
        "print(sys.modules['__main__'].__dict__ is globals())\n"
    )
    files = {"program.py": look.encode(), "pack/program.py": look.encode()}
    command = Command(("python", *argv), files=files)
    cold = SlotSandbox(hierarchies=Hierarchies(), zygotes={})
    assert said(slots.run(command, stdin=b"input")) == said(cold.run(command, stdin=b"input"))
    cold.close()


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return 1 / 0\nf()",
        "raise SystemExit('words')",
        "raise SystemExit(3)",
        "import sys; sys.exit()",
        "x = (",
        "import atexit; atexit.register(print, 'late'); raise KeyError('k') from ValueError('v')",
        "import os; os.abort()",
    ],
)
def test_a_zygotes_program_ends_as_one_of_its_own(slots: SlotSandbox, source: str) -> None:
    cold = SlotSandbox(hierarchies=Hierarchies(), zygotes={})
    forked, executed = slots.run(python(source)), cold.run(python(source))
    cold.close()
    assert (forked.status, forked.exit_code, forked.signal) == (
        executed.status,
        executed.exit_code,
        executed.signal,
    )
    assert (forked.stdout, forked.stderr) == (executed.stdout, executed.stderr)


def test_a_killed_server_costs_one_run_and_no_more(slots: SlotSandbox) -> None:
    run = slots.start(python(ECHO))
    run.send(b"x")
    assert run.receive(10) == b"x"
    init = run._launched.process_id
    os.kill(server_of(run), signal.SIGKILL)
    with pytest.raises(SandboxError, match="ended unasked"):
        run.receive(10)
    with pytest.raises(SandboxError, match="ended unasked"):
        run.close()
    assert not Path(f"/proc/{init}").exists()
    assert said(slots.run(python("print('well')"))) == "well\n"


def test_a_forked_child_leaves_its_parents_slots_alone(slots: SlotSandbox) -> None:
    slots.run(TRUE)
    child = os.fork()
    if child == 0:
        try:
            code = 0 if slots.run(TRUE).status is RunStatus.EXITED else 1
            slots.close()
        except BaseException:
            code = 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert slots.run(TRUE).status is RunStatus.EXITED


def test_without_a_compiler_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAUNTLET_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setattr(shutil, "which", lambda name, path: None)
    with pytest.raises(SandboxError, match=r"apt install g\+\+"):
        build.ensure_launcher()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_only_versions_of_the_launcher_that_nobody_uses_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAUNTLET_RUNTIME_DIR", str(tmp_path / "runtime"))
    stale, used = tmp_path / "slot-stale", tmp_path / "slot-used"
    for folder in (stale, used):
        folder.mkdir()
        (folder / "slot").touch()
    holder = (
        "import fcntl, os, sys\n"
        "fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_SH)\n"
        "print('held', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", holder, str(used)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == b"held\n"
        mine = build.ensure_launcher().program.parent
        assert mine.parent == tmp_path
        assert not stale.exists()
        assert used.exists()
    finally:
        other.communicate(b"\n")
    monkeypatch.setattr(build, "_FLAGS", (*build._FLAGS, "-DNEWER"))
    newer = build.ensure_launcher().program.parent
    assert sorted(tmp_path.glob("slot-*")) == sorted([mine, newer])  # we hold both
