"""The runner and the compiler, as the tests of the model checker use them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from graders.concurrency import build
from graders.concurrency.compiler import SED
from graders.concurrency.results import CheckResult, read_lines, read_result, split_frames
from graders.concurrency.runner import GCC, RUNTIME, ensure_runner

PROGRAMS = Path(__file__).parent / "programs"

Found = dict[str, dict[str, dict[str, Any]]]  # search -> scenario -> its outcomes


class Checker:
    """The runner, and the compiler that makes programs for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gcc = GCC
        self.runner = str(ensure_runner())
        self._programs: dict[tuple[str, tuple[str, ...]], str] = {}

    def program(self, name: str, *defines: str) -> str:
        """A program of the folder ``programs``, as a shared object."""
        return self._build(PROGRAMS / name, defines)

    def program_from(self, name: str, text: str) -> str:
        """A program from its text."""
        path = self.folder / name
        path.write_text(text)
        return self._build(path, ())

    def check(
        self,
        program: str,
        *,
        seed: int = 1,
        random_executions: int = 3000,
        exhaustive_executions: int = 200_000,
        scenario: str | None = None,
    ) -> CheckResult:
        limits = build.SearchLimits(random_executions, exhaustive_executions, 120.0)
        return self._run(
            lambda fd: build.check(
                self.runner,
                program,
                descriptor=fd,
                seed=seed,
                limits=limits,
                scenarios=None if scenario is None else {scenario: exhaustive_executions},
            )
        )

    def progress(self, program: str, seed: int = 1, scenario: str | None = None) -> CheckResult:
        return self._run(
            lambda fd: build.progress(
                self.runner, program, descriptor=fd, seed=seed, scenario=scenario
            )
        )

    def replay(self, program: str, scenario: str, schedule: str) -> CheckResult:
        return self._run(
            lambda fd: build.replay(
                self.runner, program, descriptor=fd, scenario=scenario, schedule=schedule
            )
        )

    def outcomes(self, program: str, search: str = "reduced") -> CheckResult:
        return self._run(
            lambda fd: build.outcomes(self.runner, program, descriptor=fd, search=search)
        )

    def lines(self, program: str, pcs: Sequence[str], own: Sequence[str]) -> dict[str, str]:
        addr2line = shutil.which("addr2line") or "addr2line"
        command = build.resolve_lines(addr2line, program, pcs)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return read_lines(done.stdout, own)

    def _build(self, source: Path, defines: tuple[str, ...]) -> str:
        key = (str(source), defines)
        if key not in self._programs:
            base = self.folder / f"program{len(self._programs)}"
            include = [str(RUNTIME), str(PROGRAMS)]
            self._call(build.compile_program(self.gcc, str(source), f"{base}.s", include, defines))
            self._call(build.look_at_stores(SED, f"{base}.s", str(RUNTIME / build.STORES)))
            self._call(build.assemble_program(self.gcc, f"{base}.s", f"{base}.o"))
            script = str(RUNTIME / build.SCRIPT)
            self._call(build.link_program(self.gcc, f"{base}.o", f"{base}.so", script))
            self._programs[key] = f"{base}.so"
        return self._programs[key]

    def _run(self, command: Callable[[int], Sequence[str]]) -> CheckResult:
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as messages:
            process = subprocess.Popen(
                command(writing), pass_fds=(writing,), stderr=subprocess.PIPE, text=True
            )
            os.close(writing)
            stream = messages.read()
            _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, (process.returncode, errors)
        return read_result(split_frames(stream))

    @staticmethod
    def _call(command: Sequence[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
