"""The module where graders and sandboxes meet: which cases count, and which sandbox runs them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import cast

import pytest

from app.practice.judging import Cancelled, Mode, SandboxLauncher, cases_for, host_sandbox
from graders.endings import how_it_ended
from graders.ports import Environment, ProgramLimits, ProgramSpec, Shortage, StopReason
from problems.schema import ProblemSpec
from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.doctor import BACKENDS
from sandboxes.interface import SandboxError
from sandboxes.slot import SlotSandbox
from tests.conftest import SPEC


@pytest.fixture
def spec() -> ProblemSpec:
    return ProblemSpec.model_validate(SPEC)


@pytest.fixture
def no_sandbox_kept() -> Iterator[None]:
    host_sandbox.cache_clear()
    yield
    host_sandbox.cache_clear()


def test_a_run_judges_the_samples_and_a_submit_all(spec: ProblemSpec) -> None:
    assert [case.name for case in cases_for(spec, Mode.RUN)] == ["two"]
    assert [case.name for case in cases_for(spec, Mode.SUBMIT)] == ["two", "minus-one"]


def test_a_replay_judges_the_counterexamples_own_input(spec: ProblemSpec) -> None:
    (case,) = cases_for(
        spec, Mode.REPLAY, {"case": "minus-one", "seed": 1, "input": {"number": -7}}
    )
    assert (case.name, case.input) == ("minus-one", {"number": -7})


def test_a_replay_of_a_case_that_is_gone_is_our_error(spec: ProblemSpec) -> None:
    with pytest.raises(ValueError, match="'gone', which the problem has not"):
        cases_for(spec, Mode.REPLAY, {"case": "gone", "seed": 1})


@pytest.mark.usefixtures("no_sandbox_kept")
def test_an_unknown_sandbox_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_BACKEND", "chroot")
    with pytest.raises(SandboxError, match="must be one of slot, bubblewrap, got 'chroot'"):
        host_sandbox()


@pytest.mark.usefixtures("no_sandbox_kept")
def test_slots_are_what_is_used_where_nothing_else_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SANDBOX_BACKEND", raising=False)
    sandbox = host_sandbox()
    assert isinstance(sandbox, SlotSandbox)
    sandbox.close()


@pytest.mark.usefixtures("no_sandbox_kept")
def test_a_host_without_slots_is_told_of_the_other_sandbox_and_not_given_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> SlotSandbox:
        raise SandboxError("the slot launcher needs gcc to be compiled: apt install g++")

    monkeypatch.setattr("app.practice.judging.BACKENDS", {**BACKENDS, "slot": fail})
    monkeypatch.delenv("SANDBOX_BACKEND", raising=False)
    with pytest.raises(SandboxError, match=r"apt install g\+\+. .*SANDBOX_BACKEND=bubblewrap"):
        host_sandbox()
    monkeypatch.setenv("SANDBOX_BACKEND", "bubblewrap")
    assert isinstance(host_sandbox(), BubblewrapSandbox)


def a_program(source: str, wall_time_s: float = 60) -> ProgramSpec:
    limits = ProgramLimits(cpu_time_s=60, wall_time_s=wall_time_s, memory_mib=256, output_kib=4)
    return ProgramSpec(("python", "a.py"), {"a.py": source.encode()}, limits)


def test_cancelling_ends_a_batch_run_at_once() -> None:
    launcher = SandboxLauncher(host_sandbox())
    cancelling = threading.Timer(0.3, launcher.cancel)
    cancelling.start()
    before_s = time.monotonic()
    with pytest.raises(Cancelled), launcher:
        launcher.run(a_program("import time; time.sleep(60)"))
    assert time.monotonic() - before_s < 20
    cancelling.join()
    with pytest.raises(Cancelled):
        launcher.run(a_program("pass"))


def test_a_batch_run_that_nobody_cancels_comes_back_whole() -> None:
    with SandboxLauncher(host_sandbox()) as launcher:
        source = (
            "import sys; print('out'); print('err', file=sys.stderr); open('x', 'w').write('y')"
        )
        finished = launcher.run(a_program(source), collect=("x",))
        assert (finished.stdout, finished.stderr) == (b"out\n", b"err\n")
        assert finished.collected == {"x": b"y"}
        late = launcher.run(a_program("import time; time.sleep(60)", wall_time_s=0.2))
        assert late.outcome.reason is StopReason.WALL_TIME


def test_a_program_that_failed_for_want_of_something_says_of_what() -> None:
    hierarchies = cast(SlotSandbox, host_sandbox()).host.hierarchies
    with SandboxLauncher(host_sandbox()) as launcher:
        full = launcher.run(a_program("open('/tmp/x', 'wb').write(bytes(65 << 20))")).outcome
        crowded = launcher.run(a_program("import os; os.fork()")).outcome
        tidy = launcher.run(a_program("raise SystemExit(1)")).outcome
    assert (full.reason, full.exit_code, full.shortage) == (
        StopReason.EXITED,
        1,
        Shortage.SCRATCH,
    )
    assert "it wrote more into files than it may" in how_it_ended(full)
    assert crowded.shortage is (Shortage.PROCESSES if hierarchies.pids else None)
    assert tidy.shortage is None
    assert how_it_ended(tidy) == "the program exited with code 1"


def test_a_program_gets_the_scratch_space_of_its_environment() -> None:
    """The schema of a problem has no word for it: a kernel's cache needs hundreds of MiB."""
    look = "s=`stat -f -c '%b %S' /tmp`; set -- $s; echo $(($1 * $2 >> 20))"
    limits = ProgramLimits(5, 10, memory_mib=256, output_kib=4, processes=4)
    with SandboxLauncher(host_sandbox()) as launcher:
        for environment, scratch_mib in ((Environment.RUN_CPP, 64), (Environment.COMPILE_CPP, 128)):
            spec = ProgramSpec(("/usr/bin/dash", "-c", look), {}, limits, environment)
            assert int(launcher.run(spec).stdout) == scratch_mib
