"""Records what a host function for a GPU does, on a machine that has none.

Run as ``python -m graders.harness.kernel_record ENTRY_POINT`` beside a file ``submission.py``. Each
request describes the arguments of one call; the answer is the record of the call, or why there is
none. ``compiles`` asks for cubins as well; without it a record takes milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from typing import Any

# One thread does; and both must be set before torch and Triton are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")  # Triton 3.9's own default, without a word
os.environ["TRITON_CACHE_DIR"] = os.path.join(tempfile.gettempdir(), "triton")
os.environ.pop("TRITON_INTERPRET", None)

import torch

from graders.harness import candidate, kernel_cuda, kernel_host, wire
from graders.harness.kernel_recording import Recording, Refusal, recording
from graders.harness.kernel_triton import TritonRecorder


def main(entry_point: str) -> None:
    """Read what the target is, import the submission, then record one call a request."""
    request = wire.read_request()
    if request is None:
        return
    target = request[0]["target"]
    torch.set_num_threads(1)
    kernel_host.pretend(target)
    triton_recorder = TritonRecorder(target)
    triton_recorder.install()
    kernel_cuda.install(target, triton_recorder)
    try:
        code = candidate.read()
        function = candidate.load(code, entry_point)
    except Refusal as refusal:
        wire.write_answer({"type": "failed", **_refused(refusal)})
        return
    except BaseException as error:
        wire.write_answer({"type": "failed", **candidate.explain(error)})
        return
    wire.write_answer({"type": "ready"})
    while (request := wire.read_request()) is not None:
        message, _ = request
        triton_recorder.begin(compiles=bool(message["compiles"]))
        answer, blobs = _record(function, message, triton_recorder)
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        wire.write_answer({**answer, "call": message["call"]}, *blobs)


def _record(
    function: Any, message: dict[str, Any], recorder: TritonRecorder
) -> tuple[dict[str, Any], list[bytes]]:
    with recording() as made:
        arguments = [
            kernel_host.given_tensor(made, one) if "dtype" in one else one["value"]
            for one in message["arguments"]
        ]
        try:
            with kernel_host.as_on_a_gpu(made):
                returned = function(*arguments)
            if made.refusal is not None:
                raise made.refusal
            with torch._C.DisableTorchFunction():
                results = _results(made, returned)
        except Refusal as refusal:
            return {"type": "refused", **_refused(refusal)}, []
        except BaseException as error:
            if made.refusal is not None:  # the submission made an error of its own of it
                return {"type": "refused", **_refused(made.refusal)}, []
            return {"type": "raised", **candidate.explain(error)}, []
    # Without `compiles` there is none of Triton's; CUDA C++ is always compiled.
    blobs = list(recorder.blobs)
    answer = {
        "type": "recorded",
        "buffers": [{"name": name, "n_bytes": n} for name, n in made.n_bytes.items()],
        "steps": made.steps,
        "results": results,
        "functions": recorder.functions.found,
        "kernels": recorder.kernels,
        "cubins": blobs,
    }
    return answer, [recorder.blobs[digest] for digest in blobs]


def _results(made: Recording, returned: Any) -> list[dict[str, Any]]:
    if isinstance(returned, tuple | list):
        return [
            kernel_host.result(made, one, f"result {i}") for i, one in enumerate(returned, start=1)
        ]
    return [kernel_host.result(made, returned, "the result")]


def _refused(refusal: Refusal) -> dict[str, Any]:
    return {"code": refusal.code, "details": refusal.details, "line": refusal.line}


if __name__ == "__main__":
    main(sys.argv[1])
