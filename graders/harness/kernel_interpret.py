"""Runs recorded Triton launches as Python, on small inputs, with every access watched.

Run as ``python -m graders.harness.kernel_interpret``. A request brings the sources of the kernels,
the recorded steps and the inputs' bytes; the answer brings the results' bytes, and which of them
were written. Only kernel bodies that `kernel_language` allows are executed: no host code of the
submission is here, so nothing of it sees a value.
"""

from __future__ import annotations

import inspect
import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any

if os.environ.get("TRITON_INTERPRET") != "1":
    # Triton decides when it is imported, and this process may have been forked from one that did.
    os.environ["TRITON_INTERPRET"] = "1"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if "triton" in sys.modules:
        os.execv(sys.executable, [sys.executable, "-m", "graders.harness.kernel_interpret"])  # noqa: S606

import numpy as np
import triton
import triton.language as tl
from triton._C.libtriton import ir
from triton.runtime import interpreter

from graders.harness import wire
from graders.harness.kernel_language import Forbidden, check, is_allowed
from graders.harness.kernel_memory import Fault, Memory

FILE_NAME = "submission.py"
MAX_PROGRAMS = 4096
_DTYPES = {
    "fp16": tl.float16, "bf16": tl.bfloat16, "fp32": tl.float32, "fp64": tl.float64,
    "i1": tl.int1, "i8": tl.int8, "i16": tl.int16, "i32": tl.int32, "i64": tl.int64,
    "u1": tl.int1, "u8": tl.uint8, "u16": tl.uint16, "u32": tl.uint32, "u64": tl.uint64,
    "int1": tl.int1, "int8": tl.int8, "int16": tl.int16, "int32": tl.int32, "int64": tl.int64,
    "uint8": tl.uint8, "uint16": tl.uint16, "uint32": tl.uint32, "uint64": tl.uint64,
    "fp8e5": tl.float8e5, "fp8e4nv": tl.float8e4nv,
}  # fmt: skip
_BYTES = {"fp64": 8, "i64": 8, "u64": 8, "fp32": 4, "i32": 4, "u32": 4, "fp16": 2, "bf16": 2}


class TooManyPrograms(Exception):
    """The call launches more than the interpreter can run in time."""


