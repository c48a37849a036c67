"""Every attack of the table, and that nothing is left after any of them."""

from __future__ import annotations

import os
import platform
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes.interface import Command, Profile, RunResult, Sandbox
from tests.attacks.table import ATTACKS, Attack
from tests.sandboxes.conftest import AnySandbox

SECRET = "hidden-expected-value-91f3"
PROJECT = str(Path(__file__).resolve().parents[2])


@pytest.fixture(scope="session")
def bait(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the attacks hunt for: services, a secret in the environment, an open descriptor."""
    os.environ["GAUNTLET_TEST_SECRET"] = SECRET
    file = tmp_path_factory.mktemp("bait") / "secret"
    file.write_text(SECRET)
    abstract = f"gauntlet-bait-{os.getpid()}"
    with (
        open(file) as held,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unix,
    ):
        os.set_inheritable(held.fileno(), True)
        unix.bind(f"\0{abstract}")
        yield {
            "@SECRET@": SECRET,
            "@PROJECT@": PROJECT,
            "@PORT@": str(server.getsockname()[1]),
            "@ABSTRACT@": abstract,
            "@HOST_PID@": str(os.getpid()),
        }
    del os.environ["GAUNTLET_TEST_SECRET"]


def attack_with(sandbox: Sandbox, attack: Attack, bait: dict[str, str]) -> RunResult:
    source = attack.source
    for mark, value in bait.items():
        source = source.replace(mark, value)
    if attack.profile is Profile.COMPILE_CPP:
        argv = ("/usr/bin/g++", "-std=c++20", "program.cpp", "-o", "out")
        return sandbox.run(
            Command(argv, attack.profile, {"program.cpp": source.encode()}, attack.limits)
        )
    files = {"program.py": source.encode()}
    return sandbox.run(
        Command(("python", "program.py"), attack.profile, files, attack.limits, attack.collect)
    )


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_it_does_not_succeed(sandbox: AnySandbox, attack: Attack, bait: dict[str, str]) -> None:
    if attack.machine not in (None, platform.machine()):
        pytest.skip(f"only on {attack.machine}")
    if attack.needs_groups and sandbox.host.hierarchies.memory is None:
        pytest.skip("this host gives no control groups to this user")
    result = attack_with(sandbox, attack, bait)
    said = (result.stdout + result.stderr).decode(errors="replace").strip()
    assert result.status in attack.statuses, (result.status, said[-500:])
    assert re.fullmatch(attack.output, said, re.DOTALL), said[-500:]
    assert result.collected == {}
    if attack.signal is not None:
        assert result.signal == attack.signal
    assert SECRET.encode() not in result.stdout + result.stderr
    if attack.profile is Profile.COMPILE_CPP:
        assert result.exit_code != 0
