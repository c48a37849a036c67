"""What this host lets a sandbox use, for whoever has to mend it."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandboxes.bubblewrap import find_hierarchies
from sandboxes.identity import FIRST_UID, LAST_UID
from sandboxes.interface import SandboxError
from sandboxes.runtime import NUMPY, TORCH, built

_NOBODY = 65534
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that decides what a sandbox can enforce here."""

    subject: str
    fact: str


def facts() -> list[Fact]:
    """All of them, in the order in which they are worth mending."""
    return [
        Fact("kernel", f"Linux {platform.release()} on {platform.machine()}"),
        Fact("user", _user()),
        Fact("user namespaces", _user_namespaces()),
        Fact("AppArmor", _apparmor()),
        *_control_groups(),
        *_packages(),
    ]


def _user() -> str:
    if os.geteuid() == 0:
        return f"root: each run gets an unprivileged uid of its own, {FIRST_UID} to {LAST_UID}"
    return f"uid {os.geteuid()}: each run has this uid, in a user namespace of its own"


def _user_namespaces() -> str:
    """Tried as somebody without privileges: they are made after root's have been given up."""
    command = ["/usr/bin/unshare", "--user", "/usr/bin/true"]
    if os.geteuid() == 0:
        drop = ["/usr/bin/setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
        command = [*drop, *command]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.defpath})
    except OSError as error:
        return f"not tried: {error}"
    if tried.returncode == 0:
        return "can be made without privileges"
    return f"cannot be made without privileges: {tried.stderr.strip()}"


def _apparmor() -> str:
    try:
        restricts = _APPARMOR.read_text().strip() == "1"
    except OSError:
        return "restricts no user namespaces: this kernel has no such setting"
    if restricts:
        return "keeps programs without a profile from user namespaces (sandboxes/apparmor.profile)"
    return "restricts no user namespaces"


def _control_groups() -> list[Fact]:
    """Each controller, with the place where a group was made and its limit set a moment ago."""
    found = find_hierarchies()
    version = "version 2" if found.is_v2 else "version 1"
    return [
        Fact(
            f"cgroup {name}",
            f"{version}, in {place}" if place else "none that this user may make groups in",
        )
        for name, place in (("memory", found.memory), ("pids", found.pids), ("cpu", found.cpu))
    ]


def _packages() -> list[Fact]:
    told = []
    for packages in (NUMPY, TORCH):
        try:
            fact = f"installed in {built(packages)}"
        except SandboxError as error:
            fact = f"not installed: {error}"
        told.append(Fact(f"{packages.name} runtime", fact))
    return told
