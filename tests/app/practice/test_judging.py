"""The module where graders and sandboxes meet: which cases count, and which sandbox runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.practice.judging import Mode, cases_for, host_sandbox
from problems.schema import ProblemSpec
from sandboxes.interface import SandboxError
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
    with pytest.raises(SandboxError, match="must be one of bubblewrap, slot, got 'chroot'"):
        host_sandbox()
