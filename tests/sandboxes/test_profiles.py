"""What each profile is for, done once in each backend."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sandboxes import runtime
from sandboxes.interface import DEFAULT_LIMITS, Command, Limits, Profile, RunStatus, SandboxError
from sandboxes.runtime import NUMPY, TORCH, built, runtime_directory
from sandboxes.slot import SlotSandbox
from tests.sandboxes.conftest import AnySandbox
from tests.sandboxes.programs import python

Compile = Callable[..., Mapping[str, bytes]]
HAS_TORCH = (runtime_directory(TORCH) / "COMPLETE").exists()

# Two threads that are there at the same time, a race of theirs, and how they find their memory.
RACE = """
#include <atomic>
#include <cstdio>
#include <sys/personality.h>
#include <thread>
int x;
std::atomic<int> there;
void work() {
    ++there;
    while (there.load() < 2) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) ++x;
}
int main() {
    std::thread first(work), second(work);
    first.join(); second.join();
    std::printf("layout %x\\n", personality(0xffffffff));
}
"""
FREED = """
#include <cstdio>
#include <sys/personality.h>
#include <thread>
int main(int count, char **) {
    std::printf("layout %x\\n", personality(0xffffffff)); std::fflush(stdout);
    int *number = new int(3);
    std::thread freeing([number] { delete number; });
    freeing.join();
    return count > 5 ? 0 : *number;
}
"""
LEAK = """
int *kept;
int main() { kept = new int[1 << 16]; kept = nullptr; }
"""


@pytest.fixture(scope="session")
def compiled() -> Compile:
    """Compiles a header and a program that includes it, each once and in any sandbox."""
    done: dict[tuple[str, ...], Mapping[str, bytes]] = {}

    def compile_once(sandbox: AnySandbox, source: str, *flags: str) -> Mapping[str, bytes]:
        if (source, *flags) not in done:
            argv = ("/usr/bin/g++", "-std=c++20", "-g", "-O1", "-pthread", *flags)
            command = Command(
                (*argv, "main.cpp", "-o", "main"),
                Profile.COMPILE_CPP,
                {"main.cpp": b'#include "part/of.hpp"\n', "part/of.hpp": source.encode()},
                collect=("main",),
            )
            result = sandbox.run(command)
            assert (result.status, result.exit_code) == (RunStatus.EXITED, 0), result.stderr
            done[source, *flags] = result.collected
        return done[source, *flags]

    return compile_once


def command(profile: Profile, files: Mapping[str, bytes], processes: int) -> Command:
    limits = replace(DEFAULT_LIMITS[profile], processes=processes)
    return Command(("/scratch/home/main",), profile, files, limits)


def test_a_compiled_program_is_executed_with_its_threads(
    sandbox: AnySandbox, compiled: Compile
) -> None:
    result = sandbox.run(command(Profile.RUN_CPP, compiled(sandbox, RACE), processes=3))
    assert (result.exit_code, result.stdout) == (0, b"layout 0\n"), result.stderr


def test_thread_sanitizer_finds_a_race_and_its_own_thread_is_not_counted(
    sandbox: AnySandbox, compiled: Compile
) -> None:
    files = compiled(sandbox, RACE, "-fsanitize=thread")
    result = sandbox.run(command(Profile.RUN_TSAN, files, processes=3))
    assert result.exit_code == 66, result.stderr
    assert b"WARNING: ThreadSanitizer: data race" in result.stderr
    assert b"of.hpp:11" in result.stderr
    assert result.stdout == b"layout 40000\n"  # ADDR_NO_RANDOMIZE
    refused = sandbox.run(command(Profile.RUN_TSAN, files, processes=2))
    assert refused.signal == 6  # std::thread threw: one thread too many


def test_address_sanitizer_finds_a_use_after_free(sandbox: AnySandbox, compiled: Compile) -> None:
    files = compiled(sandbox, FREED, "-fsanitize=address,undefined")
    result = sandbox.run(command(Profile.RUN_ASAN, files, processes=2))
    assert result.exit_code == 1
    assert b"heap-use-after-free" in result.stderr
    assert b"of.hpp:10" in result.stderr
    assert result.stdout == b"layout 40000\n"
    assert result.memory_mib < 200  # terabytes reserved, little used


def test_a_leak_is_no_error_where_its_finder_may_not_trace(
    any_sandbox: AnySandbox, compiled: Compile
) -> None:
    files = compiled(any_sandbox, LEAK, "-fsanitize=address")
    result = any_sandbox.run(command(Profile.RUN_ASAN, files, processes=1))
    assert (result.exit_code, result.stderr) == (0, b"")


def test_memory_of_a_sanitized_program_is_bounded(sandbox: AnySandbox, compiled: Compile) -> None:
    source = (
        "#include <cstring>\nint main() {\n"
        "    for (;;) std::memset(new char[1 << 20], 1, 1 << 20);\n}\n"
    )
    files = compiled(sandbox, source, "-fsanitize=address")
    limits = Limits(memory_mib=128)
    result = sandbox.run(Command(("/scratch/home/main",), Profile.RUN_ASAN, files, limits))
    assert result.status is RunStatus.MEMORY_EXCEEDED


def test_a_compiler_with_too_few_processes_is_refused_and_does_not_hang() -> None:
    with pytest.raises(SandboxError, match=r"compile_cpp needs at least 4 processes, got 1"):
        Command(("/usr/bin/g++",), Profile.COMPILE_CPP, limits=Limits())


def test_a_profile_has_limits_of_its_own_where_none_are_given() -> None:
    given = Limits()
    assert Command(("x",), Profile.TORCH).limits == DEFAULT_LIMITS[Profile.TORCH]
    assert Command(("x",), Profile.TORCH, limits=given).limits is given


# torch and triton: two gigabytes, which a host without kernel problems does without.

with_torch = pytest.mark.skipif(not HAS_TORCH, reason="script/bootstrap has not installed torch")

KERNEL = """
import os, subprocess, sys
was_there = "torch" in sys.modules
import torch, triton
import triton.language as tl
from triton.backends.compiler import GPUTarget

