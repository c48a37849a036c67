"""No Python of a candidate is ever in the processes that use the GPU or compare results."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.practice.judging import Mode, cases_for, make_launcher
from graders.kernel import judge
from graders.ports import Environment, Finished, Launcher, Program, ProgramLimits, ProgramSpec, Task
from graders.verdict import EventKind
from problems.package import SHIPPED, read_package
from sandboxes.runtime import TORCH, is_built
from tests.graders.kernel.test_gpu_session import Host, Played, fine

TRUSTED = ("graders.kernel.executor", "graders.kernel.checker", "graders.kernel.vendor")
RUNS_TEXT = {"exec", "eval", "compile", "__import__", "execfile", "input"}
RUNS_FILES = {
    "pickle",
    "marshal",
    "runpy",
    "code",
    "codeop",
    "shelve",
    "imp",
    "dill",
    "cloudpickle",
}


def sources(module: str, seen: set[str]) -> Iterator[tuple[str, ast.Module]]:
    """The module's tree and those of all modules of ours that it imports, whole packages too."""
    spec = importlib.util.find_spec(module)
    if module in seen or spec is None or spec.origin is None:
        return
    seen.add(module)
    tree = ast.parse(Path(spec.origin).read_text())
    yield module, tree
    for imported in imports(tree):
        if imported.split(".")[0] in ("graders", "app", "sandboxes", "problems"):
            parts = imported.split(".")
            for end in range(1, len(parts) + 1):
                name = ".".join(parts[:end])
                try:
                    yield from sources(name, seen)
                except ModuleNotFoundError:
                    continue  # the last part is a name inside a module


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{one.name}" for one in node.names)


@pytest.mark.parametrize("module", TRUSTED)
def test_a_trusted_process_has_nothing_that_runs_what_it_is_sent(module: str) -> None:
    found = {}
    for name, tree in sources(module, set()):
        found[name] = tree
        loads = {one.split(".")[0] for one in imports(tree)} & RUNS_FILES
        assert not loads, f"{name} imports {loads}"
        assert not any(
            one.startswith("importlib") and "resources" not in one for one in imports(tree)
        ), name
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in RUNS_TEXT, f"{name}:{node.lineno} calls {node.func.id}"
    assert module in found
    assert "graders.harness.wire" in found  # what it reads frames with
    assert not any(name.startswith(("app", "sandboxes", "problems")) for name in found)
    # Of the harness only the frames: nothing that imports a submission.
    assert {name for name in found if name.startswith("graders.harness.")} == {
        "graders.harness.wire"
    }


class Mixed:
    """The real sandbox for the recorder, and programs that play the GPU's part and note all."""

    def __init__(self, sandbox: Launcher, gpu: Host) -> None:
        self._sandbox, self._gpu = sandbox, gpu
        self.specs: list[ProgramSpec] = []
        self.sent: list[bytes] = []

    def offers(self, environment: Environment) -> bool:
        return True

    def run(self, spec: ProgramSpec, collect: tuple[str, ...] = ()) -> Finished:
        return self._sandbox.run(spec, collect)

    def start(self, spec: ProgramSpec) -> Program:
        if spec.environment is not Environment.GPU:
            return self._sandbox.start(spec)
        self.specs.append(spec)
        program = self._gpu.start(spec)
        return _Noted(program, self.sent)


class _Noted:
    def __init__(self, program: Played, sent: list[bytes]) -> None:
        self._program, self._sent = program, sent
        self.receive, self.take_output = program.receive, program.take_output
        self.usage, self.close = program.usage, program.close

    def send(self, frame: bytes) -> None:
        self._sent.append(frame)
        self._program.send(frame)


@pytest.mark.skipif(not is_built(TORCH), reason="script/bootstrap has not installed torch")
def test_a_submissions_text_reaches_no_program_beside_the_gpu() -> None:
    package = read_package(SHIPPED / "round-2/online-softmax")
    spec = package.spec
    source = package.files["reference.py"] + "\nHOST_ONLY_7F3A = 'host only 7f3a'\n"
    limits = ProgramLimits(
        cpu_time_s=120.0, wall_time_s=240.0, memory_mib=2048, output_kib=64, processes=16
    )
    files = {name: text.encode() for name, text in package.files.items()}
    cases = cases_for(spec, Mode.RUN)[:1]
    with make_launcher() as sandbox:
        launcher = Mixed(sandbox, Host(fine))
        task = Task(spec.grader.model_dump(), cases, limits, files)
        events = list(judge(task, source.encode(), launcher, seed=3))
    assert events[-1].kind is EventKind.VERDICT
    assert {one.argv[2] for one in launcher.specs} >= {"graders.kernel.executor"}
    for one in launcher.specs:
        assert one.files == {}
        assert one.argv[1:] == ("-m", one.argv[2])
        assert one.argv[2].startswith("graders.kernel.")
    assert any(b"\x7fELF" in frame for frame in launcher.sent)  # the kernel itself is there
    for frame in launcher.sent:
        assert b"7f3a" not in frame.lower()
        assert b"def softmax" not in frame
        assert b"import triton" not in frame
