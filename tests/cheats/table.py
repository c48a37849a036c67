"""Cheats against the kernel judge, one row each: what is tried, and what becomes of it.

The problem is a softmax with two cases of the same shape and different inputs. A row's `source` is
a whole submission after `HEAD`, which has an honest kernel, `honest(x)`, and one that is wrong.
`said` is part of the verdict's message, so that a row cannot pass for another reason.
"""

from __future__ import annotations

from dataclasses import dataclass

HEAD = """
import torch
import triton
import triton.language as tl

@triton.jit
def right(x, y, n, step, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    value = tl.load(x + row * step + columns, mask=columns < n, other=-float("inf"))
    term = tl.exp(value - tl.max(value, axis=0))
    tl.store(y + row * n + columns, term / tl.sum(term, axis=0), mask=columns < n)

@triton.jit
def constant(y, n, number, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    tl.store(y + tl.program_id(0) * n + columns, tl.zeros((BLOCK,), tl.float32) + number,
             mask=columns < n)

def honest(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    right[(x.shape[0],)](x, y, x.shape[1], x.stride(0), 64)
    return y

def wrong(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    constant[(x.shape[0],)](y, x.shape[1], 1.0 / x.shape[1], 64)
    return y
"""

WRONG_NUMBER = "which is what the same arithmetic can lose"
NOT_WRITTEN = "every element of the result must be written"
ON_THE_HOST = "this one lies on the host"
OPERATOR = "only kernels of yours may compute on the device"
LOOKS = "host code must not look at values"


@dataclass(frozen=True, slots=True)
class Cheat:
    """One row. `name` says what is tried."""

    name: str
    source: str
    said: str


