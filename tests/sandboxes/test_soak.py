"""Nothing is left after many runs and crashes; the benchmark does the same ten thousand times."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from sandboxes import soak
from sandboxes.cgroups import Cgroup, find_hierarchies
from sandboxes.interface import RunStatus


def test_hundreds_of_runs_with_crashes_of_the_runner_among_them_leave_nothing() -> None:
    before, after, ended = soak.soak(200, runs_a_runner=20)
    assert before == after
    # Those of the one runner of ten that nobody killed.
    assert ended.total() == 20
    assert {RunStatus.EXITED, RunStatus.SIGNALLED, RunStatus.CPU_TIME_EXCEEDED} <= set(ended)


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
