"""What the recorder makes of host code, in the sandbox in which it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from app.practice.judging import make_launcher
from graders.kernel.disassembly import disassemble
from graders.kernel.elements import DType
from graders.kernel.inputs import Fill as Values
from graders.kernel.interpreted import Broke, Compared, Interpreter, Run
from graders.kernel.operations import OPERATIONS
from graders.kernel.operations.base import Call, Output, Tensor
from graders.kernel.plan import TARGETS, Alternatives, Copy, Fill, Launch, TensorMap
from graders.kernel.record import Raised, Record, Recorder, Refused
from graders.kernel.report import listing, report
from graders.kernel.thread_findings import of_break
from graders.ports import Launcher, ProgramLimits
from problems.package import SHIPPED
from sandboxes.runtime import TORCH, is_built
from tests.cheats.table import HEAD

pytestmark = pytest.mark.skipif(
    not is_built(TORCH),
    reason="script/bootstrap has not installed torch",
)
LIMITS = ProgramLimits(
    cpu_time_s=120.0, wall_time_s=240.0, memory_mib=2048, output_kib=64, processes=16
)


def call(rows: int = 8, columns: int = 64) -> Call:
    shape = (rows, columns)
    x = Tensor("x", shape, (columns, 1), DType.FLOAT32, Values(), rows * columns)
    return Call((x,), (Output("y", shape, DType.FLOAT32),))


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    with make_launcher() as made:
        yield made


def record(
    launcher: Launcher, body: str, *, compiles: bool = False, target: str = "sm_90"
) -> Record | Refused | Raised:
    recorder = Recorder(launcher, (HEAD + body).encode(), "f", LIMITS, TARGETS[target])
    assert recorder.load() is None
    found = recorder.record(call(), compiles=compiles)
    assert isinstance(found, Record | Refused | Raised)
    return found


def test_a_call_becomes_a_plan_without_a_gpu_and_without_the_memory(launcher: Launcher) -> None:
    body = """
def f(x):
    huge = torch.empty(1 << 28, device="cuda")
    assert huge.numel() == 1 << 28
    scratch = torch.full((4, 8), 1.5, device=x.device, dtype=torch.float16)
    y = x.clone()
    return honest(y)
"""
    found = record(launcher, body, compiles=True)
    assert isinstance(found, Record), found
    plan = found.plan()
    assert [buffer.n_bytes for buffer in plan.buffers] == [2048, 1 << 30, 64, 2048, 2048]
    fill, copied, launch = plan.steps
    assert isinstance(fill, Fill)
    assert fill.pattern == b"\x00\x3e"  # 1.5 in fp16
    assert isinstance(copied, Copy)
    assert (copied.source.buffer, copied.to.buffer) == ("IN0", "BUF2")
    assert isinstance(launch, Launch)
    assert launch.grid == (8, 1, 1)
    assert plan.kernels[0].registers > 0


@pytest.mark.parametrize("target", ["sm_80", "sm_100"])
def test_other_chips_can_be_compiled_for(launcher: Launcher, target: str) -> None:
    found = record(launcher, "def f(x): return honest(x)", compiles=True, target=target)
    assert isinstance(found, Record), found
    assert found.plan().target.name == target


def test_autotune_records_each_configuration_and_skips_what_does_not_fit(
    launcher: Launcher,
) -> None:
    body = """
sizes = [triton.Config({"B": b}, num_warps=w) for b in (64, 128) for w in (1, 2)]
@triton.autotune(sizes, key=["n"])
@triton.jit
def tuned(x, y, n, B: tl.constexpr):
    at = tl.program_id(0) * n + tl.arange(0, B)
    inside = tl.arange(0, B) < n
    tl.store(y + at, tl.load(x + at, mask=inside), mask=inside)
def f(x):
    y = torch.empty_like(x)
    tuned[lambda meta: (x.shape[0], triton.cdiv(meta["B"], 128))](x, y, x.shape[1])
    return y
