"""The doctor believes nothing that it did not see."""

from __future__ import annotations

import dataclasses

import pytest

from sandboxes import doctor
from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.doctor import Finding, examine, isolation_holds
from sandboxes.interface import SandboxError
from sandboxes.seccomp import ALLOW


def test_everything_that_isolates_is_verified_here(sandbox: BubblewrapSandbox) -> None:
    findings = examine(sandbox)
    assert isolation_holds(findings)
    assert {finding.limit for finding in findings if not finding.verified} <= {
        "memory in files",
        "scratch inodes",
    }


def test_a_sandbox_whose_filter_allows_all_is_found_out(any_sandbox: BubblewrapSandbox) -> None:
    allow_all = bytes([0x06, 0, 0, 0]) + ALLOW.to_bytes(4, "little")
    leaky = BubblewrapSandbox(hierarchies=any_sandbox.host.hierarchies)
    leaky.host = dataclasses.replace(leaky.host, seccomp=allow_all)
    findings = examine(leaky)
    unverified = [finding.limit for finding in findings if not finding.verified]
    assert {"network", "system calls"} <= set(unverified)
    assert not isolation_holds(findings)


def test_without_control_groups_memory_in_files_is_called_unseen(
    sandbox: BubblewrapSandbox,
) -> None:
    finding = next(f for f in examine(sandbox) if f.limit == "memory in files")
    assert finding.verified is (sandbox.host.hierarchies.memory is not None)


def test_a_host_that_cannot_isolate_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> BubblewrapSandbox:
        raise SandboxError("submissions run under bubblewrap: apt install bubblewrap")

    monkeypatch.setattr(doctor, "BubblewrapSandbox", fail)
    findings = examine()
    assert [finding.detail for finding in findings] == [
        "submissions run under bubblewrap: apt install bubblewrap"
    ]
    assert not isolation_holds(findings)


def test_nothing_examined_is_no_isolation() -> None:
    assert not isolation_holds([])
    assert not isolation_holds([Finding("output", "the supervisor", True, "")])