CHEATS = [
    # Clocks. The recorder has none, and the executor is another process.
    Cheat("patches-perf-counter", """
import time
time.perf_counter = time.perf_counter_ns = lambda: 0
def softmax(x): return wrong(x)
""", WRONG_NUMBER),
    Cheat("patches-time", """
import time
time.time = time.monotonic = lambda: 0.0
def softmax(x): return wrong(x)
""", WRONG_NUMBER),
    Cheat("patches-cuda-events", """
class Event:
    def __init__(self, **options): pass
    def record(self): pass
    def elapsed_time(self, other): return 1e-9
torch.cuda.Event = Event
def softmax(x): return wrong(x)
""", WRONG_NUMBER),
    Cheat("patches-synchronize", """
torch.cuda.synchronize = lambda *of: None
def softmax(x): return wrong(x)
""", WRONG_NUMBER),
    Cheat("patches-do-bench", """
import triton.testing
triton.testing.do_bench = lambda *of, **options: 1e-9
def softmax(x): return wrong(x)
""", WRONG_NUMBER),
    Cheat("replaces-the-time-module", """
import sys, types
sys.modules["time"] = types.SimpleNamespace(perf_counter=lambda: 0, time=lambda: 0, sleep=print)
def softmax(x): return wrong(x)
""", WRONG_NUMBER),
    # Answers kept from an earlier call.
    Cheat("keeps-results-by-pointer", """
kept = {}
def softmax(x):
    return kept.setdefault(x.data_ptr(), None) or kept.setdefault("first", honest(x))
""", ON_THE_HOST),
    Cheat("keeps-results-by-shape", """
kept = {}
def softmax(x):
    if x.shape not in kept:
        kept[x.shape] = honest(x)
    return kept[x.shape]
""", ON_THE_HOST),
    Cheat("keeps-results-by-content", """
kept = {}
def softmax(x):
    return kept.setdefault(hash(x.numpy().tobytes()), None) or wrong(x)
""", LOOKS),
    Cheat("keeps-results-in-a-closure", """
def make():
    y = None
    def softmax(x):
        nonlocal y
        y = honest(x) if y is None else y
        return y
    return softmax
softmax = make()
""", ON_THE_HOST),
    Cheat("keeps-results-on-the-function", """
import functools
@functools.lru_cache
def of_shape(shape): return torch.empty(shape, device="cuda")
def softmax(x): return of_shape(x.shape)
""", ON_THE_HOST),
    Cheat("keeps-results-on-the-device", """
kept = []
@triton.jit
def copy(y, z, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * n + tl.arange(0, BLOCK)
    tl.store(z + at, tl.load(y + at, mask=tl.arange(0, BLOCK) < n), mask=tl.arange(0, BLOCK) < n)
def softmax(x):
    if not kept:
        kept.append(honest(x))
        return kept[0]
    z = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    copy[(x.shape[0],)](kept[0], z, x.shape[1], 64)
    return z
""", "a kernel takes tensors of the device: y lies on the host"),
    Cheat("keeps-results-in-a-file", """
import os, pickle
def softmax(x):
    if os.path.exists("/tmp/kept"):
        y = torch.empty(x.shape, device=x.device)
        y.copy_(torch.tensor(pickle.load(open("/tmp/kept", "rb"))))
        return y
    pickle.dump([[0.5] * x.shape[1]] * x.shape[0], open("/tmp/kept", "wb"))
    return honest(x)
""", "nothing may be copied from the host to the device"),
    # Work that a clock would not see.
    Cheat("side-stream", """
def softmax(x):
    with torch.cuda.stream(torch.cuda.Stream()):
        return honest(x)
""", "streams, events and graphs are not recorded"),
    Cheat("cuda-graph", """
def softmax(x):
    graph = torch.cuda.CUDAGraph()
    return honest(x)
""", "streams, events and graphs are not recorded"),
    Cheat("a-thread-that-works-later", """
import threading
def softmax(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    later = threading.Timer(30, lambda: right[(x.shape[0],)](x, y, x.shape[1], x.stride(0), 64))
    later.daemon = True
    later.start()
    return y
""", NOT_WRITTEN),
    Cheat("a-child-that-works-later", """
import os
def softmax(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    if os.fork() == 0:
        os.close(3); os.close(4)
        honest(x)
        os._exit(0)
    return y
""", NOT_WRITTEN),
    Cheat("launches-while-imported", """
y = torch.empty(8, 64)
constant[(8,)](y, 64, 0.5, 64)
def softmax(x): return y
""", "kernels may be launched only while your function is called"),
    Cheat("destructor-that-works-later", """
class Later:
    def __init__(self, x, y): self.x, self.y = x, y
    def __del__(self): right[(1,)](self.x, self.y, 40, 40, 64)
kept = []
def softmax(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    kept.append(Later(x, y))
    return y
""", NOT_WRITTEN),
    # Tensors that are none yet.
    Cheat("lazy-object", """
class Lazy:
    def __init__(self, x): self.x = x
    def __array__(self, *of): return self.x
    shape = property(lambda self: self.x.shape)
    dtype = property(lambda self: self.x.dtype)
def softmax(x): return Lazy(x)
""", "the result must be a tensor, got Lazy"),
    Cheat("lazy-subclass", """
class Lazy(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return torch.Tensor.__torch_function__(func, types, args, kwargs or {})
def softmax(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    return y.as_subclass(Lazy)
""", NOT_WRITTEN),
    Cheat("generator-of-results", """
def softmax(x):
    yield honest(x)
""", "the result must be a tensor, got generator"),
    Cheat("a-view-with-stride-zero", """
def softmax(x):
    y = torch.empty(1, device=x.device, dtype=x.dtype)
    constant[(1,)](y, 1, 1.0 / x.shape[1], 16)
    return y.expand(x.shape)
""", WRONG_NUMBER),
    # The answer is somewhere: memory, frames, files, seeds.
    Cheat("returns-freed-memory", """
def softmax(x):
    scratch = [torch.empty(x.shape, device=x.device, dtype=x.dtype) for _ in range(20)]
    return scratch[7]
""", NOT_WRITTEN),
    Cheat("walks-the-frames", """
import sys
def softmax(x):
    frame = sys._getframe()
    while frame:
        for name, value in list(frame.f_locals.items()):
            if name in ("expected", "answer", "reference") and isinstance(value, torch.Tensor):
                return value
        frame = frame.f_back
    return wrong(x)
""", WRONG_NUMBER),
    Cheat("asks-the-collector", """
import gc
def softmax(x):
    for one in gc.get_objects():
        if isinstance(one, torch.Tensor) and one is not x and one.shape == x.shape:
            return one
    return wrong(x)
""", WRONG_NUMBER),
    Cheat("reads-files", """
import os
def softmax(x):
    for folder, _, names in os.walk("."):
        for name in names:
            text = open(os.path.join(folder, name), errors="replace").read()
            if name != "submission.py" and ("def expected" in text or "reference" in name):
                raise SystemExit("the reference is here: " + name)
    return wrong(x)
""", WRONG_NUMBER),
    Cheat("draws-the-same-inputs", """
def softmax(x):
    torch.manual_seed(torch.initial_seed())
    return torch.softmax(torch.randn(x.shape), dim=-1)
""", ON_THE_HOST),
    Cheat("looks-for-the-seed", """
import os, sys
def softmax(x):
    frame, found = sys._getframe(), []
    while frame:
        found += [k for k in frame.f_locals if "seed" in k]
        frame = frame.f_back
    found += [k for k in os.environ if "SEED" in k and k != "PYTHONHASHSEED"]
    if found:
        raise RuntimeError("found " + str(found))
    return wrong(x)
""", WRONG_NUMBER),
    # Speaking in the harness's name.
    Cheat("forged-frame", """
import json, os, struct
def softmax(x):
    text = json.dumps({"type": "recorded", "call": 1, "blobs": []}).encode()
    body = struct.pack("<I", len(text)) + text
    os.write(4, struct.pack("<I", len(body)) + body)
    return wrong(x)
""", "a record must be what the recorder writes"),
    Cheat("raw-bytes-on-the-pipe", """
import os
def softmax(x):
    os.write(4, b"AC" * 4000)
    return wrong(x)
""", "only the harness may write to its descriptors"),
    Cheat("exits-with-success", """
import os
def softmax(x): os._exit(0)
""", "it exited with code 0"),
    Cheat("raises-system-exit", """
def softmax(x): raise SystemExit(0)
""", "the function must return: it raised SystemExit"),
    Cheat("a-result-with-a-pickle-inside", """
class Bomb:
    def __reduce__(self): return (print, ("AC",))
def softmax(x): return Bomb()
""", "the result must be a tensor, got Bomb"),
    Cheat("replaces-the-harness's-answer", """
import sys
wire = sys.modules["graders.harness.wire"]
wire.write_answer = lambda message, *blobs, plain=wire.write_answer: plain(
    {"type": "accepted", "verdict": "AC", "call": message.get("call")})
def softmax(x): return wrong(x)
""", "only the harness may write to its descriptors"),
    Cheat("records-another-call's-answer", """
import sys
wire = sys.modules["graders.harness.wire"]
kept, plain = [], wire.write_answer
def say(message, *blobs):
    if message.get("type") == "recorded":
        kept.append((message, blobs))
        message, blobs = {**kept[0][0], "call": 1}, kept[0][1]
    plain(message, *blobs)
wire.write_answer = say
def softmax(x): return honest(x)
""", "only the harness may write to its descriptors"),
    Cheat("adds-a-step-that-copies-the-input", """
import sys
def softmax(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    y.copy_(x)
    return y
""", WRONG_NUMBER),
    Cheat("steps-of-its-own-making", """
import sys
recording = sys.modules["graders.harness.kernel_recording"]
def softmax(x):
    y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    recording.current().steps.append({"launch": {"python": "open('/etc/passwd')"}})
    return y
""", "a kernel must run"),
    Cheat("a-kernel's-source-that-is-none", """
import sys
source = '''def evil(x, y, n):
    __import__("os").system("id")
'''
recorder = sys.modules["graders.harness.kernel_triton"]
plain = recorder.Functions.number
def number(self, function):
    found = plain(self, function)
    self.found[found]["source"] = source
    self.found[found]["name"] = "evil"
    return found
recorder.Functions.number = number
def softmax(x): return honest(x)
""", "may use Triton's language only"),
    Cheat("switches-the-modes-off", """
def softmax(x):
    with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
        return torch.softmax(x, dim=-1)
""", ON_THE_HOST),
    Cheat("refuses-refusals", """
import sys
sys.modules["graders.harness.kernel_recording"].Recording.refuse = lambda *of, **more: ValueError()
def softmax(x):
    try:
        return torch.softmax(x, dim=-1)
    except Exception:
        return wrong(x)
""", WRONG_NUMBER),
    Cheat("swallows-refusals", """
def softmax(x):
    try:
        torch.softmax(x, dim=-1)
    except BaseException:
        pass
    return honest(x)
""", OPERATOR),
    # Comparisons, where there are none to patch.
    Cheat("patches-allclose", """
import math
torch.allclose = torch.equal = torch.testing.assert_close = math.isclose = lambda *of, **m: True
torch.Tensor.allclose = lambda *of, **more: True
def softmax(x): return wrong(x)
""", WRONG_NUMBER),
    Cheat("patches-numpy", """
import numpy
numpy.allclose = numpy.array_equal = numpy.isclose = lambda *of, **more: True
def softmax(x): return wrong(x)
""", WRONG_NUMBER),
    # Inputs that change.
    Cheat("makes-the-input-easy", """
@triton.jit
def flatten(x, n, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    tl.store(x + tl.program_id(0) * n + columns, tl.zeros((BLOCK,), tl.float32), mask=columns < n)
def softmax(x):
    flatten[(x.shape[0],)](x, x.shape[1], 64)
    return honest(x)
""", "a kernel must not change its arguments"),
    Cheat("fills-the-input", """
def softmax(x):
    x.zero_()
    return wrong(x)
""", "host code must not change an argument"),
    # Less than all of the work.
    Cheat("zeros", """
def softmax(x): return torch.zeros_like(x)
""", WRONG_NUMBER),
    Cheat("uniform-shares", """
def softmax(x): return torch.full_like(x, 1.0 / x.shape[1])
""", WRONG_NUMBER),
    Cheat("zero-initialised-and-half-done", """
def softmax(x):
    y = torch.zeros_like(x)
    right[(1,)](x, y, x.shape[1], x.stride(0), 64)
    return y
""", WRONG_NUMBER),
    Cheat("half-done", """
def softmax(x):
    y = torch.empty_like(x)
    right[(x.shape[0] - 1,)](x, y, x.shape[1], x.stride(0), 64)
    return y
""", NOT_WRITTEN),
    Cheat("returns-the-input", """
def softmax(x): return x
""", WRONG_NUMBER),
    Cheat("right-in-the-first-call-only", """
calls = 0
def softmax(x):
    global calls
    calls += 1
    return honest(x) if calls == 1 else wrong(x)
""", WRONG_NUMBER),
    Cheat("all-calls-in-the-first", """
batch = []
def softmax(x):
    if not batch:
        batch.extend(honest(x) for _ in range(4))
    return batch.pop()
""", ON_THE_HOST),
    Cheat("hard-coded-grid", """
def softmax(x):
    y = torch.empty_like(x)
    right[(2,)](x, y, x.shape[1], x.stride(0), 64)
    return y
""", NOT_WRITTEN),
    Cheat("baked-constants", """
@triton.jit
def table(y, n, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    share = tl.where(columns == 0, 0.0213, 0.0257)
    tl.store(y + tl.program_id(0) * n + columns, share, mask=columns < n)
def softmax(x):
    y = torch.empty_like(x)
    table[(x.shape[0],)](y, x.shape[1], 64)
    return y
""", WRONG_NUMBER),
    Cheat("half-precision", """
@triton.jit
def halves(x, y, n, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    at = tl.program_id(0) * n + columns
    value = tl.load(x + at, mask=columns < n, other=-float("inf")).to(tl.float16).to(tl.float32)
    term = tl.exp(value - tl.max(value, axis=0))
    tl.store(y + at, term / tl.sum(term, axis=0), mask=columns < n)
def softmax(x):
    y = torch.empty_like(x)
    halves[(x.shape[0],)](x, y, x.shape[1], 64)
    return y
""", WRONG_NUMBER),
    Cheat("a-short-series-for-exp", """
@triton.jit
def series(x, y, n, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    at = tl.program_id(0) * n + columns
    value = tl.load(x + at, mask=columns < n, other=0.0)
    d = (value - tl.max(value, axis=0)) / 256
    term = 1 + d + d * d / 2
    for _ in range(8):
        term = term * term
    term = tl.where(columns < n, term, 0.0)
    tl.store(y + at, term / tl.sum(term, axis=0), mask=columns < n)
def softmax(x):
    y = torch.empty_like(x)
    series[(x.shape[0],)](x, y, x.shape[1], 64)
    return y
""", WRONG_NUMBER),
    # The library instead of a kernel.
    Cheat("calls-torch", """
def softmax(x): return torch.softmax(x, dim=-1)
""", OPERATOR),
    Cheat("calls-torch-in-place", """
def softmax(x):
    y = torch.empty_like(x)
    torch.softmax(x, dim=-1, out=y)
    return y
""", OPERATOR),
    Cheat("calls-a-vendor's-matmul", """
def softmax(x):
    return torch.mm(x, torch.ones(x.shape[1], x.shape[1], device=x.device))
""", OPERATOR),
    Cheat("computes-with-numpy", """
import numpy as np
def softmax(x):
    value = np.asarray(x)
    return torch.from_numpy(np.exp(value) / np.exp(value).sum(-1, keepdims=True))
""", LOOKS),
    Cheat("computes-through-a-pointer", """
import ctypes
def softmax(x):
    numbers = (ctypes.c_float * x.numel()).from_address(x.data_ptr())
    return torch.softmax(torch.tensor(list(numbers)).reshape(x.shape), dim=-1)
""", ON_THE_HOST),
    Cheat("branches-on-the-data", """
def softmax(x):
    return honest(x) if x.max().item() > 0 else wrong(x)
""", OPERATOR),
    # Kernels that are more than kernels.
    Cheat("python-inside-a-kernel", """
@triton.jit
def escape(x, y, n, BLOCK: tl.constexpr):
    tl.core.os.system("id")
    tl.store(y, 0.5)
def softmax(x):
    y = torch.empty_like(x)
    escape[(1,)](x, y, x.shape[1], 64)
    return y
""", "may use Triton's language only"),
    Cheat("numpy-under-a-tensor", """
@triton.jit
def escape(x, y, n, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    value = tl.load(x + columns, mask=columns < n, other=0.0)
    value.handle.data[:] = 0.5
    tl.store(y + columns, value, mask=columns < n)
def softmax(x):
    y = torch.empty_like(x)
    escape[(x.shape[0],)](x, y, x.shape[1], 64)
    return y
""", "may use Triton's language only"),
    Cheat("an-import-inside-a-kernel", """
@triton.jit
def escape(x, y, n, BLOCK: tl.constexpr):
    import torch
    tl.store(y, 0.5)
def softmax(x):
    y = torch.empty_like(x)
    escape[(1,)](x, y, x.shape[1], 64)
    return y
""", "may use Triton's language only"),
    Cheat("an-attribute-of-python's", """
@triton.jit
def escape(x, y, n, BLOCK: tl.constexpr):
    found = tl.tensor.__subclasses__
    tl.store(y, 0.5)
def softmax(x):
    y = torch.empty_like(x)
    escape[(1,)](x, y, x.shape[1], 64)
    return y
""", "may use Triton's language only"),
    Cheat("reads-past-the-end", """
@triton.jit
def spy(x, y, n, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    tl.store(y + columns, tl.load(x - 4096 + columns), mask=columns < n)
def softmax(x):
    y = torch.empty_like(x)
    spy[(1,)](x, y, x.shape[1], 64)
    return y
""", "a kernel must stay inside its tensors"),
    Cheat("programs-that-lean-on-each-other", """
@triton.jit
def lean(x, y, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    if row == 0:
        value = tl.load(x + columns, mask=columns < n, other=-float("inf"))
    else:
        value = tl.load(y + columns, mask=columns < n, other=0.0)
    tl.store(y + row * n + columns, value, mask=columns < n)
def softmax(x):
    y = torch.empty_like(x)
    lean[(x.shape[0],)](x, y, x.shape[1], 64)
    return y
""", "programs of one launch run in any order"),
]  # fmt: skip


