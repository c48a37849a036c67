"""Nothing is left after many runs and crashes; the benchmark does the same ten thousand times."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes import soak
from sandboxes.cgroups import Cgroup, find_hierarchies
from sandboxes.runtime import PYTHON, ensure_runtime
from sandboxes.slot.build import ensure_launcher

NOBODY = 65533  # one whom no other test is
PROJECT = Path(soak.__file__).parents[1]
LEAVE_ALL = """
import ctypes, json, platform, tempfile
from dataclasses import asdict
from sandboxes import soak
libc = ctypes.CDLL(None, use_errno=True)
add_key = 248 if platform.machine() == "x86_64" else 217
before = soak.count([], soak.uids())
file = tempfile.NamedTemporaryFile()
shared = libc.shmget(0, 4096, 0o1600)
PROCESS_KEYRING = -2
key = libc.syscall(add_key, b"user", b"left", b"x", 1, PROCESS_KEYRING)
after = soak.count([], soak.uids())
libc.shmctl(shared, 0, None)
print(json.dumps([asdict(before), asdict(after), shared >= 0, key >= 0]))
"""


def test_hundreds_of_runs_with_crashes_of_the_runner_among_them_leave_nothing() -> None:
    """In a process of its own: slots of earlier tests end when they like."""
    done = subprocess.run(
        [sys.executable, "-m", "sandboxes.soak", "200", "20"],
        cwd=Path(soak.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 runs, 9 runners killed in the middle of theirs" in done.stdout
    for status in ("exited", "signalled", "cpu_time_exceeded"):
        assert status in done.stdout
    for name in soak.Left.__slots__:
        assert f"\n{name.replace('_', ' ')} " in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to a run's uid")
def test_what_a_run_leaves_is_seen() -> None:
    """Or the count that is the same before and after would prove nothing."""
    uid = soak.UIDS[0]
    before = soak.count([], soak.UIDS)
    file = Path(tempfile.mkstemp(prefix="gauntlet-test-", dir="/tmp")[1])
    sleeper = subprocess.Popen(["/bin/sleep", "60"], user=uid, start_new_session=True)
    group = Cgroup(find_hierarchies())
    try:
        os.chown(file, uid, uid)
        after = soak.count([], soak.UIDS)
        assert after.files == before.files + 1
        assert after.processes >= before.processes + 1
        groups = len(find_hierarchies().directories())
        assert after.control_groups == before.control_groups + groups
    finally:
        group.remove()
        sleeper.kill()
        sleeper.wait()
        file.unlink()


@pytest.fixture
def readable_copy() -> Iterator[Path]:
    """The sandbox's code where an ordinary user can read it, which the checkout may not be."""
    folder = Path(tempfile.mkdtemp(prefix="gauntlet-test-"))
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "sandboxes", folder / "sandboxes", ignore=ignored)
    shutil.copy(PROJECT / "requirements-sandbox.lock", folder)
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
    yield folder
    shutil.rmtree(folder)


def as_nobody(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    ensure_launcher()  # where only root may write
    return subprocess.run(
        [PYTHON, "-B", *arguments],
        cwd=folder,
        env={"GAUNTLET_RUNTIME_DIR": str(ensure_runtime()), "PATH": "/usr/bin"},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_an_ordinary_users_run_leaves_is_seen(readable_copy: Path) -> None:
    """It has that user's own uid, and not one of those that root gives."""
    done = as_nobody(readable_copy, "-c", LEAVE_ALL)
    before, after, *tried = json.loads(done.stdout)
    assert tried == [True, True], done.stderr
    assert after["files"] == before["files"] + 1
    assert after["shared_memory"] == before["shared_memory"] + 1
    assert after["keys"] > before["keys"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_users_runs_leave_nothing_either(readable_copy: Path) -> None:
    done = as_nobody(readable_copy, "-m", "sandboxes.soak", "30", "6")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "30 runs, 5 runners killed in the middle of theirs" in done.stdout