@triton.jit
def double(x, y, n, block: tl.constexpr):
    places = tl.program_id(0) * block + tl.arange(0, block)
    tl.store(y + places, 2 * tl.load(x + places, places < n), places < n)

names = {"x": "*fp32", "y": "*fp32", "n": "i32", "block": "constexpr"}
source = triton.compiler.ASTSource(double, names, constexprs={(3,): 128})
cubin = triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm["cubin"]
print(cubin[:4], torch.ones(8, 8).sum().item(), len(os.listdir("/proc/self/task")))
print(torch.rand(1).item(), file=sys.stderr)
print(was_there)
"""


@with_torch
def test_a_kernel_is_compiled_for_a_gpu_that_is_not_there(any_sandbox: AnySandbox) -> None:
    drawn = set()
    for _ in range(2 if isinstance(any_sandbox, SlotSandbox) else 1):
        program = Command(("python", "a.py"), Profile.TORCH, {"a.py": KERNEL.encode()})
        result = any_sandbox.run(program)
        was_there = isinstance(any_sandbox, SlotSandbox)
        assert result.stdout.decode() == f"b'\\x7fELF' 64.0 1\n{was_there}\n", result.stderr
        drawn.add(float(result.stderr))  # nothing else is said there
    if isinstance(any_sandbox, SlotSandbox):
        assert len(drawn) == 2  # one state of the generator for all would repeat "random" inputs


def test_a_host_without_torch_refuses_it_and_does_everything_else(
    any_sandbox: AnySandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAUNTLET_RUNTIME_DIR", str(tmp_path / "runtime"))
    # As other processes do, which have no slot that is made for torch already.
    fresh = type(any_sandbox)(runtime=any_sandbox.host.runtime)
    with pytest.raises(SandboxError, match=r"run python -m sandboxes.runtime torch \(about"):
        fresh.run(Command(("python", "-c", "pass"), Profile.TORCH))
    assert fresh.run(python("import numpy")).exit_code == 0
    if isinstance(fresh, SlotSandbox):
        fresh.close()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import no_such_module", "importing odd: ModuleNotFoundError.*no_such_module"),
        # A program could be forked while the thread holds a lock, which nobody would release.
        (
            "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()",
            "importing must start no threads, and 1 are there",
        ),
    ],
)
def test_an_import_that_a_fork_would_spoil_is_refused(source: str, complaint: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="gauntlet-test-"))
    try:
        folder.chmod(0o755)
        (folder / "odd.py").write_text(source)
        (folder / "COMPLETE").touch()
        slots = SlotSandbox(runtime=folder, zygotes={Profile.PYTHON: ("odd",)})
        with pytest.raises(SandboxError, match=complaint):
            slots.run(python("pass"))
        slots.close()
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("packages", [NUMPY, TORCH])
def test_what_has_no_hash_in_a_lock_is_installed_apart(packages: runtime.Packages) -> None:
    hashed, unhashed = runtime._by_hash(packages.lock.read_text())
    assert unhashed == (["torch==2.13.0"] if packages is TORCH else [])
    requirements = [line for line in hashed.splitlines() if "==" in line]
    assert "numpy==2.4.6 \\" in requirements
    assert hashed.count("--hash=") > len(requirements)


def test_packages_that_cannot_be_imported_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a torch that wants CUDA's libraries, which nothing here installs."""
    lock = tmp_path / "lock"
    lock.write_text("")
    broken = replace(TORCH, lock=lock, modules=("no_such_module",))
    monkeypatch.setenv("GAUNTLET_RUNTIME_DIR", str(tmp_path / "runtime"))
    with pytest.raises(SandboxError, match=r"(?s)PIP_EXTRA_INDEX_URL.*no_such_module"):
        runtime.ensure_runtime(packages=broken)
    with pytest.raises(SandboxError, match="not installed on this host"):
        built(broken)
