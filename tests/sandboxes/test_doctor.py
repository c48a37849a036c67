"""The doctor believes nothing that it did not see."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes import doctor, host
from sandboxes.bubblewrap import BubblewrapSandbox, find_hierarchies
from sandboxes.doctor import (
    BACKENDS,
    Finding,
    examine,
    examine_backend,
    isolation_holds,
    require_isolation,
)
from sandboxes.host import facts
from sandboxes.interface import SandboxError
from sandboxes.runtime import runtime_directory
from sandboxes.seccomp import ALLOW
from tests.sandboxes.conftest import AnySandbox


def test_everything_that_isolates_is_verified_here(sandbox: AnySandbox) -> None:
    findings = examine(sandbox)
    assert isolation_holds(findings)
    assert {finding.limit for finding in findings if not finding.verified} <= {
        "memory in files",
        "memory not mapped",
        "scratch inodes",
    }


@pytest.fixture
def leaky(any_sandbox: AnySandbox) -> Iterator[AnySandbox]:
    """One of each whose filter allows all."""
    allow_all = bytes([0x06, 0, 0, 0]) + ALLOW.to_bytes(4, "little")
    made: AnySandbox = type(any_sandbox)(hierarchies=any_sandbox.host.hierarchies)
    made.close()
    made.host = dataclasses.replace(made.host, seccomp=allow_all)
    yield made
    made.close()


def test_a_sandbox_whose_filter_allows_all_is_found_out(leaky: AnySandbox) -> None:
    findings = examine(leaky)
    unverified = [finding.limit for finding in findings if not finding.verified]
    assert {"network", "system calls"} <= set(unverified)
    assert not isolation_holds(findings)
    with pytest.raises(
        SandboxError, match=r"a trial run could: network, system calls\. Run manage"
    ):
        require_isolation(leaky)


def test_a_sandbox_that_holds_is_let_work(any_sandbox: AnySandbox) -> None:
    require_isolation(any_sandbox)


def test_without_control_groups_memory_in_files_is_called_unseen(
    sandbox: AnySandbox,
) -> None:
    finding = next(f for f in examine(sandbox) if f.limit == "memory in files")
    assert finding.verified is (sandbox.host.hierarchies.memory is not None)


@pytest.mark.parametrize("name", list(BACKENDS))
def test_each_backend_is_examined_by_its_name(name: str) -> None:
    assert isolation_holds(examine_backend(name))


def test_a_host_that_cannot_isolate_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> BubblewrapSandbox:
        raise SandboxError("submissions run under bubblewrap: apt install bubblewrap")

    monkeypatch.setattr(doctor, "BACKENDS", {"bubblewrap": fail})
    findings = examine_backend("bubblewrap")
    assert [finding.detail for finding in findings] == [
        "submissions run under bubblewrap: apt install bubblewrap"
    ]
    assert not isolation_holds(findings)


def test_what_the_host_offers_is_told_as_it_was_tried() -> None:
    told = {fact.subject: fact.fact for fact in facts()}
    hierarchies = find_hierarchies()
    for name, place in (("memory", hierarchies.memory), ("pids", hierarchies.pids)):
        assert (str(place) in told[f"cgroup {name}"]) == (place is not None)
    assert told["user namespaces"] == "can be made without privileges"
    assert str(runtime_directory()) in told["numpy runtime"]


def test_a_host_without_user_namespaces_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[-3:] == ["/usr/bin/unshare", "--user", "/usr/bin/true"]
        return subprocess.CompletedProcess(
            command, 1, "", "unshare failed: Operation not permitted"
        )

    monkeypatch.setattr(subprocess, "run", refuse)
    assert host._user_namespaces() == (
        "cannot be made without privileges: unshare failed: Operation not permitted"
    )


def test_apparmor_is_named_where_it_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = tmp_path / "setting"
    monkeypatch.setattr(host, "_APPARMOR", setting)
    assert host._apparmor().startswith("restricts no user namespaces: this kernel")
    setting.write_text("1\n")
    assert "sandboxes/apparmor.profile" in host._apparmor()
    setting.write_text("0\n")
    assert host._apparmor() == "restricts no user namespaces"


def test_nothing_examined_is_no_isolation() -> None:
    assert not isolation_holds([])
    assert not isolation_holds([Finding("output", "the supervisor", True, "")])
