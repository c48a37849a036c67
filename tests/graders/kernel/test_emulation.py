"""CUDA C++ on the processor: what a kernel may do works, and what it must not do is seen."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from app.practice.judging import make_launcher
from graders.kernel.emulation import Emulator, Ran, Stopped, ThreadFault, program, run
from graders.kernel.plan import (
    TARGETS,
    Argument,
    Buffer,
    Copy,
    Fill,
    Kernel,
    Launch,
    Plan,
    Pointer,
    Result,
    Scalar,
)
from graders.ports import ProgramLimits

IN0, OUT = Pointer("IN0", 0), Pointer("BUF0", 0)


def whole(value: int) -> Scalar:
    return Scalar("i32", value, struct.pack("<i", value))


def plan_of(
    arguments: Sequence[Argument],
    *,
    n_in: int = 64,
    n_out: int = 64,
    threads: int = 64,
    blocks: int = 1,
    shared_bytes: int = 0,
    launches: int = 1,
) -> Plan:
    """One kernel named ``k`` over floats: IN0 is given, BUF0 is the result."""
    kernel = Kernel("k", b"", (threads, 1, 1), shared_bytes, 0, 1, False, False, 0, 0, (), 0)
    return Plan(
        TARGETS["sm_90"],
        (Buffer("IN0", 4 * n_in, True), Buffer("BUF0", 4 * n_out, False)),
        (kernel,),
        (Launch(0, (blocks, 1, 1), tuple(arguments)),) * launches,
        (Result(OUT, (n_out,), (1,), "fp32"),),
    )


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with make_launcher() as launcher:
        yield Emulator(launcher)


def numbers(count: int = 64) -> bytes:
    return np.arange(count, dtype=np.float32).tobytes()


def values(ran: run.Run) -> list[float]:
    assert isinstance(ran, Ran), ran
    data, written = ran.parts[0]
    assert written.all()
    return [float(one) for one in data.view(np.float32)]


def test_barriers_shared_memory_templates_and_constants_work_as_on_a_gpu(
    emulator: Emulator,
) -> None:
    source = r"""
    __constant__ float offset[2] = {100.0f, 200.0f};
    template <int N> __device__ __forceinline__ float turned(const float (&x)[N], int i) {
        return x[N - 1 - i];
    }
    extern "C" __global__ void __launch_bounds__(64) k(const float* in, float* out, int n) {
        extern __shared__ float dynamic[];
        __shared__ float tile[64];
        const int i = threadIdx.x;
        tile[i] = in[i];
        dynamic[i] = -1.0f;
        __syncthreads();
        const float mine = turned(tile, i);
        dynamic[63 - i] = mine;
        __syncthreads();
        out[i] = dynamic[i] + offset[i % 2] * (i < n);
    }"""
    plan = plan_of((IN0, OUT, whole(2)), shared_bytes=256)
    got = values(emulator.run_plan(plan, [source], [numbers()]))
    assert got == [100.0, 201.0, *(float(i) for i in range(2, 64))]


def test_warps_shuffle_vote_and_add(emulator: Emulator) -> None:
    source = r"""
    extern "C" __global__ void k(const float* in, float* out) {
        __shared__ int total;
        const int i = threadIdx.x, lane = i % warpSize;
        if (i == 0) total = 0;
        __syncthreads();
        float sum = in[i];
        for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(~0u, sum, by);
        const float first = __shfl_sync(~0u, in[i], 0), above = __shfl_up_sync(~0u, in[i], 1);
        const unsigned odd = __ballot_sync(~0u, i & 1);
        if (lane == 0) atomicAdd(&total, __popc(odd));
        __syncthreads();
        const float4 all = make_float4(sum, first, above, float(total));
        out[i * 4] = all.x; out[i * 4 + 1] = all.y; out[i * 4 + 2] = all.z; out[i * 4 + 3] = all.w;
    }"""
    got = values(emulator.run_plan(plan_of((IN0, OUT), n_out=256), [source], [numbers()]))
    assert got[:4] == [496.0, 0.0, 0.0, 32.0]
    assert got[4 * 33 :][:4] == [496.0 + 1024.0, 32.0, 32.0, 32.0]


def test_host_steps_and_several_launches_keep_their_order(emulator: Emulator) -> None:
    source = 'extern "C" __global__ void k(const float* in, float* out) {\n'
    source += "  out[threadIdx.x] += in[threadIdx.x]; }"
    plan = plan_of((IN0, OUT))
    one = plan.steps[0]
    steps = (Copy(OUT, IN0, 256), one, Fill(OUT, 128, b"\0\0\0\0"), one)
    plan = Plan(plan.target, plan.buffers, plan.kernels, steps, plan.results)
    got = values(emulator.run_plan(plan, [source, source], [numbers()]))
    assert got[1] == 1.0
    assert got[40] == 120.0


def test_what_is_not_written_is_known(emulator: Emulator) -> None:
    source = 'extern "C" __global__ void k(const float* in, float* out) {\n'
    source += "  if (threadIdx.x != 5) out[threadIdx.x] = in[0]; }"
    ran = emulator.run_plan(plan_of((IN0, OUT)), [source], [numbers()])
    assert isinstance(ran, Ran)
    assert list(np.flatnonzero(ran.parts[0][1] == 0)) == [5]


# Bodies of ``k(const float* in, float* out)``, 64 threads; what must be said of them.
FAULTS = {
    "outside": ("out[threadIdx.x] = in[threadIdx.x + 1];", "outside", "IN0", 256),
    "outside-of-everything": ("out[threadIdx.x] = in[1 << 28];", "outside", "", 0),
    "store-outside": ("out[int(threadIdx.x) - 1] = 0;", "outside", "BUF0", -4),
    "wide": (
        "*(float4*)&out[threadIdx.x] = *(const float4*)in;",
        "misaligned",
        "BUF0",
        4,
    ),
    "argument": ("((float*)in)[threadIdx.x] = 1;", "writes_input", "IN0", 0),
    "no-barrier": (
        "__shared__ float t[64]; t[threadIdx.x] = in[threadIdx.x];"
        " out[threadIdx.x] = t[threadIdx.x ^ 1];",
        "write_after_read",
        "shared",
        4,
    ),
    "one-barrier-for-two-steps": (
        "__shared__ float t[64];"
        " for (int i = 0; i < 2; ++i) { t[threadIdx.x] = in[threadIdx.x] + i; __syncthreads();"
        " out[threadIdx.x] = t[threadIdx.x ^ 32]; }",
        "read_after_write",
        "shared",
        0,
    ),
    "a-warp-is-not-in-step": (
        "__shared__ float t[64]; t[threadIdx.x] = in[threadIdx.x]; __syncwarp();"
        " out[threadIdx.x] = t[threadIdx.x ^ 32];",
        "read_after_write",
        "shared",
        128,
    ),
    "a-warp-is-in-step": (
        "__shared__ float t[64]; t[threadIdx.x] = in[threadIdx.x]; __syncwarp();"
        " out[threadIdx.x] = t[threadIdx.x ^ 1];",
        None,
        "",
        0,
    ),
    "two-write": ("out[threadIdx.x / 2] = in[threadIdx.x];", "write_after_write", "BUF0", 0),
    "two-write-the-same": ("out[threadIdx.x / 2] = 1; out[threadIdx.x] = 1;", None, "", 0),
    "a-return-before-the-barrier": (
        "if (threadIdx.x >= 40) { out[threadIdx.x] = 0; return; } __syncthreads();"
        " out[threadIdx.x] = in[0];",
        None,
        "",
        0,
    ),
    "a-lane-that-never-comes": (
        "if (threadIdx.x % 2) __syncwarp(0xffffffffu); else __syncthreads(); out[threadIdx.x] = 0;",
        "barrier",
        "",
        0,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_thread_must_not_do_is_seen_and_what_it_may_is_not(
    name: str, emulator: Emulator
) -> None:
    body, kind, buffer, offset = FAULTS[name]
    source = f'extern "C" __global__ void k(const float* in, float* out)\n{{\n{body}\n}}'
    got = emulator.run_plan(plan_of((IN0, OUT)), [source], [numbers()])
    if kind is None:
        assert isinstance(got, Ran), got
        return
    assert isinstance(got, ThreadFault), got
    assert (got.kind, got.buffer, got.offset_bytes) == (kind, buffer, offset)
    if kind != "barrier":
        assert (got.line, got.text) == (3, body)


BLOCKS = {
    "reads-of-another": ("out[i] = i; if (blockIdx.x) in_out(out, i);", "read_after_write"),
    "writes-of-another": ("out[i % 64] = i;", "write_after_write"),
    "fenced-and-counted": (
        "out[i] = i; __threadfence(); __syncthreads();"
        " __shared__ bool last; if (threadIdx.x == 0) last = atomicAdd(count, 1u) == 1;"
        " __syncthreads(); if (last) in_out(out, i);",
        None,
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_of_one_launch_run_in_any_order(name: str, emulator: Emulator) -> None:
    body, kind = BLOCKS[name]
    source = f"""
    __device__ void in_out(float* out, int i) {{ out[i] += out[i ^ 64]; }}
    extern "C" __global__ void k(const float* in, float* out, unsigned* count) {{
        const int i = blockIdx.x * blockDim.x + threadIdx.x;
        {body}
    }}"""
    plan = plan_of((IN0, OUT, Pointer("BUF0", 4 * 128)), n_out=129, blocks=2)
    zeros = Fill(OUT, 4 * 129, b"\0\0\0\0")
    plan = Plan(plan.target, plan.buffers, plan.kernels, (zeros, *plan.steps), plan.results)
    got = emulator.run_plan(plan, [source], [numbers()])
    if kind is None:
        assert values(got)[64:66] == [64.0, 66.0]
        return
    assert isinstance(got, ThreadFault)
    assert (got.kind, got.block, got.other_block) == (kind, (1, 0, 0), (0, 0, 0))


def test_two_sources_of_one_call_may_use_the_same_names(emulator: Emulator) -> None:
    first = 'constexpr int N = 1;\nextern "C" __global__ void k(const float* in, float* out) {'
    first += " out[threadIdx.x] = in[threadIdx.x] + N; }"
    second = first.replace("N = 1", "N = 2").replace("= in[", "+= in[")
    got = values(emulator.run_plan(plan_of((IN0, OUT), launches=2), [first, second], [numbers()]))
    assert got[3] == 3.0 + 1 + 3 + 2


def test_what_only_a_gpu_can_do_is_told(emulator: Emulator) -> None:
    source = '// asm\nextern "C" __global__ void k(const float* in, float* out)\n{ asm("exit;"); }'
    assert emulator.run_plan(plan_of((IN0, OUT)), [source], [numbers()]) == Stopped(
        "assembly", line=3
    )
    assert program.assembly_line('/* asm */ const char* x = "asm";') is None


def test_a_kernel_that_does_not_end_or_crashes_is_told(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = 'extern "C" __global__ void k(const float* in, float* out) {'
    short = ProgramLimits(cpu_time_s=1.0, wall_time_s=60.0, memory_mib=1024, output_kib=64)
    monkeypatch.setattr(run, "LIMITS", short)
    endless = f"{head} while (out) out[threadIdx.x] = in[0]; }}"
    got = emulator.run_plan(plan_of((IN0, OUT)), [endless], [numbers()])
    assert got == Stopped("late", "1")
    crash = f"{head} __builtin_trap(); }}"
    got = emulator.run_plan(plan_of((IN0, OUT)), [crash], [numbers()])
    assert isinstance(got, Stopped)
    assert got.kind == "crashed"


@pytest.mark.parametrize(
    ("before", "inside", "named"),
    [
        ('extern "C" long syscall(long, ...);', "syscall(1, 4, in, 2);", "syscall"),
        ('extern "C" void _exit(int);', "_exit(0);", "_exit"),
        ('struct Early { Early() { printf("e"); } }; static Early early;', "", "init_array"),
        ('__attribute__((constructor)) static void early() { puts("e"); }', "", "init_array"),
        ("namespace host { void finish(); }", "host::finish();", "finish"),
        ("", "asm_(nop);", "#APP"),
    ],
)
def test_what_no_gpu_can_run_is_refused_before_it_runs(
    before: str, inside: str, named: str, emulator: Emulator
) -> None:
    source = f"""#define PASTE(a, b) a##b
