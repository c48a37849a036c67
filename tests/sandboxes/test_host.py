"""Hosts that cannot do what a sandbox needs: a sentence that says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandboxes import bubblewrap, cgroups, runtime
from sandboxes.bubblewrap import BubblewrapSandbox, find_hierarchies
from sandboxes.cgroups import Cgroup, Hierarchies
from sandboxes.interface import SandboxError


@pytest.fixture
def broken_bwrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bubblewrap that fails as it does where user namespaces are forbidden."""
    folder = Path("/tmp") / f"gauntlet-broken-{tmp_path.name}"
    folder.mkdir(mode=0o755)
    program = folder / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name, path: str(program))
    return folder


def test_without_bubblewrap_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path: None)
    with pytest.raises(SandboxError, match="apt install bubblewrap"):
        BubblewrapSandbox()


@pytest.mark.parametrize(
    ("setting", "value", "advice"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "sandboxes/apparmor.profile"),
        ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces"),
        ("none", "", "systempaths=unconfined"),
    ],
)
def test_a_host_that_forbids_namespaces_is_told_what_to_do(
    broken_bwrap: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, advice: str
) -> None:
    monkeypatch.setattr(bubblewrap, "_sysctl", {setting: value}.get)
    try:
        with pytest.raises(SandboxError, match=r"uid map: Permission denied") as caught:
            BubblewrapSandbox()
        assert advice in str(caught.value)
    finally:
        shutil.rmtree(broken_bwrap)


def test_a_runtime_in_the_making_is_not_taken_for_a_complete_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = tmp_path / "runtime"
    (half / "numpy").mkdir(parents=True)

    def install(target: Path, packages: runtime.Packages) -> None:
        (target / "module.py").write_text("VALUE = 1\n")

    monkeypatch.setattr(runtime, "_install", install)
    told: list[str] = []
    assert runtime.ensure_runtime(half, told.append) == half
    assert not (half / "numpy").exists()
    assert list((half / "__pycache__").glob("module.*.pyc"))
    assert len(told) == 2
    assert runtime.ensure_runtime(half, told.append) == half
    assert len(told) == 2  # there already
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["runtime"]


def test_packages_that_cannot_be_fetched_are_told_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        code = 0 if "--version" in command else 1
        return subprocess.CompletedProcess(command, code, "", "Could not resolve host")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(SandboxError, match=r"check the network.*Could not resolve host"):
        runtime.ensure_runtime(tmp_path / "runtime")
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_numbers_of_version_2_groups_are_read(tmp_path: Path) -> None:
    """On a plain folder in place of the real thing, which not every host has."""
    parent = tmp_path / "gauntlet"
    parent.mkdir()
    group = Cgroup(Hierarchies(parent, parent, parent))
    group.limit(64 << 20, 3)
    (folder,) = parent.iterdir()
    assert (folder / "memory.max").read_text() == str(64 << 20)
    assert (folder / "pids.max").read_text() == "3"
    (folder / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\nsystem_usec 2\n")
    (folder / "memory.stat").write_text(f"anon {10 << 20}\nfile {30 << 20}\nshmem {5 << 20}\n")
    (folder / "memory.peak").write_text(f"{50 << 20}\n")
    (folder / "memory.events").write_text("low 0\nmax 7\noom 1\noom_kill 0\n")
    assert group.cpu_time_s() == 1.5
    group.forget_cpu_time()
    (folder / "cpu.stat").write_text("usage_usec 1750000\nuser_usec 1\nsystem_usec 2\n")
    assert group.cpu_time_s() == 0.25
    (folder / "pids.events").write_text("max 0\n")
    assert not group.out_of_processes()
    (folder / "pids.events").write_text("max 2\n")
    assert group.out_of_processes()
    assert group.memory_peak_mib() == 25  # 50 at the peak, less 25 of files that could be dropped
    assert not group.out_of_memory()
    (folder / "memory.events").write_text("low 0\nmax 7\noom 1\noom_kill 2\n")
    assert group.out_of_memory()
    (folder / "memory.stat").write_text(f"anon {40 << 20}\nfile {20 << 20}\nshmem {5 << 20}\n")
    assert group.memory_peak_mib() == 45


def test_a_version_2_without_the_controllers_is_tried_and_left_as_it_was() -> None:
    """For real, where version 2 is mounted beside version 1, which has the controllers."""
    mount, _ = cgroups._mounts()
    if mount is None:
        pytest.skip("this host has no version 2 of control groups")
    if "memory" in (mount / "cgroup.controllers").read_text().split():
        pytest.skip("this host's version 2 has the controllers")
    if not os.access(mount, os.W_OK):
        pytest.skip("this user may make no groups there")
    parent = mount / f"gauntlet-test-{os.getpid()}"
    assert not cgroups._prepare_v2(parent)
    assert not parent.exists()
    assert not find_hierarchies().is_v2