class Launches:
    """The kernels of one call, made executable, and the memory that they share."""

    def __init__(self, request: dict[str, Any], blobs: list[bytes]) -> None:
        given = {f"IN{i}": blob for i, blob in enumerate(blobs)}
        sizes = {name: len(data) for name, data in given.items()}
        sizes |= {one["name"]: one["n_bytes"] for one in request["buffers"]}
        self.memory = Memory(sizes, given)
        self._notes = request["functions"]
        self._made: dict[int, Any] = {}
        self._programs = 0
        self._lay_source()
        _watch(self.memory)

    def _lay_source(self) -> None:
        """A file with each kernel on its own lines, where Triton's interpreter looks for them."""
        lines: dict[int, str] = {}
        for note in self._notes:
            for i, line in enumerate(note["source"].splitlines()):
                lines[note["line"] + i] = line
        text = [lines.get(i, "") + "\n" for i in range(1, max(lines, default=0) + 1)]
        linecache.cache[FILE_NAME] = (sum(map(len, text)), None, text, FILE_NAME)

    def run(self, steps: list[dict[str, Any]]) -> None:
        """Do the steps; of autotune's alternatives the first."""
        for step in steps:
            if "alternatives" in step:
                self.run(step["alternatives"][0]["steps"])
            elif "fill" in step:
                fill = step["fill"]
                pattern = np.frombuffer(bytes.fromhex(fill["pattern"]), np.uint8)
                data = np.tile(pattern, fill["n_bytes"] // len(pattern))
                self.memory.write(fill["buffer"], fill["offset_bytes"], data)
            elif "copy" in step:
                copy = step["copy"]
                (to, at), (source, start) = copy["to"], copy["from"]
                data = self.memory.read(source, start, copy["n_bytes"])
                self.memory.write(to, at, data)
            else:
                self._launch(step["launch"])

    def _launch(self, launch: dict[str, Any]) -> None:
        x_size, y_size, z_size = launch["grid"]
        self._programs += x_size * y_size * z_size
        if self._programs > MAX_PROGRAMS:
            raise TooManyPrograms
        kernel = self._function(launch["function"])
        body = kernel.rewrite()
        marked = inspect.get_annotations(body)
        arguments = {
            name: self._argument(one, annotated=_is_constexpr(marked.get(name)))
            for name, one in launch["named"].items()
        }
        scope = interpreter._patch_lang(body)
        builder = interpreter.interpreter_builder
        builder.set_grid_dim(x_size, y_size, z_size)
        self.memory.begin_launch((x_size, y_size, z_size))
        try:
            for x in range(x_size):
                for y in range(y_size):
                    for z in range(z_size):
                        builder.set_grid_idx(x, y, z)
                        self.memory.begin_program(x, y, z)
                        body(**arguments)
        finally:
            scope.restore()

    def _function(self, number: int) -> Any:
        if number in self._made:
            return self._made[number]
        note = self._notes[number]
        names = {name: self._value(value) for name, value in note["names"].items()}
        for name, value in names.items():
            if not isinstance(value, interpreter.InterpretedFunction) and not is_allowed(value):
                known = value is None or isinstance(value, str | tuple)
                if not known:
                    raise Forbidden(name, note["line"])
        tree = check(note["source"], note["line"], names)
        scope: dict[str, Any] = {"triton_language": tl, "range": _count, **names}
        exec(compile(tree, FILE_NAME, "exec", dont_inherit=True), scope)  # noqa: S102  checked
        made = self._made[number] = interpreter.InterpretedFunction(scope[note["name"]])
        return made

    def _value(self, value: dict[str, Any]) -> Any:
        ((kind, inside),) = value.items()
        if kind == "plain":
            return inside
        if kind == "float":
            return float.fromhex(inside)
        if kind == "function":
            return self._function(inside)
        if kind == "dtype":
            return _DTYPES[inside]
        if kind == "tuple":
            return tuple(self._value(one) for one in inside)
        path, name = inside if kind == "from" else (inside, None)
        if path.split(".")[0] not in ("triton", "math"):
            raise Forbidden(path, 0)
        found = sys.modules.get(path)
        return found if name is None else getattr(found, name)

    def _argument(self, one: dict[str, Any], *, annotated: bool) -> Any:
        if "constexpr" in one:
            value = self._value(one["constexpr"])
            plain = isinstance(value, bool | int) and not annotated
            return interpreter._implicit_cvt(value) if plain else value
        if "tuple" in one:
            return tl.tuple([self._argument(inner, annotated=False) for inner in one["tuple"]])
        if "buffer" in one:
            return self._pointer(one)
        if "descriptor" in one:
            return self._descriptor(one["descriptor"])
        dtype = _DTYPES[one["type"]]
        data = np.array([self._value(one["value"])]).astype(interpreter._get_np_dtype(dtype))
        return tl.tensor(interpreter.TensorHandle(data, dtype), dtype)

    def _pointer(self, one: dict[str, Any]) -> Any:
        kind = one["type"].lstrip("*").removeprefix("k")
        dtype = tl.pointer_type(_DTYPES[kind])
        address = self.memory.address(one["buffer"], one["offset_bytes"])
        return tl.tensor(interpreter.TensorHandle(np.array([address], np.uint64), dtype), dtype)

    def _descriptor(self, one: dict[str, Any]) -> Any:
        strides = [interpreter._implicit_cvt(step) for step in one["strides"]]
        strides[-1] = tl.constexpr(1)
        return interpreter.interpreter_semantic.make_tensor_descriptor(
            base=self._pointer(one),
            shape=[interpreter._implicit_cvt(size) for size in one["shape"]],
            strides=strides,
            block_shape=[tl.constexpr(size) for size in one["block"]],
            padding_option="nan" if one["fill_nan"] else "zero",
        )

    def result(self, one: dict[str, Any]) -> tuple[bytes, bytes]:
        """A result's elements in row-major order, and for each whether it was written."""
        size = _BYTES.get(one["dtype"], 1)
        places = np.full((), one["offset_bytes"], np.int64)
        for n, step in zip(one["shape"], one["strides"], strict=True):
            places = places[..., None] + np.arange(n, dtype=np.int64) * step * size
        start = self.memory.address(one["buffer"], 0) - self.memory.base
        flat = places.reshape(-1) + start
        data = self.memory.bytes[flat[:, None] + np.arange(size)]
        return data.tobytes(), self.memory.written[flat].tobytes()


def _is_constexpr(annotation: Any) -> bool:
    return annotation is tl.constexpr or annotation in ("tl.constexpr", "constexpr")


def _watch(memory: Memory) -> None:
    """Let each access of the interpreter go past `memory`, and give dot the hardware's TF32."""
    plain = interpreter.InterpreterBuilder

    class Watching(plain):  # type: ignore[misc, valid-type]
        def create_masked_load(self, ptrs: Any, mask: Any, *rest: Any, **named: Any) -> Any:
            memory.load(ptrs.data, _mask(ptrs, mask), _element_bytes(ptrs))
            return super().create_masked_load(ptrs, mask, *rest, **named)

        def create_masked_store(self, ptrs: Any, value: Any, mask: Any, policy: Any) -> Any:
            memory.store(ptrs.data, value.data, _mask(ptrs, mask), _element_bytes(ptrs))
            return super().create_masked_store(ptrs, value, mask, policy)

        def create_atomic_rmw(
            self, operation: Any, ptr: Any, val: Any, mask: Any, sem: Any, scope: Any
        ) -> Any:
            memory.atomic(ptr.data, _mask(ptr, mask), _element_bytes(ptr))
            return super().create_atomic_rmw(operation, ptr, val, mask, sem, scope)

        def create_atomic_cas(self, ptr: Any, cmp: Any, val: Any, sem: Any, scope: Any) -> Any:
            memory.atomic(ptr.data, np.ones(ptr.data.shape, bool), _element_bytes(ptr))
            return super().create_atomic_cas(ptr, cmp, val, sem, scope)

        def create_dot(self, a: Any, b: Any, d: Any, precision: Any, imprecise: Any) -> Any:
            if precision == ir.INPUT_PRECISION.TF32 and a.data.dtype == np.float32:
                a, b = (interpreter.TensorHandle(_cut(one.data), one.dtype) for one in (a, b))
            return super().create_dot(a, b, d, precision, imprecise)

    interpreter.interpreter_builder.__class__ = Watching


def _count(first: Any, end: Any = None, step: Any = 1, **options: Any) -> Iterator[Any]:
    """``range`` and ``tl.range`` as compiled code has them: the counter is a tensor."""
    first, end = (0, first) if end is None else (first, end)
    wide = any(isinstance(one, tl.tensor) and one.dtype == tl.int64 for one in (first, end, step))
    dtype = tl.int64 if wide else tl.int32
    for i in range(int(first), int(end), int(step)):
        data = np.array([i], interpreter._get_np_dtype(dtype))
        yield tl.tensor(interpreter.TensorHandle(data, dtype), dtype)


_patch_core = interpreter._patch_lang_core


def _patch_core_and_range(language: Any, scope: Any) -> None:
    _patch_core(language, scope)
    scope.set_attr(language, "range", _count)


interpreter._patch_lang_core = _patch_core_and_range


def _mask(pointers: Any, mask: Any) -> Any:
    return np.broadcast_to(mask.data, np.shape(pointers.data))


def _element_bytes(pointers: Any) -> int:
    return max(1, int(pointers.get_element_ty().primitive_bitwidth) // 8)


def _cut(data: Any) -> Any:
    """The 19 bits of a float32 that a tensor core takes as TF32."""
    return (np.ascontiguousarray(data).view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)


def _line(error: BaseException) -> int | None:
    """The submission's line that an exception, or what caused it, came from."""
    found = None
    seen: BaseException | None = error
    while seen is not None:
        for frame in traceback.extract_tb(seen.__traceback__):
            if frame.filename == FILE_NAME:
                found = frame.lineno
        seen = seen.__cause__ or seen.__context__
    return found


def _cause(error: BaseException, kind: type[BaseException]) -> Any:
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, kind):
        seen = seen.__cause__ or seen.__context__
    return seen


def answer(request: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Run one call."""
    launches = None
    try:
        launches = Launches(request, blobs)
        with np.errstate(all="ignore"):
            launches.run(request["steps"])
    except TooManyPrograms:
        return {"type": "too_many_programs", "limit": MAX_PROGRAMS}, []
    except Exception as error:
        fault, forbidden = _cause(error, Fault), _cause(error, Forbidden)
        if fault is not None:
            return {"type": "fault", "line": _line(error), **vars(fault)}, []
        if forbidden is not None:
            return {"type": "forbidden", "what": forbidden.what, "line": forbidden.line}, []
        program = launches.memory.program if launches else None
        root = error
        while root.__cause__ is not None:
            root = root.__cause__  # type: ignore[assignment]
        message = f"{type(root).__name__}: {root}"[:2000]
        return {"type": "raised", "message": message, "line": _line(error), "program": program}, []
    pairs = [launches.result(one) for one in request["results"]]
    return {"type": "ran"}, [part for pair in pairs for part in pair]


def main() -> None:
    """Serve one call a request until hung up on."""
    wire.write_answer({"type": "ready", "triton": triton.__version__})
    while (request := wire.read_request()) is not None:
        message, blobs = request
        said, parts = answer(message, blobs)
        wire.write_answer({**said, "call": message["call"]}, *parts)


if __name__ == "__main__":
    main()
