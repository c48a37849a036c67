"""What the program sees of the world, and how bubblewrap is told.

The arguments travel through a pipe (``--args``), on which bubblewrap waits before it does
anything: the process can be given its control group and limits while it holds still.
"""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandboxes.cgroups import MIB, Hierarchies
from sandboxes.interface import Command, SandboxError
from sandboxes.profiles import HOME, RUNTIME, SCRATCH, TRAITS, Traits, processes
from sandboxes.runtime import PYTHON

_SHELL = "/usr/bin/dash"  # essential on Debian and Ubuntu
_OPEN_FILES = 256
_STACK_BYTES = 8 << 20
_UNTOLD_PROCESSES = 8  # over the control group's bound, which counts what it refuses
_ULIMIT = {  # the shell's option, and its unit in bytes
    resource.RLIMIT_CPU: ("t", 1),
    resource.RLIMIT_NPROC: ("p", 1),
    resource.RLIMIT_FSIZE: ("f", 512),
    resource.RLIMIT_NOFILE: ("n", 1),
    resource.RLIMIT_STACK: ("s", 1024),
    resource.RLIMIT_CORE: ("c", 512),
    resource.RLIMIT_MEMLOCK: ("l", 1024),
    resource.RLIMIT_DATA: ("d", 1024),
}

# Packages of the host's own Python: with them, a verdict would depend on the host.
HIDDEN = ("/usr/lib/python3/dist-packages",)
DEVICES = ("null", "zero", "full", "random", "urandom")
# Files of /proc that tell how the host was started, and of its disks and devices. Nothing that runs
# here needs them; they are empty. (serve.c has the same list.)
EMPTY_IN_PROC = ("cmdline", "diskstats", "interrupts", "partitions")


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Numbers, in the program that bubblewrap is, of the descriptors that bubblewrap consumes."""

    arguments: int
    seccomp: int
    status: int
    hold: int | None  # bubblewrap waits here, with everything mounted, until it is closed
    first_file: int


def program(command: Command, hierarchies: Hierarchies) -> list[str]:
    """The command line inside the sandbox, behind a shell that is its init.

    Process 1 must be there to reap orphans and to keep abort() an abort. bubblewrap's own init
    would run without the system call filter and under the program's uid: a program that writes
    to /proc/1/mem would be rid of the filter. The shell starts after the filter is set.

    Parameters
    ----------
    command : Command
        What to run.
    hierarchies : Hierarchies
        What control groups bound.
    """
    limits = "; ".join(_shell_limits(resource_limits(command, hierarchies, 1)))
    # Its standard error goes aside, since a shell has words of its own for a child that crashed.
    script = f'{limits}; exec 5>&2 2>/dev/null; (exec "$@" 2>&5 5>&-); exit $?'
    return [_SHELL, "-c", script, "init", *argv_inside(command)]


def argv_inside(command: Command) -> list[str]:
    """The program's own command line.

    Raises
    ------
    SandboxError
        If `argv[0]` is neither ``python`` nor an absolute path.
    """
    name, *rest = command.argv
    if name == "python":
        return [PYTHON, "-s", "-B", *rest]
    if name.startswith("/"):
        return [name, *rest]
    raise SandboxError(f"argv[0] must be python or an absolute path, got {name!r}")


@dataclass(frozen=True, slots=True)
class ResourceLimit:
    """One call of setrlimit(2): the resource, and its bounds in the kernel's unit."""

    resource: int
    soft: int
    hard: int


def resource_limits(
    command: Command, hierarchies: Hierarchies, own_processes: int
) -> list[ResourceLimit]:
    """What setrlimit(2) bounds: a backstop under the control groups, or in their place.

    Set inside, since a user namespace counts its own processes: set outside, the limit on
    processes would count all those of the user.

    Parameters
    ----------
    hierarchies : Hierarchies
        What control groups bound. Where none bounds memory, RLIMIT_DATA stops what grows faster
        than the supervisor looks.
    own_processes : int
        The sandbox's own in the user namespace, which are counted too.
    """
    limits = command.limits
    cpu_s = math.ceil(limits.cpu_time_s) + 1
    most_processes = processes(command) + own_processes
    if hierarchies.pids is not None:
        most_processes += _UNTOLD_PROCESSES
    file_bytes = limits.scratch_mib * MIB
    stack_bytes = max(_STACK_BYTES, limits.memory_mib * MIB)
    bounds = [
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_NPROC, most_processes, most_processes),
        (resource.RLIMIT_FSIZE, file_bytes, file_bytes),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
        (resource.RLIMIT_STACK, _STACK_BYTES, stack_bytes),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ]
    if hierarchies.memory is None and TRAITS[command.profile].bounds_data:
        data_bytes = 2 * limits.memory_mib * MIB + 256 * MIB
        bounds.append((resource.RLIMIT_DATA, data_bytes, data_bytes))
    found = []
    for kind, soft, hard in bounds:
        ceiling = resource.getrlimit(kind)[1]  # nobody in there may raise it
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        found.append(ResourceLimit(kind, soft, hard))
    return found


