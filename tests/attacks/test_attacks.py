"""Every attack of the table, that nothing is left after them, and that each is a real one."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sandboxes import run as runs
from sandboxes.collect import collect
from sandboxes.interface import Command, Profile
from sandboxes.soak import Left, count
from tests.attacks import programs
from tests.attacks.attempts import (
    SECRET,
    AnySandbox,
    Bait,
    carry_out,
    faults,
    filled,
    is_refused,
    laid,
    why_not_tried,
)
from tests.attacks.conftest import UIDS
from tests.attacks.table import ATTACKS, CROWD, EXITED, Attack

PROJECT = str(Path(__file__).resolve().parents[2])
PATIENCE_S = 20.0
ids = [attack.name.replace(" ", "-") for attack in ATTACKS]


@pytest.fixture(scope="module")
def bait() -> Iterator[Bait]:
    with laid(PROJECT) as made:
        yield made


@pytest.fixture(scope="module")
def left_before(sandbox: AnySandbox, bait: Bait) -> Left:
    """What there was before the first attack on this sandbox."""
    sandbox.close()
    return count([], UIDS)


@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
@pytest.mark.usefixtures("left_before")
def test_it_does_not_succeed(sandbox: AnySandbox, attack: Attack, bait: Bait) -> None:
    reason = why_not_tried(attack, sandbox)
    if reason:
        pytest.skip(reason)
    assert faults(attack, carry_out(sandbox, attack, bait), bait) == []


def test_nobody_is_left_to_write_when_files_are_collected(
    sandbox: AnySandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that outlives its parent writes the file again and again."""
    seen: list[dict[str, bytes]] = []

    def collected_twice(home: int, names: Sequence[str], most_bytes: int) -> dict[str, bytes]:
        seen.append(collect(home, names, most_bytes))
        time.sleep(0.05)  # thousands of writes, if anybody is there to write
        seen.append(collect(home, names, most_bytes))
        return seen[-1]

    monkeypatch.setattr(runs, "collect", collected_twice)
    files = {"program.py": programs.LATE_WRITER.encode()}
    sandbox.run(Command(("python", "program.py"), Profile.PYTHON, files, CROWD, ("out",)))
    before, after = seen
    assert int(before["out"]) > 0
    assert before == after


def test_nothing_is_left_after_any_of_them(sandbox: AnySandbox, left_before: Left) -> None:
    """Of what their uids could leave, and this process hold; a slot is kept and is no run's."""
    sandbox.close()
    deadline = time.monotonic() + PATIENCE_S
    while (more := more_than(left_before, count([], UIDS))) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert more == {}


def more_than(before: Left, after: Left) -> dict[str, int]:
    """By how much there is more. Less is what an earlier test let go of meanwhile."""
    grown = {name: getattr(after, name) - getattr(before, name) for name in Left.__slots__}
    return {name: number for name, number in grown.items() if number > 0}


# Outcomes that are the same outside a sandbox, and what shows instead that the attack is real.
SAME_OUTSIDE = {
    "the project's source": "where a checkout lies decides who else may read it",
    "core_pattern": "only root may do it, which 'being kernel root' is about",
    "kernel memory": "the same",
    "kernel log": "the same",
    "device nodes": "the same",
    "its uid map": "the same",
    "its setgroups": "the same",
    "kernel settings": "the same",
    "sysrq": "the same",
    "its own place before the out-of-memory killer": "the same",
    "priority": "the same",
    "terminals": "this host may have none",
    "killing everyone": "the decoy, which must outlive it",
    "killing init": "the run's end, which must be its own",
    "disk by depth": "the bound 'files'; here it must only not hang",
    "a core dump": "where dumps go is the host's to say",
    "a daemon that outlives its parent": "what is left after all attacks",
    "a collected link to a secret": "tests/sandboxes/test_collect.py",
    "a collected hard link": "tests/sandboxes/test_collect.py",
    "a collected folder": "tests/sandboxes/test_collect.py",
    "a working directory moved away": "tests/sandboxes/test_collect.py",
}
# An ordinary user, in mount and ipc namespaces for the sake of this host, and root of a namespace
# besides, where keys and mounts go with it.
PLAIN = "setpriv --reuid=65534 --regid=65534 --clear-groups"
ROOT_INSIDE = f"{PLAIN} unshare --user --map-root-user --mount --pid --fork --mount-proc --uts"
OUTSIDE = """
for place in /tmp /dev/shm; do mount -t tmpfs -o size=64m,mode=1777 none $place; done
cd /tmp; cat >{name}; ulimit -n 256; ulimit -t 20; ulimit -v 4194304
exec 9</dev/null {who} {command} 2>&1
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    "attack",
    [
        attack
        for attack in ATTACKS
        # A bomb, of which the limit's own status tells, needs no proof, and would hit this host.
        if attack.statuses == EXITED or attack.signal == signal.SIGSYS
        if attack.name not in SAME_OUTSIDE and attack.machine in (None, platform.machine())
    ],
    ids=lambda attack: attack.name.replace(" ", "-"),
)
def test_without_a_sandbox_it_does_something_else(attack: Attack, bait: Bait) -> None:
    """Or the row would pass wherever it ran."""
    said = outside(attack, bait, ROOT_INSIDE)
    if is_refused(attack, said):
        said = outside(attack, bait, PLAIN)
    assert not is_refused(attack, said), said


def outside(attack: Attack, bait: Bait, who: str) -> str:
    """What the attack says where nothing keeps it from succeeding but being an ordinary user."""
    name, command = "program.py", "python3 program.py"
    if attack.profile is Profile.COMPILE_CPP:
        name, command = "program.cpp", "g++ -std=c++20 program.cpp -o out"
    script = OUTSIDE.format(name=name, who=who, command=command)
    with subprocess.Popen(
        ["unshare", "--mount", "--ipc", "/bin/sh", "-ec", script, "sh"],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "SECRET": SECRET},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as run:
        try:
            said, _nothing = run.communicate(filled(attack, bait.marks), timeout=60)
        finally:
            with contextlib.suppress(ProcessLookupError):  # with whatever it has started
                os.killpg(run.pid, signal.SIGKILL)
    return said.strip()
