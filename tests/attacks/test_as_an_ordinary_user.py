"""The same table, run by someone who is not root: own uid, no control groups, no private mount."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sandboxes.bubblewrap import find_hierarchies
from sandboxes.runtime import PYTHON, ensure_runtime
from sandboxes.slot.build import ensure_launcher
from tests.attacks.table import ATTACKS

PROJECT = Path(__file__).resolve().parents[2]
NOBODY = 65534
SCRIPT = """
import json, platform, re, sys
sys.path.insert(0, sys.argv[1])
from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.slot import SlotSandbox
from sandboxes.doctor import examine, isolation_holds
from sandboxes.interface import Command, Profile
from sandboxes.slot.build import ensure_launcher
from tests.attacks.bounds import BOUNDS, SLACK
from tests.tries import best_of_tries
from tests.attacks.table import ATTACKS
# Without zygotes, which the same table is run with as root.
sandbox = BubblewrapSandbox() if sys.argv[3] == "bubblewrap" else SlotSandbox(zygotes={})
bait = {"@SECRET@": "hidden-value", "@PROJECT@": sys.argv[2], "@PORT@": "1", "@ABSTRACT@": "x",
        "@HOST_PID@": "4000000"}
failures, tried = {}, 0
for attack in ATTACKS if sys.argv[4] == "all" else ():
    if attack.machine not in (None, platform.machine()):
        continue
    if attack.needs_groups and sandbox.host.hierarchies.memory is None:
        continue
    source = attack.source
    for mark, value in bait.items():
        source = source.replace(mark, value)
    if attack.profile is Profile.COMPILE_CPP:
        argv, name = ("/usr/bin/g++", "-std=c++20", "program.cpp", "-o", "out"), "program.cpp"
    else:
        argv, name = ("python", "program.py"), "program.py"
    files = {name: source.encode()}
    result = sandbox.run(Command(argv, attack.profile, files, attack.limits, attack.collect))
    said = (result.stdout + result.stderr).decode(errors="replace").strip()
    tried += 1
    if (result.status not in attack.statuses or result.collected
            or not re.fullmatch(attack.output, said, re.DOTALL)):
        failures[attack.name] = [result.status, said[-300:]]
overdrawn = {}
for bound in BOUNDS:
    if bound.name == "files" and not sandbox.host.bounds_inodes:
        continue
    result = best_of_tries(
        lambda: sandbox.run(Command(("python", "-c", bound.source), limits=bound.limits)),
        lambda result: bound.got(result) <= bound.most * SLACK,
    )
    if bound.got(result) > bound.most * SLACK:
        overdrawn[bound.name] = [result.status, bound.got(result)]
findings = examine(sandbox)
if isinstance(sandbox, SlotSandbox):
    sandbox.close()
print(json.dumps({"tried": tried, "failures": failures, "overdrawn": overdrawn,
    "isolated": isolation_holds(findings), "groups": len(sandbox.host.hierarchies.directories()),
    "unverified": [finding.limit for finding in findings if not finding.verified]}))
"""


@pytest.fixture
def readable_copy() -> Iterator[Path]:
    """The sandbox's code where an ordinary user can read it, which the checkout may not be."""
    folder = Path(tempfile.mkdtemp(prefix="gauntlet-test-"))
    folder.chmod(0o755)
    for name in ("sandboxes", "tests/attacks"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "tests" / "tries.py", folder / "tests")
    shutil.copy(PROJECT / "requirements-sandbox.lock", folder)
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def delegated() -> Iterator[list[Path]]:
    """Groups that an ordinary user may make groups in, as an administrator would give them."""
    name = f"test-delegated-{os.getpid()}"
    folders = [parent / name for parent in find_hierarchies().directories()]
    if not folders:
        pytest.skip("this host gives no control groups to this user")
    for folder in folders:
        folder.mkdir()
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    yield folders
    for folder in folders:
        for left in folder.glob("gauntlet*"):
            left.rmdir()
        folder.rmdir()


def as_nobody(copy: Path, backend: str, what: str, groups: Sequence[Path] = ()) -> dict[str, Any]:
    """What the script says, run by somebody who is not root, in these control groups."""
    ensure_launcher()  # where only root may write
    enter = 'for group do [ "$group" != -- ] || break; shift; echo $$ >"$group/cgroup.procs"; done'
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    script = [PYTHON, "-B", "-c", SCRIPT, str(copy), str(PROJECT), backend, what]
    result = subprocess.run(
        [
            "/bin/sh",
            "-ec",
            f'{enter}; shift; exec "$@"',
            "sh",
            *map(str, groups),
            "--",
            *drop,
            *script,
        ],
        env={"GAUNTLET_RUNTIME_DIR": str(ensure_runtime()), "PATH": "/usr/bin"},
        cwd="/",
        capture_output=True,
        check=False,
        timeout=180,
    )
    assert result.returncode == 0, result.stderr.decode()
    said: dict[str, Any] = json.loads(result.stdout)
    return said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("backend", "weak"),
    [
        ("bubblewrap", {"memory in files", "memory not mapped", "scratch inodes"}),
        ("slot", {"memory in files", "memory not mapped"}),
    ],
)
def test_no_attack_succeeds_against_an_ordinary_user(
    readable_copy: Path, backend: str, weak: set[str]
) -> None:
    said = as_nobody(readable_copy, backend, "all")
    assert said["failures"] == {}
    assert said["tried"] >= len(ATTACKS) - 3  # one kind of processor's, or control groups'
    # Memory is looked at every few milliseconds and not charged by the kernel: it can be passed.
    assert set(said["overdrawn"]) <= {"memory", "memory of many processes"}
    assert said["isolated"]
    assert set(said["unverified"]) <= weak
    assert said["groups"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("backend", "weak"), [("bubblewrap", {"scratch inodes"}), ("slot", set())])
def test_every_limit_holds_for_an_ordinary_user_with_delegated_groups(
    readable_copy: Path, delegated: list[Path], backend: str, weak: set[str]
) -> None:
    said = as_nobody(readable_copy, backend, "limits", delegated)
    assert said["groups"] == len(delegated)
    assert said["overdrawn"] == {}
    assert said["isolated"]
    assert set(said["unverified"]) <= weak
    for folder in delegated:
        left = [*folder.glob("gauntlet-[0-9]*"), *folder.glob("gauntlet/gauntlet-[0-9]*")]
        assert left == []