"""
    found = record(launcher, body, compiles=True)
    assert isinstance(found, Record), found
    (step,) = found.plan().steps
    assert isinstance(step, Alternatives)
    assert len(step.choices) == 4


def test_a_kernel_for_one_divisible_argument_is_not_taken_for_another(launcher: Launcher) -> None:
    body = """
@triton.jit
def copy(x, y, m, n, B: tl.constexpr):
    here = tl.arange(0, B)
    tl.store(y + here, tl.load(x + here, mask=here < n, other=0.0), mask=here < m)
def f(x):
    y = torch.empty_like(x)
    copy[(1,)](x, y, 16, 18, B=512)
    copy[(1,)](x, y, 18, 16, B=512)
    return y
"""
    found = record(launcher, body, compiles=True)
    assert isinstance(found, Record), found
    first, second = (step for step in found.plan().steps if isinstance(step, Launch))
    kernels = found.plan().kernels
    assert kernels[first.kernel].cubin != kernels[second.kernel].cubin


def test_seventeen_configurations_are_too_many(launcher: Launcher) -> None:
    body = """
@triton.autotune([triton.Config({"B": 64}, num_stages=i) for i in range(17)], key=["n"])
@triton.jit
def tuned(x, n, B: tl.constexpr): pass
def f(x):
    tuned[(1,)](x, 1)
    return x
"""
    found = record(launcher, body)
    assert isinstance(found, Refused)
    assert "autotune may have 16 configurations after pruning, this call has 17" in found.message


def test_tensor_descriptors_become_maps_for_the_copy_engine(launcher: Launcher) -> None:
    body = """
from triton.tools.tensor_descriptor import TensorDescriptor
@triton.jit
def copy(x, y, B: tl.constexpr):
    at = tl.program_id(0) * B
    y.store([at, 0], x.load([at, 0]))
def f(x):
    y = torch.empty_like(x)
    x, z = (TensorDescriptor.from_tensor(one, [4, 64]) for one in (x, y))
    copy[(2,)](x, z, 4)
    return y
"""
    found = record(launcher, body, compiles=True)
    assert isinstance(found, Record), found
    (step,) = found.plan().steps
    assert isinstance(step, Launch)
    maps = [one for one in step.arguments if isinstance(one, TensorMap)]
    assert [one.base.buffer for one in maps] == ["IN0", "BUF0"]
    assert maps[0].shape == (8, 64)
    (kernel,) = report(found.plan(), found.message["kernels"], HEAD + body)
    assert isinstance(kernel, dict)
    assert kernel["async_copies"] == "cp.async.bulk.tensor (TMA)"


def test_cuda_source_is_compiled_and_recorded(launcher: Launcher) -> None:
    body = """
from gauntlet import RawKernel
twice = RawKernel('extern "C" __global__ void twice(const float* x, float* y, int n, float by) '
                  '{ int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) y[i] = by * x[i]; }',
                  "twice")
def f(x):
    y = torch.empty_like(x)
    twice((2,), (256,), (x, y, x.numel(), 2))
    return y
"""
    found = record(launcher, body, compiles=True)
    assert isinstance(found, Record), found
    (step,) = found.plan().steps
    assert isinstance(step, Launch)
    assert [getattr(one, "value", None) for one in step.arguments] == [None, None, 512, 2.0]
    assert found.plan().kernels[0].threads == (256, 1, 1)


@pytest.mark.parametrize("layout", ["row", "column", "padded"])
def test_a_matmul_in_cuda_fits_the_registers_in_each_layout(
    launcher: Launcher, layout: str
) -> None:
    source = (SHIPPED / "round-2/tiled-sgemm/reference.py").read_bytes()
    given = {"m": 512, "n": 640, "k": 256, "dtype": "fp32", "a_layout": layout}
    recorder = Recorder(launcher, source, "sgemm", LIMITS, TARGETS["sm_90"])
    assert recorder.load() is None
    found = recorder.record(OPERATIONS["matmul"].call(given), compiles=True)
    assert isinstance(found, Record), found
    (kernel,) = found.plan().kernels
    assert kernel.static_shared_bytes == 2 * 2 * 8 * 128 * 4
    assert kernel.registers * 256 * 2 <= 65536  # two blocks a multiprocessor, as it asks for


def test_the_compilers_own_words_reach_the_candidate(launcher: Launcher) -> None:
    body = """
