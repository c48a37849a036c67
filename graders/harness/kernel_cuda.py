"""`RawKernel` for submissions in CUDA C++: compiled by NVRTC, recorded instead of launched.

The calling convention is CuPy's: ``RawKernel(source, name)`` gives a kernel that is called as
``kernel(grid, block, args, shared_mem=0)``. A submission imports it from the module ``gauntlet``,
which exists inside the sandbox only.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import math
import re
import sys
import types
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from graders.harness.kernel_recording import candidate_line, current

SOURCE_NAME = b"submission.cu"
_LOG_CHARACTERS = 4000
_PARAMETER = re.compile(r"\.param\s+(?:\.align\s+\d+\s+)?\.([a-z]\d+)\b[^,)\n]*")
_KINDS = {"f32": "fp32", "f64": "fp64", "b8": "u8", "b16": "u16", "b32": "u32", "b64": "u64"}


class Compiled:
    """One kernel of one source: its cubin, its PTX and the types of its parameters."""

    def __init__(self, source: str, name: str, cubin: bytes, ptx: str) -> None:
        self.source, self.name, self.cubin, self.ptx = source, name, cubin, ptx
        self.digest = hashlib.sha256(cubin).hexdigest()
        self.parameters = _parameters(ptx, name)


class _Recorder:
    """What `install` was told, and where the plan's kernels are kept."""

    target: dict[str, Any]
    triton: Any


def install(target: dict[str, Any], triton_recorder: Any) -> None:
    """Make ``from gauntlet import RawKernel`` work."""
    _Recorder.target, _Recorder.triton = target, triton_recorder
    module = types.ModuleType("gauntlet")
    module.RawKernel = RawKernel  # type: ignore[attr-defined]
    sys.modules["gauntlet"] = module


class RawKernel:
    """A kernel in CUDA C++.

    Parameters
    ----------
    code : str
        The source. The kernel is declared ``extern "C" __global__``; no headers are there.
    name : str
        The kernel's name.
    options : tuple of str
        For NVRTC, e.g. ``("--use_fast_math",)``.
    """

    def __init__(self, code: str, name: str, options: Sequence[str] = ()) -> None:
        self.code, self.name, self.options = str(code), str(name), tuple(map(str, options))

    def __call__(
        self, grid: Sequence[int], block: Sequence[int], args: Sequence[Any], *, shared_mem: int = 0
    ) -> None:
        """Launch: `grid` in blocks and `block` in threads, `args` as the kernel takes them."""
        recording = current()
        line = candidate_line()
        compiled = _compile(self.code, self.name, self.options)
        with torch._C.DisableTorchFunction():
            if len(args) != len(compiled.parameters):
                raise recording.refuse(
                    "argument_count", wanted=len(compiled.parameters), got=len(args)
                )
            arguments = [
                _argument(recording, i, value, kind)
                for i, (value, kind) in enumerate(zip(args, compiled.parameters, strict=True))
            ]
            blocks, threads = _triple(grid), _triple(block)
            if math.prod(blocks) == 0:
                return
            number = _Recorder.triton.add_kernel(
                {
                    "name": self.name,
                    "threads": threads,
                    "dynamic_shared_bytes": int(shared_mem),
                    "cluster": 1,
                    "cooperative": False,
                    "programmatic_launch": False,
                },
                compiled.cubin,
                compiled.ptx,
            )
        recording.steps.append(
            {
                "launch": {
                    "cuda": self.code,
                    "kernel": number,
                    "blocks": blocks,
                    "arguments": arguments,
                    "line": line,
                }
            }
        )


def _argument(recording: Any, index: int, value: Any, kind: str) -> dict[str, Any]:
    """One argument in the type that the kernel's signature says."""
    if isinstance(value, torch.Tensor) and value.dim() >= 0:
        found = recording.find(value)
        if found is None:
            raise recording.refuse("host_argument", name=f"argument {index + 1}")
        if kind not in ("u64", "i64"):
            raise recording.refuse("argument_type", index=index + 1, wanted=kind, got="tensor")
        return {"buffer": found[0], "offset_bytes": found[1]}
    number = value.item() if hasattr(value, "item") else value
    if kind.startswith("fp") and isinstance(number, int | float):
        number = float(number)
        return {"type": kind, "value": number if math.isfinite(number) else str(number)}
    if not kind.startswith("fp") and isinstance(number, int):
        # PTX tells the width of a whole number and not its sign.
        signed = f"i{kind[1:]}" if number < 0 else f"u{kind[1:]}"
        return {"type": signed, "value": int(number)}
    raise recording.refuse("argument_type", index=index + 1, wanted=kind, got=type(value).__name__)


def _triple(value: Any) -> list[int]:
    numbers = list(value) if isinstance(value, tuple | list) else [value]
    if not 1 <= len(numbers) <= 3 or not all(
        isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in numbers
    ):
        raise current().refuse("grid", got=repr(value)[:80])
    return numbers + [1] * (3 - len(numbers))


def _parameters(ptx: str, name: str) -> list[str]:
    match = re.search(rf"\.entry\s+{re.escape(name)}\s*\(([^)]*)\)", ptx)
    if match is None:
        return []
    found = _PARAMETER.findall(match.group(1))
    return [_KINDS.get(kind, kind.replace("s", "i")) for kind in found]


@cache
def _library() -> Any:
    """NVRTC of the runtime that the sandbox mounts."""
    spec = importlib.util.find_spec("nvidia.cuda_nvrtc")
    if spec is None or spec.submodule_search_locations is None:
        raise current().refuse("no_nvrtc")
    folder = Path(next(iter(spec.submodule_search_locations))) / "lib"
    return ctypes.CDLL(str(next(folder.glob("libnvrtc.so.*"))))


@cache
def _compile(source: str, name: str, options: tuple[str, ...]) -> Compiled:
    library = _library()
    major, minor = _Recorder.target["capability"]
    program = ctypes.c_void_p()
    library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), SOURCE_NAME, 0, None, None)
    given = [
        f"--gpu-architecture=sm_{major}{minor}{'a' if major >= 9 else ''}".encode(),
        b"-lineinfo",
        b"--std=c++17",
        *(option.encode() for option in options),
    ]
    status = library.nvrtcCompileProgram(
        program, len(given), (ctypes.c_char_p * len(given))(*given)
    )
    if status != 0:
        log = _text(library.nvrtcGetProgramLogSize, library.nvrtcGetProgramLog, program)
        raise current().refuse(
            "cuda_compile", log=log.decode(errors="replace").strip("\0\n ")[:_LOG_CHARACTERS]
        )
    cubin = _text(library.nvrtcGetCUBINSize, library.nvrtcGetCUBIN, program)
    ptx = _text(library.nvrtcGetPTXSize, library.nvrtcGetPTX, program).rstrip(b"\0").decode()
    library.nvrtcDestroyProgram(ctypes.byref(program))
    if not re.search(rf"\.entry\s+{re.escape(name)}\s*\(", ptx):
        raise current().refuse("no_such_kernel", name=name)
    return Compiled(source, name, cubin, ptx)


def _text(size_of: Any, get: Any, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    size_of(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    get(program, buffer)
    return buffer.raw[: size.value]