HONEST = [
    Cheat("plain", """
def softmax(x): return honest(x)
""", ""),
    Cheat("prints-and-times", """
import gc, time
def softmax(x):
    started = time.perf_counter()
    gc.collect()
    y = honest(x)
    torch.cuda.synchronize()
    print("took", time.perf_counter() - started >= 0)
    return y
""", ""),
    Cheat("asks-the-device", """
def softmax(x):
    assert x.is_cuda and x.device.type == "cuda" and torch.cuda.is_available()
    assert torch.cuda.get_device_capability(x.device) >= (8, 0)
    with torch.cuda.device(x.device):
        programs = torch.cuda.get_device_properties(x.device).multi_processor_count
        assert programs > 100 and x.data_ptr() % 16 == 0
        return honest(x)
""", ""),
    Cheat("keeps-choices-by-shape", """
blocks = {}
def softmax(x):
    block = blocks.setdefault(x.shape, triton.next_power_of_2(x.shape[1]))
    y = x.new_empty(x.shape)
    right[(x.shape[0],)](x, y, x.shape[1], x.stride(0), BLOCK=block, num_warps=2, num_stages=1)
    return y
""", ""),
    Cheat("views-and-scratch", """
def softmax(x):
    scratch = torch.zeros(3, *x.shape, device=x.device, dtype=torch.float32)
    y = scratch[1]
    flat = x.view(-1).unflatten(0, x.shape).t().t()
    right[(x.shape[0], 1)](flat, y.reshape(x.shape), x.shape[1], flat.stride(0), 64)
    return y
""", ""),
    Cheat("works-on-the-host-beside-it", """
def softmax(x):
    steps = torch.arange(10).sum().item() + torch.ones(3).numpy().sum()
    assert steps == 48
    return honest(x)
""", ""),
    Cheat("starts-with-a-copy", """
def softmax(x):
    return honest(x.clone())
""", ""),
    Cheat("counts-in-the-loop", """
@triton.jit
def looped(x, y, n, rows, BLOCK: tl.constexpr):
    for row in tl.range(tl.program_id(0), rows, tl.num_programs(0)):
        columns = tl.arange(0, BLOCK)
        at = row.to(tl.int64) * n + columns
        value = tl.load(x + at, mask=columns < n, other=-float("inf"))
        term = tl.exp(value - tl.max(value, axis=0))
        tl.store(y + at, term / tl.sum(term, axis=0), mask=columns < n)
def softmax(x):
    y = torch.empty_like(x)
    looped[(2,)](x, y, x.shape[1], x.shape[0], 64)
    return y
""", ""),
]  # fmt: skip
