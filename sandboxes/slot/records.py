"""What the launcher reads, as bytes: the layout is that of ``struct`` in slot.h."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from sandboxes.arguments import DEVICES, HIDDEN, ResourceLimit, argv_inside, placed
from sandboxes.cgroups import MIB
from sandboxes.interface import Command, Profile
from sandboxes.profiles import RUNTIME, SCRATCH, TRAITS, Traits

_SETTINGS = struct.Struct("=5I")
_REQUEST = struct.Struct("=3Q5I4xQ")
_LIMIT = struct.Struct("=2I2Q")
_SIZE = struct.Struct("=Q")
_FOLDERS = 4  # the scratch space's root, and three in it


def settings(
    uid: int, seccomp: bytes, profile: Profile, runtime: Path | None, modules: Sequence[str]
) -> bytes:
    """The settings of one slot, which is made for a profile.

    Parameters
    ----------
    uid : int
        What root becomes; ignored for others.
    runtime : Path or None
        The packages that its programs can import, if they are Python.
    modules : sequence of str
        What its zygote imports; empty for a slot that executes programs.
    """
    traits = TRAITS[profile]
    layout = _strings(_layout(traits, runtime))
    variables = _strings(_variables(traits.environment))
    imports = _strings([" ".join(modules)]) if modules else b""
    lengths = (len(seccomp), len(layout), len(variables), len(imports))
    return _SETTINGS.pack(uid, *lengths) + seccomp + layout + variables + imports


def _layout(traits: Traits, runtime: Path | None) -> list[str]:
    words = ["d", "/usr", "d", "/dev", "d", "/proc", "d", SCRATCH]
    for path in traits.shown:
        if os.path.isdir(path):
            words += ["d", path, "b", path, path]
    for path in HIDDEN:
        if os.path.isdir(path):
            words += ["h", path]
    for name in ("/bin", "/lib", "/lib64"):
        if os.path.islink(name):
            words += ["l", os.readlink(name), name]
        elif os.path.isdir(name):
            words += ["d", name, "b", name, name]
    for device in DEVICES:
        words += ["v", f"/dev/{device}", f"/dev/{device}"]
    links = {
        "/dev/fd": "/proc/self/fd",
        "/dev/stdin": "/proc/self/fd/0",
        "/dev/stdout": "/proc/self/fd/1",
        "/dev/stderr": "/proc/self/fd/2",
        "/dev/shm": f"{SCRATCH}/shm",  # noqa: S108 - the sandbox's own, as is /tmp
        "/tmp": f"{SCRATCH}/tmp",  # noqa: S108
    }
    for path, target in links.items():
        words += ["l", target, path]
    if runtime is not None:
        words += ["d", RUNTIME, "b", str(runtime), RUNTIME]
    return words


def request(command: Command, limits: Sequence[ResourceLimit]) -> bytes:
    """One run's request.

    Raises
    ------
    SandboxError
        If the command cannot be laid out; the message says the rule.
    """
    names = [placed(name) for name in command.files]
    folders = {folder for name in names for folder in PurePosixPath(name).parents[:-1]}
    arguments = argv_inside(command)
    traits = TRAITS[command.profile]
    variables = _variables(traits.environment)
    strings = _strings([*arguments, *variables, *names])
    contents = list(command.files.values())
    header = _REQUEST.pack(
        command.limits.scratch_mib * MIB,
        command.limits.scratch_inodes + _FOLDERS + len(names) + len(folders),
        sum(map(len, contents)),
        traits.file_mode,
        len(limits),
        len(arguments),
        len(variables),
        len(names),
        len(strings),
    )
    bounds = [_LIMIT.pack(limit.resource, 0, limit.soft, limit.hard) for limit in limits]
    sizes = [_SIZE.pack(len(content)) for content in contents]
    return b"".join((header, *bounds, *sizes, strings, *contents))


def _variables(names: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in names.items()]


def _strings(texts: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(text) + b"\0" for text in texts)
