"""Programs of ours on a GPU, and whether there is one: tested without one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.practice import gpu
from app.practice.judging import SandboxLauncher, host_sandbox
from graders.harness import wire
from graders.ports import Environment, Outcome, ProgramLimits, ProgramSpec, StopReason

LIMITS = ProgramLimits(cpu_time_s=60, wall_time_s=60, memory_mib=512, output_kib=64)


@pytest.fixture(autouse=True)
def ask_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    gpu.properties.cache_clear()
    monkeypatch.setenv("GPU_LOCK_DIR", str(tmp_path / "locks"))
    yield
    gpu.properties.cache_clear()


def is_running(pid: int) -> bool:
    """Whether it does anything still; nobody may be there to reap an orphan."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def start(code: str) -> gpu.GpuProgram:
    source = "from graders.kernel.streams import adopt_standard_streams\n"
    source += "from graders.harness import wire\nadopt_standard_streams()\n" + textwrap.dedent(code)
    return gpu.GpuProgram(ProgramSpec(("python", "-c", source), {}, LIMITS, Environment.GPU))


def test_frames_go_both_ways_and_prints_do_not_disturb_them() -> None:
    program = start(
        """
        print("a library says hello")
        message, blobs = wire.read_request()
        wire.write_answer({"twice": 2 * message["n"]}, blobs[0] * 3)
        """
    )
    program.send(wire.pack({"n": 21}, bytes(1_000_000)))
    answer = program.receive(20.0)
    assert isinstance(answer, bytes)
    message, blobs = wire.unpack(answer)
    assert (message, len(blobs[0])) == ({"twice": 42}, 3_000_000)
    ended = program.receive(20.0)
    assert isinstance(ended, Outcome)
    assert (ended.reason, ended.exit_code) == (StopReason.EXITED, 0)


def test_a_program_that_does_not_answer_is_killed() -> None:
    program = start("import time\nwire.write_answer({})\ntime.sleep(600)")
    assert isinstance(program.receive(20.0), bytes)
    began = time.monotonic()
    late = program.receive(0.2)
    assert isinstance(late, Outcome)
    assert late.reason is StopReason.WALL_TIME
    assert time.monotonic() - began < 10
    program.send(b"nobody is there")  # and that is no error
    assert program.close() == late


def test_a_program_ends_with_its_worker() -> None:
    # The worker is a process that starts one and then dies without a word.
    code = textwrap.dedent(
        """
        import os
        from app.practice import gpu
        from graders.ports import Environment, ProgramLimits, ProgramSpec
        inside = ("from graders.kernel.streams import adopt_standard_streams as a; a();"
                  "from graders.harness import wire; import os, time;"
                  "wire.write_answer({'pid': os.getpid()}); time.sleep(600)")
        limits = ProgramLimits(60, 60, 512, 64)
        program = gpu.GpuProgram(ProgramSpec(("python", "-c", inside), {}, limits, Environment.GPU))
        os.write(1, program.receive(20.0))
        os._exit(1)
        """
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=gpu.ROOT, stdout=subprocess.PIPE, check=False
    )
    pid = wire.unpack(said.stdout)[0]["pid"]
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, "the program outlived its worker"
        time.sleep(0.01)


def test_without_nvidias_driver_nobody_asks_and_nothing_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has a GPU")
    monkeypatch.setenv("GPU", "auto")
    assert gpu.properties() is None
    with SandboxLauncher(host_sandbox()) as launcher:
        assert not launcher.offers(Environment.GPU)
        assert launcher.offers(Environment.TORCH)


def test_a_gpu_that_must_be_there_and_is_not_is_told_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GPU", "on")
    monkeypatch.setattr(gpu, "_PROBE", "raise RuntimeError('no libcuda')")
    with pytest.raises(gpu.GpuUnusable, match="no libcuda"):
        gpu.properties()


@pytest.mark.parametrize("value", ["yes", "1", ""])
def test_a_mistyped_wish_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GPU", value)
    with pytest.raises(gpu.GpuUnusable, match="auto, on or off"):
        gpu.properties()


def test_a_gpu_that_answers_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPU", "on")
    monkeypatch.setattr(gpu, "_PROBE", 'print(\'{"name": "a chip", "architecture": 90}\')')
    with SandboxLauncher(host_sandbox()) as launcher:
        assert launcher.offers(Environment.GPU)


def test_the_launcher_starts_it_outside_the_sandbox_and_ends_it_at_the_end() -> None:
    code = "from graders.kernel.streams import adopt_standard_streams as a; a();"
    code += "from graders.harness import wire; import os, time;"
    code += "wire.write_answer({'pid': os.getpid()}); time.sleep(600)"
    with SandboxLauncher(host_sandbox()) as launcher:
        program = launcher.start(ProgramSpec(("python", "-c", code), {}, LIMITS, Environment.GPU))
        frame = program.receive(20.0)
        assert isinstance(frame, bytes)
        pid = wire.unpack(frame)[0]["pid"]
        assert Path(f"/proc/{pid}/cmdline").read_text().startswith(sys.executable)
    assert not Path(f"/proc/{pid}").exists()


def test_a_lock_folder_of_somebody_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GPU_LOCK_DIR")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert gpu.lock_folder().stat().st_mode & 0o077 == 0
    mine = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: mine + 1)
    (tmp_path / f"gauntlet-gpu-{mine + 1}").mkdir()
    with pytest.raises(PermissionError, match="must belong"):
        gpu.lock_folder()