from gauntlet import RawKernel
broken = RawKernel('extern "C" __global__ void broken() { nothing(); }', "broken")
def f(x): broken((1,), (1,), ())
"""
    found = record(launcher, body)
    assert isinstance(found, Refused)
    assert 'identifier "nothing" is undefined' in found.log


REFUSED = {
    "y = x + 1; return y": "line {line}: only kernels of yours may compute on the device: add",
    "return x.contiguous().t().contiguous()": "Pass the strides to the kernel",
    "return x.to(torch.float16)": "_to_copy is an operator of torch",
    "return x if bool(x.any()) else x": "any is an operator of torch",
    "return float(x[0, 0])": "_local_scalar_dense reads them",
    "return x.tolist()": "tolist reads them",
    "print(x); return x": "reads them",
    "return torch.tensor([1.0], device='cuda')": "nothing may be copied from the host",
    "return torch.randn(3, device='cuda')": "randn is an operator of torch",
    "return torch.empty(3)": "the result must be a tensor of the device",
    "x[0] = 1.0; return x": "host code must not change an argument",
    "y = torch.empty_like(x); y[:, 0] = 0.0; return y": "a view with gaps",
    "right[(1, 2, 3, 4)](x, x, 1, 1, 64)": "a grid must be one to three whole numbers",
    "right[(1.5,)](x, x, 1, 1, 64)": "a grid must be one to three whole numbers",
    "right[(1,)](x, torch.empty(3), 1, 1, 64)": "y lies on the host",
    "return None": "the result must be a tensor, got NoneType",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_recorded_is_told_with_its_line(launcher: Launcher, line: str) -> None:
    found = record(launcher, f"def f(x):\n    {line}\n")
    assert isinstance(found, Refused), found
    assert REFUSED[line].format(line=HEAD.count("\n") + 2) in found.message


def interpret(launcher: Launcher, body: str) -> Run:
    softmax = OPERATIONS["softmax"]
    given = {"rows": 3, "columns": 40, "dtype": "fp32"}
    recorder = Recorder(launcher, (HEAD + body).encode(), "f", LIMITS, TARGETS["sm_90"])
    assert recorder.load() is None
    found = recorder.record(softmax.call(given), compiles=False)
    assert isinstance(found, Record), found
    return Interpreter(launcher).run(found, softmax, given, seed=5)


def test_an_honest_kernel_is_found_right(launcher: Launcher) -> None:
    run = interpret(launcher, "def f(x): return honest(x)")
    assert isinstance(run, Compared)
    assert run.comparisons[0].mismatch is None
    assert run.comparisons[0].worst_ratio > 0.0


@pytest.mark.parametrize(
    ("precision", "right"), [('input_precision="ieee"', True), ('input_precision="tf32"', False)]
)
def test_tf32_is_as_coarse_as_on_the_chip(launcher: Launcher, precision: str, right: bool) -> None:
    body = f"""
