"""What the kernel grader says before anything is recorded."""

from __future__ import annotations

import pytest

from app.practice.judging import Mode, cases_for
from graders.kernel import judge
from graders.ports import CannotJudge, Environment, ProgramLimits, Task
from problems.package import SHIPPED, read_package
from tests.graders.plain_launcher import PlainLauncher


class WithoutTorch(PlainLauncher):
    """A worker's launcher on a host where torch is not installed for submissions."""

    def offers(self, environment: Environment) -> bool:
        return environment not in (Environment.TORCH, Environment.GPU)


def test_a_host_without_torch_says_so_instead_of_failing_somewhere() -> None:
    spec = read_package(SHIPPED / "round-2/online-softmax").spec
    limits = ProgramLimits(cpu_time_s=1.0, wall_time_s=1.0, memory_mib=64, output_kib=1)
    task = Task(spec.grader.model_dump(), cases_for(spec, Mode.RUN), limits, {})
    launcher = WithoutTorch()
    with pytest.raises(CannotJudge, match="recorded with torch and Triton"):
        list(judge(task, b"", launcher, seed=1))
    assert launcher.programs == []