#define asm_(text) PASTE(as, m)(#text)
{before}
extern "C" __global__ void k(const float* in, float* out) {{
    {inside}
    out[threadIdx.x] = in[threadIdx.x];
}}"""
    got = emulator.run_plan(plan_of((IN0, OUT)), [source], [numbers()])
    assert isinstance(got, Stopped)
    assert got.kind == "compile"
    assert named in got.message


def test_a_copy_by_the_compilers_own_function_is_watched(emulator: Emulator) -> None:
    source = """extern "C" __global__ void k(const float* in, float* out) {
        if (threadIdx.x == 0) __builtin_memcpy(out + 60, in, 32);
    }"""
    got = emulator.run_plan(plan_of((IN0, OUT)), [source], [numbers()])
    assert isinstance(got, ThreadFault)
    assert got.kind == "outside"


def test_a_forged_result_is_a_crash_and_not_ours(emulator: Emulator) -> None:
    head = "#include <cstdio>\n#include <unistd.h>\n"
    for file in ("result.bin", "fault.json"):
        source = f"""{head}extern "C" __global__ void k(const float* in, float* out) {{
            FILE* f = fopen("{file}", "w"); fputs("{{}}", f); fclose(f); _exit(3); }}"""
        # g++ alone would take these headers inside a namespace badly, and NVRTC has none.
        got = emulator.run_plan(plan_of((IN0, OUT)), [source], [numbers()])
        assert isinstance(got, Stopped)
        assert got.kind in ("crashed", "compile")