@triton.jit
def by_dot(x, y, n, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    rows = tl.arange(0, 16)
    at = rows[:, None] * n + columns[None, :]
    inside = (rows[:, None] < 3) & (columns[None, :] < n)
    value = tl.load(x + at, mask=inside, other=-float("inf"))
    top = tl.max(value, axis=1)
    term = tl.exp(value - tl.where(top == -float("inf"), 0.0, top)[:, None])
    ones = tl.full((BLOCK, 16), 1.0, tl.float32)
    total = tl.max(tl.dot(term, ones, {precision}), axis=1)
    tl.store(y + at, term / total[:, None], mask=inside)
def f(x):
    y = torch.empty_like(x)
    by_dot[(1,)](x, y, x.shape[1], 64)
    return y
"""
    run = interpret(launcher, body)
    assert isinstance(run, Compared), run
    assert (run.comparisons[0].mismatch is None) is right


_CUDA = """
from gauntlet import RawKernel
first = RawKernel(
    'extern "C" __global__ void first(float* y) { y[threadIdx.x] = 1.0f; }', "first"
)
def f(x):
    y = torch.empty_like(x)
    first((1,), (32,), (y,))
    return y
"""


def test_a_kernel_in_cuda_is_run_without_a_gpu_too(launcher: Launcher) -> None:
    run = interpret(launcher, _CUDA)
    assert isinstance(run, Compared), run
    mismatch = run.comparisons[0].mismatch
    assert mismatch is not None
    assert mismatch.n_not_written == mismatch.n_elements - 32


def test_a_call_in_both_languages_is_refused_without_a_gpu(launcher: Launcher) -> None:
    run = interpret(launcher, _CUDA.replace("    return y", "    return honest(y)"))
    assert isinstance(run, Broke)
    assert (run.kind, run.in_cuda, run.line) == ("mixed", True, HEAD.count("\n") + 8)
    _, counterexample = of_break(run, {})
    assert "either Triton's kernels or CUDA C++" in counterexample.summary


def test_a_kernel_that_never_ends_is_stopped(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.kernel.interpreted.CALL_TIME_LIMIT_S", 3.0)
    body = """
@triton.jit
def endless(x, y):
    i = 0
    while i >= 0:
        i = i * 1
    tl.store(y, 0.0)
def f(x):
    y = torch.empty_like(x)
    endless[(1,)](x, y)
    return y
"""
    run = interpret(launcher, body)
    assert isinstance(run, Broke)
    assert run.kind == "late"


def test_machine_code_stands_beside_the_line_that_it_is_for(launcher: Launcher) -> None:
    body = "def f(x): return honest(x)"
    found = record(launcher, body, compiles=True)
    assert isinstance(found, Record), found
    plan = found.plan()
    sass = disassemble(launcher, plan.kernels)
    (kernel,) = report(plan, found.message["kernels"], HEAD + body, sass)
    number = 1 + HEAD[: HEAD.index("tl.store(")].count("\n")
    lines = cast(dict[str, Any], kernel)["listing"]
    store = next(line for line in lines if line["line"] == number)
    assert "STG" in store["sass"]
    assert "st.global" in store["ptx"]
    assert store["source"].strip().startswith("tl.store(y")


def test_instructions_go_to_the_line_that_called_the_library() -> None:
    ptx = """
	.file	1 "/scratch/home/submission.py"
	.file	2 "/runtime/triton/language/standard.py"
	.loc	1 3 4
	mov.u32 %r1, %tid.x;
	.loc	2 290 15, function_name $L__info_string0, inlined_at 1 5 8
	add.f32 %f1, %f2, %f3;
	.loc	1 3 9
	ret;
"""
    sass = """
	//## File "/runtime/standard.py", line 9 inlined at "/home/submission.py", line 5
	//## File "/home/submission.py", line 5
        /*0010*/                   FADD R1, R2, R3 ;
	//## File "/home/submission.py", line 3
        /*0020*/              @!P0 EXIT ;
"""
    assert listing(ptx, sass, "a\nb\nc\nd\ne") == [
        {"line": 3, "source": "c", "ptx": "mov.u32 %r1, %tid.x;\nret;", "sass": "@!P0 EXIT"},
        {"line": 5, "source": "e", "ptx": "add.f32 %f1, %f2, %f3;", "sass": "FADD R1, R2, R3"},
    ]
