"""Carries one attack out, with bait laid, and says what is wrong with the outcome.

Standard library only, so that an ordinary user can do it too.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.interface import Command, Profile, RunResult
from sandboxes.slot import SlotSandbox
from tests.attacks.table import ATTACKS, Attack

AnySandbox = BubblewrapSandbox | SlotSandbox
SECRET = "hidden-expected-value-91f3"


@dataclass(frozen=True, slots=True)
class Bait:
    """What the attacks hunt for.

    `marks` fills the programs in. `decoy` is a process of the same user as whoever runs the
    sandbox, with the secret in its environment; it must outlive every attack.
    """

    marks: Mapping[str, str]
    decoy: subprocess.Popen[bytes]


@contextlib.contextmanager
def laid(project: str) -> Iterator[Bait]:
    """A service, an abstract socket, a process, an open descriptor and variables, as on a host."""
    abstract = f"gauntlet-bait-{os.getpid()}"
    with (
        tempfile.TemporaryFile() as held,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unix,
        contextlib.ExitStack() as undo,
    ):
        held.write(SECRET.encode())
        os.set_inheritable(held.fileno(), True)
        unix.bind(f"\0{abstract}")
        os.environ["GAUNTLET_TEST_SECRET"] = SECRET
        undo.callback(os.environ.pop, "GAUNTLET_TEST_SECRET")
        decoy = subprocess.Popen(["/bin/sleep", "3600"], env={"SECRET": SECRET})
        undo.callback(decoy.wait)
        undo.callback(decoy.kill)
        marks = {
            "@SECRET@": SECRET,
            "@PROJECT@": project,
            "@PORT@": str(server.getsockname()[1]),
            "@ABSTRACT@": abstract,
            "@HOST_PID@": str(decoy.pid),
        }
        yield Bait(marks, decoy)


def filled(attack: Attack, marks: Mapping[str, str]) -> str:
    """The attack's program with what there is to be found."""
    source = attack.source
    for mark, value in marks.items():
        source = source.replace(mark, value)
    return source


def why_not_tried(attack: Attack, sandbox: AnySandbox) -> str:
    """Why an attack says nothing about this host; empty if it does."""
    if attack.machine not in (None, platform.machine()):
        return f"only on {attack.machine}"
    if attack.needs_groups and sandbox.host.hierarchies.memory is None:
        return "this host gives no control groups to this user"
    return ""


def carry_out(sandbox: AnySandbox, attack: Attack, bait: Bait) -> RunResult:
    """Run the attack in the sandbox."""
    source = filled(attack, bait.marks).encode()
    argv: tuple[str, ...] = ("python", "program.py")
    name = "program.py"
    if attack.profile is Profile.COMPILE_CPP:
        argv = ("/usr/bin/g++", "-std=c++20", "program.cpp", "-o", "out")
        name = "program.cpp"
    files = {name: source}
    return sandbox.run(Command(argv, attack.profile, files, attack.limits, attack.collect))


def faults(attack: Attack, result: RunResult, bait: Bait) -> list[str]:
    """Where the outcome is another than it must be."""
    said = (result.stdout + result.stderr).decode(errors="replace").strip()
    found = []
    if result.status not in attack.statuses:
        found.append(f"it ended as {result.status}, saying {said[-300:]!r}")
    if not is_refused(attack, said):
        found.append(f"it said {said[-300:]!r}, and must say {attack.output!r}")
    if result.collected:
        found.append(f"{sorted(result.collected)} came back")
    if attack.signal is not None and result.signal != attack.signal:
        found.append(f"signal {result.signal} ended it, and {attack.signal} must")
    if SECRET.encode() in result.stdout + result.stderr:
        found.append("it has the secret")
    if attack.profile is Profile.COMPILE_CPP and result.exit_code == 0:
        found.append("it was compiled")
    if bait.decoy.poll() is not None:
        found.append(f"a process of the host was ended by signal {-bait.decoy.returncode}")
    return found


def is_refused(attack: Attack, said: str) -> bool:
    """Whether what a program said is what it must say where it was refused."""
    return re.fullmatch(attack.output, said, re.DOTALL) is not None


def outcome_of_all(sandbox: AnySandbox, project: str) -> tuple[int, dict[str, list[str]]]:
    """How many attacks were tried, and what is wrong by the name of the attack."""
    wrong, tried = {}, 0
    with laid(project) as bait:
        for attack in ATTACKS:
            if not why_not_tried(attack, sandbox):
                tried += 1
                found = faults(attack, carry_out(sandbox, attack, bait), bait)
                if found:
                    wrong[attack.name] = found
    return tried, wrong
