"""``python -m graders.kernel.vendor``: our reference beside the vendor's library and a copy.

The only program of the executor's side that needs torch. It replays our own reference, never a
candidate's plan, so that a candidate's ratio to the vendor is the product of two ratios, each
measured in alternation: candidate to reference, and reference to vendor.

One request: ``operation``, ``given``, ``plan`` with cubins, ``seeds``, ``limit_s``. Answered with
``reference_s`` beside ``vendor_s`` and the vendor's name, and ``copy_s`` with ``copy_bytes`` for a
copy that moves as many bytes as the operation must.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graders.harness import wire
from graders.kernel.checker import TorchArrays
from graders.kernel.device.alternation import Contender, alternate
from graders.kernel.device.driver import DeviceFault
from graders.kernel.device.lock import gpu_locked
from graders.kernel.device.messages import inputs_of, plan_from
from graders.kernel.device.replay import Inputs, Replay
from graders.kernel.operations import OPERATIONS
from graders.kernel.operations.add_rmsnorm import EPSILON
from graders.kernel.operations.base import Array
from graders.kernel.statistics import median
from graders.kernel.streams import adopt_standard_streams

_TRIALS = 5


def contenders(
    torch: Any, operation: str, given: Mapping[str, Any], tensors: Mapping[str, Array]
) -> dict[str, Callable[[], object]]:
    """The vendor's ways to do it, by name."""
    if operation == "matmul":
        a, b = tensors["a"], tensors["b"]
        return {"cuBLAS": lambda: torch.matmul(a, b)}
    if operation == "softmax":
        x = tensors["x"]
        return {"torch.softmax": lambda: torch.softmax(x, -1)}
    if operation == "add-rmsnorm":
        x, residual, weight = (tensors[name] for name in ("x", "residual", "weight"))
        shape = tuple(weight.shape)
        norm = torch.nn.functional.rms_norm
        return {"torch, two kernels": lambda: norm(x + residual, shape, weight, EPSILON)}
    return _attention(torch, given, tensors)


def _attention(
    torch: Any, given: Mapping[str, Any], tensors: Mapping[str, Array]
) -> dict[str, Callable[[], object]]:
    q, k, v = (tensors[name] for name in ("q", "k", "v"))
    causal = bool(given.get("causal", False))
    if causal and q.shape[2] != k.shape[2]:
        return {}  # SDPA aligns its mask at the beginning
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def run(backend: Any) -> Callable[[], object]:
        def attend() -> object:
            with sdpa_kernel(backend):
                return torch.nn.functional.scaled_dot_product_attention(
                    q, k, v, is_causal=causal, enable_gqa=q.shape[1] != k.shape[1]
                )

        return attend

    backends = {
        "SDPA, FlashAttention": SDPBackend.FLASH_ATTENTION,
        "SDPA, cuDNN": SDPBackend.CUDNN_ATTENTION,
        "SDPA, memory-efficient": SDPBackend.EFFICIENT_ATTENTION,
    }
    return {name: run(backend) for name, backend in backends.items()}


def measure(
    arrays: TorchArrays, message: Mapping[str, Any], cubins: Sequence[bytes]
) -> dict[str, Any]:
    """The answer to one request."""
    torch, device, trusted = arrays.xp, arrays.device, arrays.trusted
    torch.backends.cuda.matmul.allow_tf32 = False
    given, operation = message["given"], OPERATIONS[message["operation"]]
    call, work = operation.call(given), operation.work(given)
    limit_s, seeds = float(message["limit_s"]), [int(seed) for seed in message["seeds"]]
    given_inputs = inputs_of(call.tensors)
    inputs = Inputs(device, trusted, given_inputs)
    replay = Replay(device, plan_from(message["plan"], cubins, given_inputs), inputs)
    replay.pick_configurations(trusted, seeds[0], limit_s)
    reference = Contender(
        lambda seed: replay.prepare(trusted, seed), replay.run, lambda number: None
    )
    # Views of the same memory that the reference reads.
    tensors = {one.name: arrays.raw(one, seeds[0], i) for i, one in enumerate(call.tensors)}

    def of(run: Callable[[], object]) -> Contender:
        def prepare(seed: int) -> None:
            for i, one in enumerate(call.tensors):
                arrays.draw_into(tensors[one.name], one, seed, i)
            trusted.scrub_shared()
            trusted.flush_l2()

        return Contender(prepare, lambda: (run(), None)[1], lambda number: None)

    order = random.SystemRandom()
    with torch.cuda.stream(torch.cuda.ExternalStream(int(device.stream))):
        ways = contenders(torch, message["operation"], given, tensors)
        tried = {}
        for name, run in ways.items():
            try:
                tried[name] = min(
                    alternate(
                        device,
                        of(run),
                        of(run),
                        seeds,
                        order,
                        limit_s,
                        lambda a, b, s: len(a) >= _TRIALS,
                    ).a_s
                )
            except RuntimeError as error:  # a backend that does not take these shapes says so
                print(name, error, file=sys.stderr)
        answer: dict[str, Any] = {"vendor": "", "tried_s": tried}
        if tried:
            best = min(tried, key=lambda name: tried[name])
            samples = alternate(device, reference, of(ways[best]), seeds, order, limit_s)
            answer |= {"vendor": best, "reference_s": samples.a_s, "vendor_s": samples.b_s}
    answer |= _copy(arrays, reference, work.bytes_read + work.bytes_written, seeds, limit_s)
    replay.free()
    inputs.fence.free()
    return answer


def _copy(
    arrays: TorchArrays, reference: Contender, moved_bytes: float, seeds: list[int], limit_s: float
) -> dict[str, Any]:
    """A copy of half as many bytes, read and written: the better of the driver's and a kernel's."""
    device, trusted = arrays.device, arrays.trusted
    half = max(int(moved_bytes / 2) // 16 * 16, 16)
    source, to = device.allocate(half), device.allocate(half)
    device.fill(source, half // 4 * 4, b"\x5a\x5a\x5a\x5a")
    order = random.SystemRandom()

    def prepare(seed: int) -> None:
        trusted.scrub_shared()
        trusted.flush_l2()

    kernel = trusted.copying(to, source, half)
    ways = {
        "driver": Contender(prepare, lambda: device.copy(to, source, half), lambda number: None),
        "kernel": Contender(prepare, kernel.enqueue, lambda number: None),
    }
    samples = {
        name: alternate(device, reference, way, seeds, order, limit_s) for name, way in ways.items()
    }
    device.free(source)
    device.free(to)
    best = min(samples, key=lambda name: median(samples[name].b_s))
    return {
        "copy": best,
        "copy_bytes": 2 * half,
        "copy_s": samples[best].b_s,
        "reference_beside_copy_s": samples[best].a_s,
    }


def main() -> None:
    """Answer requests until the grader hangs up."""
    adopt_standard_streams()
    request = wire.read_request()
    if request is None:
        return
    try:
        arrays = TorchArrays(open_device=False)
        folder = Path(os.environ["GPU_LOCK_DIR"])
        tell = lambda: wire.write_answer({"waiting": True})  # noqa: E731
        with gpu_locked(folder, arrays.device.properties.uuid, tell):
            arrays.open()
            while request is not None:
                message, blobs = request
                answer = measure(arrays, message, blobs)
                wire.write_answer({**answer, "properties": asdict(arrays.device.properties)})
                request = wire.read_request()
    except (DeviceFault, ImportError) as error:
        print(error, file=sys.stderr)
        wire.write_answer({"fault": getattr(error, "code", "NO_TORCH")})
        sys.stderr.flush()
        os._exit(3)


if __name__ == "__main__":
    main()
