"""Machine code of recorded kernels as text, from a sandbox in which no candidate's code runs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from graders.kernel.plan import Kernel
from graders.ports import Environment, Launcher, ProgramLimits, ProgramSpec

LIMITS = ProgramLimits(
    cpu_time_s=60.0, wall_time_s=120.0, memory_mib=1024, output_kib=64, processes=8
)


def disassemble(launcher: Launcher, kernels: Sequence[Kernel]) -> list[str]:
    """SASS with the source's lines, one text a kernel; empty where there is none.

    A cubin is a stranger's file, and nvdisasm was not written for such: hence the sandbox, and
    hence nothing but reading depends on what it says.
    """
    folder = resources.files("graders.harness")
    name = "kernel_disassemble.py"
    finished = launcher.run(
        ProgramSpec(
            argv=("python", "-m", "graders.harness.kernel_disassemble"),
            files={
                f"graders/harness/{name}": folder.joinpath(name).read_bytes(),
                **{f"{i}.cubin": kernel.cubin for i, kernel in enumerate(kernels)},
            },
            limits=LIMITS,
            environment=Environment.TORCH,
        ),
        collect=tuple(f"{i}.sass" for i in range(len(kernels))),
    )
    return [
        finished.collected.get(f"{i}.sass", b"").decode("utf-8", "replace")
        for i in range(len(kernels))
    ]
