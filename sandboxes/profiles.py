"""What each profile means: what its programs see, and which limits do them no harm.

AddressSanitizer and ThreadSanitizer reserve terabytes of addresses, which RLIMIT_DATA would count,
at places that a random layout may have taken already (where `vm.mmap_rnd_bits` is 32, gcc 12's
die of it in one start of several). LeakSanitizer stops its own process by ptrace, which no program
here may call; so it is off, and a leak has to be found by other means. A grader gives the options
that are its own by `__asan_default_options` and `__tsan_default_options` in what it compiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandboxes.interface import Command, Profile
from sandboxes.runtime import NUMPY, TORCH, Packages, built

SCRATCH = "/scratch"
HOME = f"{SCRATCH}/home"
RUNTIME = "/runtime"

_PROGRAMS = ("/usr/bin", "/usr/lib", "/usr/lib64")
_THREADS = ("OPENBLAS", "OMP", "MKL", "NUMEXPR")
_BASE = {
    "PATH": "/usr/bin:/bin",
    "HOME": HOME,
    "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    **{f"{library}_NUM_THREADS": "1" for library in _THREADS},
}
_PYTHON = {
    "PYTHONPATH": RUNTIME,
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONHASHSEED": "0",  # the same submission takes the same path every time
    "PYTHONUNBUFFERED": "1",  # what a killed program printed is not lost
}
_TORCH = {
    "TRITON_CACHE_DIR": "/tmp/triton",  # noqa: S108 - the sandbox's own
    "TRITON_DEFAULT_FP_FUSION": "1",  # as it is; unsaid, every program gets a warning
    "USER": "sandbox",  # torch asks for a name, and there is no /etc/passwd to find one in
}


@dataclass(frozen=True, slots=True)
class Traits:
    """One profile.

    Attributes
    ----------
    packages : Packages or None
        What its Python can import; None for one that has no Python of ours.
    shown : tuple of str
        Folders of the host, read-only.
    can_execute_files : bool
        Whether the files that are laid for it are programs.
    bounds_data : bool
        Whether RLIMIT_DATA may stop what grows faster than the supervisor looks, where no control
        group does.
    is_randomized : bool
        Whether addresses are drawn at random.
    own_threads : int
        Threads that its runtime starts for itself, which are not the program's to count.
    """

    packages: Packages | None = None
    shown: tuple[str, ...] = _PROGRAMS
    can_execute_files: bool = False
    bounds_data: bool = True
    is_randomized: bool = True
    own_threads: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """All the variables that a program has."""
        return _BASE | (_PYTHON if self.packages else {}) | dict(self.variables)

    @property
    def file_mode(self) -> int:
        """The mode of the files that are laid for a program."""
        return 0o555 if self.can_execute_files else 0o444


TRAITS: Mapping[Profile, Traits] = {
    Profile.PYTHON: Traits(packages=NUMPY),
    Profile.TORCH: Traits(packages=TORCH, variables=_TORCH),
    Profile.COMPILE_CPP: Traits(shown=(*_PROGRAMS, "/usr/libexec", "/usr/include")),
    Profile.RUN_CPP: Traits(can_execute_files=True),
    Profile.RUN_ASAN: Traits(
        can_execute_files=True,
        bounds_data=False,
        is_randomized=False,
        variables={"ASAN_OPTIONS": "detect_leaks=0"},
    ),
    Profile.RUN_TSAN: Traits(
        can_execute_files=True, bounds_data=False, is_randomized=False, own_threads=1
    ),
}


def processes(command: Command) -> int:
    """How many processes and threads there may be, with those that a runtime starts for itself."""
    return command.limits.processes + TRAITS[command.profile].own_threads


def packages_of(profile: Profile, numpy_runtime: Path) -> Path | None:
    """The tree of packages that programs of a profile can import; None if they are no Python.

    Raises
    ------
    SandboxError
        If they have not been installed on this host.
    """
    packages = TRAITS[profile].packages
    if packages is None:
        return None
    return numpy_runtime if packages is NUMPY else built(packages)
