"""The sandbox that stands on bubblewrap: namespaces, a system call filter, limits."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sandboxes import cgroups
from sandboxes.cgroups import Hierarchies
from sandboxes.identity import FIRST_UID, LAST_UID
from sandboxes.interface import (
    Command,
    Limits,
    Profile,
    RunResult,
    RunStatus,
    SandboxError,
)
from sandboxes.kernel import mount_private_tmpfs
from sandboxes.launch import BubblewrapLaunched
from sandboxes.run import Run
from sandboxes.runtime import ensure_runtime
from sandboxes.seccomp import filter_program

SCRATCH_MOUNT = "/mnt"  # covered in the namespace of one thread only; nobody else sees it


@dataclass(frozen=True, slots=True)
class Host:
    """What this host lets a sandbox use, found out by trying."""

    bwrap: str
    runtime: Path
    seccomp: bytes
    hierarchies: Hierarchies
    scratch_mount: str | None  # where a run mounts its sized tmpfs; None without the right to
    first_uid: int = FIRST_UID
    last_uid: int = LAST_UID

    @property
    def is_root(self) -> bool:
        return os.geteuid() == 0

    @property
    def bounds_inodes(self) -> bool:
        return self.scratch_mount is not None


class BubblewrapSandbox:
    """Runs commands, each in namespaces of its own. Safe to use from many threads.

    Parameters
    ----------
    runtime : Path, optional
        The tree that `sandboxes.runtime` builds; built where it belongs if left out.
    hierarchies : Hierarchies, optional
        Where to make control groups; searched for if left out. `Hierarchies()` uses none.
    uids : tuple of int, optional
        First and last user id that runs may have when this process is root.
    progress : callable
        Told, in a sentence, what takes long.

    Raises
    ------
    SandboxError
        If this host cannot isolate a program; the message says what to do.
    """

    def __init__(
        self,
        runtime: Path | None = None,
        hierarchies: Hierarchies | None = None,
        uids: tuple[int, int] = (FIRST_UID, LAST_UID),
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        bwrap = shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")
        if bwrap is None:
            raise SandboxError("submissions run under bubblewrap: apt install bubblewrap")
        self.host = Host(
            bwrap=bwrap,
            runtime=ensure_runtime(runtime, progress),
            seccomp=filter_program(),
            hierarchies=find_hierarchies() if hierarchies is None else hierarchies,
            scratch_mount=SCRATCH_MOUNT if can_mount_scratch() else None,
            first_uid=uids[0],
            last_uid=uids[1],
        )
        cgroups.sweep(self.host.hierarchies)
        self._try_once()

    def run(self, command: Command, stdin: bytes = b"") -> RunResult:
        """Run to the end and report."""
        with self.begin(command, stdin) as run:
            return run.wait()

    def begin(self, command: Command, stdin: bytes = b"") -> Run:
        """As `run`, but return at once, with what can be waited for and ended."""
        return self._run(command, interactive=False, stdin=stdin)

    def start(self, command: Command) -> Run:
        """Start a command that is spoken to in frames, and return at once."""
        return self._run(command, interactive=True, stdin=b"")

    def close(self) -> None:
        """Let go of what is kept from one run to the next: nothing."""

    def _run(self, command: Command, interactive: bool, stdin: bytes) -> Run:
        return Run(
            lambda: BubblewrapLaunched(self.host, command, interactive, stdin),
            self.host.hierarchies,
            command,
            interactive,
        )

    def sweep(self) -> list[str]:
        """Remove what runners that are gone left on this host; the names of what was found."""
        return cgroups.sweep(self.host.hierarchies)

    def _try_once(self) -> None:
        command = Command(
            argv=("/usr/bin/true",), profile=Profile.RUN_CPP, limits=Limits(processes=2)
        )
        try:
            result = self.run(command)
        except SandboxError as error:
            raise SandboxError(f"{error}. {advice()}") from error
        if result.status is not RunStatus.EXITED or result.exit_code != 0:
            raise SandboxError(f"a trial run of true ended with {result}. {advice()}")


@functools.cache
def find_hierarchies() -> Hierarchies:
    """As `cgroups.find_hierarchies`, asked once a process: it starts processes to know."""
    return cgroups.find_hierarchies()


@functools.cache
def can_mount_scratch() -> bool:
    """Whether a thread of this process may mount a tmpfs in a namespace of its own."""

    def attempt() -> bool:
        try:
            os.close(mount_private_tmpfs(SCRATCH_MOUNT, "size=4k,nr_inodes=2,mode=0700"))
        except OSError:
            return False
        return True

    # The thread ends here, and its mount with it.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(attempt).result()


def advice() -> str:
    """What an administrator of this host should do where namespaces cannot be made."""
    if _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor keeps unprivileged programs from making user namespaces here: give "
            "the sandbox the profiles in sandboxes/apparmor.profile (it says how)"
        )
    if _sysctl("kernel/unprivileged_userns_clone") == "0":
        return "unprivileged user namespaces are off: sysctl -w kernel.unprivileged_userns_clone=1"
    if _sysctl("user/max_user_namespaces") == "0":
        return "user namespaces are off: sysctl -w user.max_user_namespaces=10000"
    return (
        "a sandbox needs user, pid, mount and network namespaces and a fresh /proc; a container "
        "must allow them (docker: --security-opt seccomp=unconfined --security-opt "
        "systempaths=unconfined)"
    )


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""