def _shell_limits(limits: list[ResourceLimit]) -> list[str]:
    commands = []
    for limit in limits:
        option, unit = _ULIMIT[limit.resource]
        commands.append(f"ulimit -S -{option} {limit.soft // unit}")
        commands.append(f"ulimit -H -{option} {limit.hard // unit}")
    return commands


def bubblewrap_arguments(
    command: Command,
    descriptors: Descriptors,
    runtime: Path | None,
    scratch_mount: str | None,
) -> bytes:
    """What goes through bubblewrap's ``--args`` pipe.

    The namespaces and the filter come first: if this process died half-way through writing, what
    arrived could lock bubblewrap in, but not let it out.

    Parameters
    ----------
    runtime : Path or None
        The packages that the program can import, if it is Python.
    scratch_mount : str or None
        Where a tmpfs for the scratch space is mounted already; None lets bubblewrap make one,
        which bounds its bytes but not its inodes.
    """
    arguments = [
        *("--die-with-parent", "--new-session", "--as-pid-1", "--unshare-user", "--unshare-pid"),
        *("--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *("--hostname", "sandbox", "--clearenv"),
        *("--seccomp", str(descriptors.seccomp)),
        *("--json-status-fd", str(descriptors.status)),
    ]
    if descriptors.hold is not None:
        arguments += ["--block-fd", str(descriptors.hold)]
    traits = TRAITS[command.profile]
    for name, value in traits.environment.items():
        arguments += ["--setenv", name, value]
    arguments += _system(traits)
    arguments += ["--proc", "/proc"]
    for name in EMPTY_IN_PROC:
        if os.path.exists(f"/proc/{name}"):
            arguments += ["--dev-bind", "/dev/null", f"/proc/{name}"]
    arguments += ["--tmpfs", "/dev"]
    for device in DEVICES:
        arguments += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0")):
        arguments += ["--symlink", target, f"/dev/{name}"]
    for number, name in ((1, "stdout"), (2, "stderr")):
        arguments += ["--symlink", f"/proc/self/fd/{number}", f"/dev/{name}"]
    arguments += ["--symlink", f"{SCRATCH}/shm", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
    if scratch_mount is None:
        scratch_bytes = command.limits.scratch_mib << 20
        arguments += ["--size", str(scratch_bytes), "--tmpfs", SCRATCH]
    else:
        arguments += ["--bind", scratch_mount, SCRATCH]
    for name in ("home", "tmp", "shm"):
        arguments += ["--dir", f"{SCRATCH}/{name}"]
    arguments += ["--symlink", f"{SCRATCH}/tmp", "/tmp"]  # noqa: S108
    mode = f"{traits.file_mode:04o}"
    for number, name in enumerate(command.files, descriptors.first_file):
        arguments += ["--perms", mode, "--ro-bind-data", str(number), f"{HOME}/{placed(name)}"]
    if runtime is not None:
        arguments += ["--ro-bind", str(runtime), RUNTIME]
    arguments += ["--remount-ro", "/", "--chdir", HOME]
    return b"".join(os.fsencode(argument) + b"\0" for argument in arguments)


def _system(traits: Traits) -> list[str]:
    """The read-only part of /usr that the profile needs, and the old names that lead there."""
    arguments = []
    for path in traits.shown:
        arguments += ["--ro-bind-try", path, path]
    for path in HIDDEN:
        if os.path.isdir(path):
            arguments += ["--tmpfs", path, "--remount-ro", path]
    for name in ("bin", "lib", "lib64"):
        if os.path.islink(f"/{name}"):
            arguments += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            arguments += ["--ro-bind", f"/{name}", f"/{name}"]
    return arguments


def placed(name: str) -> str:
    """A file's name in the working directory.

    Raises
    ------
    SandboxError
        If the name leads anywhere else.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise SandboxError(f"a file's name must be a relative path without .., got {name!r}")
    return "/".join(parts)


def spawn_argv(bwrap: str, uid: int | None, arguments_fd: int, inner: Sequence[str]) -> list[str]:
    """The command line outside; with a uid, root's rights are dropped before bubblewrap starts.

    bubblewrap itself, started by root, would keep kernel uid 0 inside its namespaces.
    """
    argv = [bwrap, "--args", str(arguments_fd), "--", *inner]
    if uid is None:
        return argv
    drop = ["/usr/bin/setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    return [*drop, "--inh-caps=-all", "--pdeathsig=KILL", *argv]
