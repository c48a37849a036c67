"""Nothing is left after many runs and crashes; the benchmark does the same ten thousand times."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sandboxes import soak
from sandboxes.cgroups import Cgroup, find_hierarchies


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
    before = soak._count([])
    file = Path(tempfile.mkstemp(prefix="gauntlet-test-", dir="/tmp")[1])
    sleeper = subprocess.Popen(["/bin/sleep", "60"], user=uid, start_new_session=True)
    group = Cgroup(find_hierarchies())
    try:
        os.chown(file, uid, uid)
        after = soak._count([])
        assert after.files == before.files + 1
        assert after.processes >= before.processes + 1
        groups = len(find_hierarchies().directories())
        assert after.control_groups == before.control_groups + groups
    finally:
        group.remove()
        sleeper.kill()
        sleeper.wait()
        file.unlink()
