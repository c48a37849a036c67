"""Reads a plan that a recorder sent, field by field, and believes nothing of it.

The JSON object, with names as in the classes below::

    {"format": 1, "target": "sm_90",
     "buffers": [{"name": "BUF0", "n_bytes": 4096}],
     "cubins": [0],                                   # blob numbers, in the order of `kernels`
     "kernels": [{"name": "softmax", "threads": 128, "dynamic_shared_bytes": 0,
                  "cluster": 1, "cooperative": false, "programmatic_launch": false}],
     "steps": [{"fill": {"buffer": "BUF0", "offset_bytes": 0, "n_bytes": 4096, "pattern": "00"}},
               {"copy": {"to": ["BUF0", 0], "from": ["IN0", 0], "n_bytes": 4096}},
               {"launch": {"kernel": 0, "grid": [32, 1, 1], "arguments": [
                   {"buffer": "IN0", "offset_bytes": 0}, {"type": "i32", "value": 1024},
                   {"null": 0}, {"tensor_map": {...}}]}},
               {"alternatives": [[...], [...]]}],     # of @triton.autotune: steps in each
     "results": [{"buffer": "BUF0", "offset_bytes": 0, "shape": [32, 32], "strides": [32, 1],
                  "dtype": "fp16"}]}

`IN0`, `IN1`, ... are the tensors that the trusted side gave, in the order of the arguments; they
are not listed again. All other buffers hold anything at the start (the executor poisons them).
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graders.kernel.cubin import Cubin, CubinError, read_cubin
from graders.kernel.plan import (
    DTYPE_BYTES,
    TARGETS,
    Alternatives,
    Argument,
    Buffer,
    Copy,
    Fill,
    Kernel,
    Launch,
    NullPointer,
    PlainStep,
    Plan,
    Pointer,
    Result,
    Scalar,
    Step,
    Target,
    TensorMap,
    argument_bytes,
)
from graders.text import Text, say

FORMAT = 1
MAX_BUFFERS = 64
MAX_KERNELS = 64
MAX_STEPS = 256  # of all alternatives together
MAX_ALTERNATIVES = 16
MAX_ARGUMENTS = 128
MAX_DIMENSIONS = 8
MAX_ALL_CUBIN_BYTES = 48 << 20
MAX_ALLOCATED_BYTES = 64 << 30

_SCALARS = {
    "i8": "<b", "u8": "<B", "i16": "<h", "u16": "<H", "i32": "<i", "u32": "<I", "i64": "<q",
    "u64": "<Q", "fp16": "<e", "fp32": "<f", "fp64": "<d",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,254}")
_BUFFER_NAME = re.compile(r"BUF(0|[1-9][0-9]{0,2})")


class PlanError(ValueError):
    """A plan breaks a rule; `text` says rule and fact to the candidate."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


def read_plan(message: object, blobs: Sequence[bytes], inputs: Mapping[str, int]) -> Plan:
    """Make a plan of what a recorder said.

    Parameters
    ----------
    message : object
        The JSON object, as `json.loads` gives it.
    blobs : sequence of bytes
        The cubins.
    inputs : mapping of name to bytes
        Size of each tensor that the trusted side gave, ``IN0`` first.

    Raises
    ------
    PlanError
        If any rule is broken.
    """
    plan = _fields(
        message,
        "plan",
        ("format", "target", "buffers", "cubins", "kernels", "steps", "results"),
    )
    if plan["format"] != FORMAT or type(plan["format"]) is not int:
        raise _wrong("format", str(FORMAT), plan["format"])
    if not isinstance(plan["target"], str) or plan["target"] not in TARGETS:
        raise _wrong("target", ", ".join(TARGETS), plan["target"])
    target = TARGETS[plan["target"]]
    buffers = [Buffer(name, n_bytes, is_input=True) for name, n_bytes in inputs.items()]
    buffers += _buffers(plan["buffers"])
    sizes = {buffer.name: buffer.n_bytes for buffer in buffers}
    kernels = _kernels(plan["kernels"], plan["cubins"], blobs, target)
    reader = _Steps(sizes, kernels, target)
    steps = reader.steps(plan["steps"])
    results = tuple(
        _result(one, sizes, f"results[{i}]")
        for i, one in enumerate(_list(plan["results"], "results", 16))
    )
    return Plan(target, tuple(buffers), kernels, steps, results)


def _buffers(value: object) -> list[Buffer]:
    found: list[Buffer] = []
    for i, one in enumerate(_list(value, "buffers", MAX_BUFFERS)):
        where = f"buffers[{i}]"
        fields = _fields(one, where, ("name", "n_bytes"))
        name = fields["name"]
        if not isinstance(name, str) or not _BUFFER_NAME.fullmatch(name):
            raise _wrong(f"{where}.name", "BUF0, BUF1, ...", name)
        if any(buffer.name == name for buffer in found):
            raise _wrong(f"{where}.name", "a name of its own", name)
        n_bytes = _int(fields["n_bytes"], f"{where}.n_bytes", 0, MAX_ALLOCATED_BYTES)
        found.append(Buffer(name, n_bytes, is_input=False))
    if sum(buffer.n_bytes for buffer in found) > MAX_ALLOCATED_BYTES:
        raise PlanError(
            say(
                "a submission may allocate {limit_gib} GiB in one call, this one allocates "
                "{n_bytes} bytes; reuse buffers",
                limit_gib=MAX_ALLOCATED_BYTES >> 30,
                n_bytes=sum(buffer.n_bytes for buffer in found),
            )
        )
    return found


def _kernels(
    value: object, cubin_numbers: object, blobs: Sequence[bytes], target: Target
) -> tuple[Kernel, ...]:
    kernels = _list(value, "kernels", MAX_KERNELS)
    numbers = _list(cubin_numbers, "cubins", MAX_KERNELS)
    if len(numbers) != len(kernels):
        raise _wrong("cubins", f"{len(kernels)} numbers, one for each kernel", len(numbers))
    if sum(map(len, blobs)) > MAX_ALL_CUBIN_BYTES:
        raise _wrong("cubins", f"{MAX_ALL_CUBIN_BYTES} bytes in all", sum(map(len, blobs)))
    read: dict[int, Cubin] = {}
    made = []
    for i, (one, number) in enumerate(zip(kernels, numbers, strict=True)):
        where = f"kernels[{i}]"
        blob = _int(number, f"cubins[{i}]", 0, len(blobs) - 1)
        try:
            if blob not in read:
                read[blob] = read_cubin(blobs[blob])
        except CubinError as error:
            raise PlanError(error.text) from error
        made.append(_kernel(one, where, read[blob], blobs[blob], target))
    return tuple(made)


def _kernel(value: object, where: str, cubin: Cubin, data: bytes, target: Target) -> Kernel:
    names = ("name", "threads", "dynamic_shared_bytes", "cluster", "cooperative")
    fields = _fields(value, where, (*names, "programmatic_launch"))
    name = fields["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name not in cubin.functions:
        raise _wrong(f"{where}.name", "a kernel of its cubin", name)
    if cubin.architecture != target.architecture:
        raise _wrong(f"{where}: its cubin", target.name, f"sm_{cubin.architecture}")
    function = cubin.functions[name]
    threads = _triple(fields["threads"], f"{where}.threads", (1024, 1024, 64))
    if math.prod(threads) > target.threads_per_block:
        raise PlanError(
            say(
                "a block may have {limit} threads on {target}, kernel {kernel} asks for {threads}",
                limit=target.threads_per_block,
                target=target.name,
                kernel=name,
                threads=math.prod(threads),
            )
        )
    if function.registers * math.prod(threads) > target.registers_per_multiprocessor:
        raise PlanError(
            say(
                "a block may use {limit} registers on {target}, kernel {kernel} needs {registers} "
                "in each of {threads} threads; use fewer warps or smaller tiles",
                limit=target.registers_per_multiprocessor,
                target=target.name,
                kernel=name,
                registers=function.registers,
                threads=math.prod(threads),
            )
        )
    shared = _int(fields["dynamic_shared_bytes"], f"{where}.dynamic_shared_bytes", 0, 1 << 30)
    if shared + function.static_shared_bytes > target.shared_bytes_per_block:
        raise PlanError(
            say(
                "a block may use {limit} bytes of shared memory on {target}, kernel {kernel} needs "
                "{n_bytes}; use smaller tiles or fewer stages",
                limit=target.shared_bytes_per_block,
                target=target.name,
                kernel=name,
                n_bytes=shared + function.static_shared_bytes,
            )
        )
    return Kernel(
        name=name,
        cubin=data,
        threads=threads,
        dynamic_shared_bytes=shared,
        static_shared_bytes=function.static_shared_bytes,
        cluster=_int(fields["cluster"], f"{where}.cluster", 1, target.cluster),
        cooperative=_bool(fields["cooperative"], f"{where}.cooperative"),
        programmatic_launch=_bool(fields["programmatic_launch"], f"{where}.programmatic_launch"),
        registers=function.registers,
        local_bytes=function.local_bytes,
        parameters=function.parameters,
        parameter_bytes=function.parameter_bytes,
    )


class _Steps:
    """Reads steps; counts them over all alternatives."""

    def __init__(
        self, sizes: Mapping[str, int], kernels: tuple[Kernel, ...], target: Target
    ) -> None:
        self._sizes, self._kernels, self._target = sizes, kernels, target
        self._left = MAX_STEPS

    def steps(self, value: object) -> tuple[Step, ...]:
        found: list[Step] = []
        for i, one in enumerate(_list(value, "steps", MAX_STEPS)):
            where = f"steps[{i}]"
            if isinstance(one, dict) and one.keys() == {"alternatives"}:
                choices = _list(one["alternatives"], f"{where}.alternatives", MAX_ALTERNATIVES)
                if not choices:
                    raise _wrong(f"{where}.alternatives", "at least one", 0)
                found.append(
                    Alternatives(
                        tuple(
                            tuple(
                                self._plain(step, f"{where}.alternatives[{j}][{k}]")
                                for k, step in enumerate(_list(choice, where, MAX_STEPS))
                            )
                            for j, choice in enumerate(choices)
                        )
                    )
                )
            else:
                found.append(self._plain(one, where))
        return tuple(found)

    def _plain(self, value: object, where: str) -> PlainStep:
        self._left -= 1
        if self._left < 0:
            raise PlanError(
                say("a call may have {limit} steps, this one has more", limit=MAX_STEPS)
            )
        kinds: dict[str, Callable[[object, str], PlainStep]] = {
            "launch": self._launch,
            "fill": self._fill,
            "copy": self._copy,
        }
        if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in kinds:
            raise _wrong(where, "launch, fill or copy", value)
        ((kind, inside),) = value.items()
        return kinds[kind](inside, f"{where}.{kind}")

    def _launch(self, value: object, where: str) -> Launch:
        fields = _fields(value, where, ("kernel", "grid", "arguments"))
        number = _int(fields["kernel"], f"{where}.kernel", 0, len(self._kernels) - 1)
        kernel = self._kernels[number]
        grid = _triple(fields["grid"], f"{where}.grid", self._target.grid)
        if grid[0] % kernel.cluster:
            raise _wrong(f"{where}.grid[0]", f"a multiple of {kernel.cluster}", grid[0])
        arguments = tuple(
            self._argument(one, f"{where}.arguments[{i}]")
            for i, one in enumerate(_list(fields["arguments"], f"{where}.arguments", MAX_ARGUMENTS))
        )
        given = [argument_bytes(one) for one in arguments]
        wanted = [size for _, size in kernel.parameters]
        if given != wanted:
            raise PlanError(
                say(
                    "the arguments of a launch must fill its kernel's parameters: those of "
                    "{kernel} have {wanted} bytes, the arguments {given}; pass what its signature "
                    "says, with the types of its signature",
                    kernel=kernel.name,
                    wanted=", ".join(map(str, wanted)),
                    given=", ".join(map(str, given)),
                )
            )
        return Launch(number, grid, arguments)

    def _argument(self, value: object, where: str) -> Argument:
        if isinstance(value, dict) and value.keys() == {"buffer", "offset_bytes"}:
            return self._pointer(value["buffer"], value["offset_bytes"], where)
        if isinstance(value, dict) and value.keys() == {"type", "value"}:
            return _scalar(value["type"], value["value"], where)
        if isinstance(value, dict) and value.keys() == {"null"}:
            return NullPointer()
        if isinstance(value, dict) and value.keys() == {"tensor_map"}:
            return self._tensor_map(value["tensor_map"], where)
        raise _wrong(where, "a buffer, a number, null or a tensor map", value)

    def _tensor_map(self, value: object, where: str) -> TensorMap:
        names = ("buffer", "offset_bytes", "element_type", "element_bytes", "swizzle")
        fields = _fields(value, where, (*names, "shape", "strides", "block", "fill_nan"))
        shape = _ints(fields["shape"], f"{where}.shape", 1, 2**32, 5)
        strides = _ints(fields["strides"], f"{where}.strides", 1, 2**40, 5)
        block = _ints(fields["block"], f"{where}.block", 1, 256, 5)
        if not shape or not len(shape) == len(strides) == len(block) or strides[-1] != 1:
            raise _wrong(where, "shape, strides and block of one rank, with last stride 1", shape)
        element_bytes = _int(fields["element_bytes"], f"{where}.element_bytes", 1, 8)
        last = sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        base = self._range(
            fields["buffer"], fields["offset_bytes"], (last + 1) * element_bytes, where
        )
        return TensorMap(
            base=base,
            element_type=_int(fields["element_type"], f"{where}.element_type", 0, 15),
            element_bytes=element_bytes,
            swizzle=_int(fields["swizzle"], f"{where}.swizzle", 0, 6),
            shape=shape,
            strides=strides,
            block=block,
            fill_nan=_bool(fields["fill_nan"], f"{where}.fill_nan"),
        )

    def _fill(self, value: object, where: str) -> Fill:
        fields = _fields(value, where, ("buffer", "offset_bytes", "n_bytes", "pattern"))
        n_bytes = _int(fields["n_bytes"], f"{where}.n_bytes", 0, MAX_ALLOCATED_BYTES)
        pattern = fields["pattern"]
        if not isinstance(pattern, str) or not re.fullmatch(
            r"(?:[0-9a-f]{2}){1,2}|[0-9a-f]{8}|[0-9a-f]{16}", pattern
        ):
            raise _wrong(f"{where}.pattern", "1, 2, 4 or 8 bytes in hexadecimal", pattern)
        at = self._range(fields["buffer"], fields["offset_bytes"], n_bytes, where)
        size = len(pattern) // 2
        if n_bytes % size or at.offset_bytes % size:
            raise _wrong(f"{where}.n_bytes", f"a multiple of {size}", n_bytes)
        return Fill(at, n_bytes, bytes.fromhex(pattern))

    def _copy(self, value: object, where: str) -> Copy:
        fields = _fields(value, where, ("to", "from", "n_bytes"))
        n_bytes = _int(fields["n_bytes"], f"{where}.n_bytes", 0, MAX_ALLOCATED_BYTES)
        ends = []
        for name in ("to", "from"):
            pair = _list(fields[name], f"{where}.{name}", 2)
            if len(pair) != 2:
                raise _wrong(f"{where}.{name}", "a buffer and an offset", pair)
            ends.append(self._range(pair[0], pair[1], n_bytes, f"{where}.{name}"))
        to, source = ends
        if to.buffer == source.buffer and abs(to.offset_bytes - source.offset_bytes) < n_bytes:
            raise _wrong(where, "two ranges that do not overlap", to.buffer)
        return Copy(to, source, n_bytes)

    def _pointer(self, buffer: object, offset_bytes: object, where: str) -> Pointer:
        at = self._range(buffer, offset_bytes, 0, where)
        size = self._sizes[at.buffer]
        if at.offset_bytes >= max(size, 1):
            raise _wrong(f"{where}.offset_bytes", f"less than {size}", at.offset_bytes)
        return at

    def _range(self, buffer: object, offset_bytes: object, n_bytes: int, where: str) -> Pointer:
        return _range(self._sizes, buffer, offset_bytes, n_bytes, where)


def _range(
    sizes: Mapping[str, int], buffer: object, offset_bytes: object, n_bytes: int, where: str
) -> Pointer:
    if not isinstance(buffer, str) or buffer not in sizes:
        raise _wrong(f"{where}: its buffer", "one of " + ", ".join(sizes), buffer)
    size = sizes[buffer]
    offset = _int(offset_bytes, f"{where}: its offset in bytes", 0, size)
    if offset + n_bytes > size:
        raise PlanError(
            say(
                "{where} must lie inside its buffer: it ends at byte {end} of {buffer}, which has "
                "{size}",
                where=where,
                end=offset + n_bytes,
                buffer=buffer,
                size=size,
            )
        )
    return Pointer(buffer, offset)


def _result(value: object, sizes: Mapping[str, int], where: str) -> Result:
    fields = _fields(value, where, ("buffer", "offset_bytes", "shape", "strides", "dtype"))
    dtype = fields["dtype"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        raise _wrong(f"{where}.dtype", ", ".join(DTYPE_BYTES), dtype)
    shape = _ints(fields["shape"], f"{where}.shape", 0, 2**40, MAX_DIMENSIONS)
    strides = _ints(fields["strides"], f"{where}.strides", 0, 2**40, MAX_DIMENSIONS)
    if len(shape) != len(strides):
        raise _wrong(f"{where}.strides", f"{len(shape)} numbers", len(strides))
    result = Result(Pointer("", 0), shape, strides, dtype)
    at = _range(sizes, fields["buffer"], fields["offset_bytes"], result.extent_bytes, where)
    return Result(at, shape, strides, dtype)


def _scalar(dtype: object, value: object, where: str) -> Scalar:
    if not isinstance(dtype, str) or dtype not in _SCALARS:
        raise _wrong(f"{where}.type", ", ".join(_SCALARS), dtype)
    code = _SCALARS[dtype]
    if dtype.startswith("fp"):
        if isinstance(value, str) and value in ("inf", "-inf", "nan"):  # JSON has no such numbers
            value = float(value)
        if type(value) not in (int, float):
            raise _wrong(f"{where}.value", "a number", value)
    elif type(value) is not int:
        raise _wrong(f"{where}.value", "a whole number", value)
    try:
        return Scalar(dtype, value, struct.pack(code, value))  # type: ignore[arg-type]
    except (struct.error, OverflowError):
        raise _wrong(f"{where}.value", f"a number that fits {dtype}", value) from None


def _wrong(where: str, rule: str, got: object) -> PlanError:
    return PlanError(
        say("{where} must be {rule}, got {got}", where=where, rule=rule, got=repr(got)[:80])
    )


def _fields(value: object, where: str, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != set(names):
        got = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
        raise _wrong(where, "an object with " + ", ".join(names), got)
    return value


def _list(value: object, where: str, limit: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > limit:
        got = len(value) if isinstance(value, list) else type(value).__name__
        raise _wrong(where, f"a list of at most {limit}", got)
    return value


def _int(value: object, where: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise _wrong(where, f"a whole number from {least} to {most}", value)
    return value


def _ints(value: object, where: str, least: int, most: int, count: int) -> tuple[int, ...]:
    return tuple(
        _int(one, f"{where}[{i}]", least, most) for i, one in enumerate(_list(value, where, count))
    )


def _triple(value: object, where: str, limits: tuple[int, int, int]) -> tuple[int, int, int]:
    numbers = _list(value, where, 3)
    if len(numbers) != 3:
        raise _wrong(where, "three numbers", numbers)
    x, y, z = (
        _int(one, f"{where}[{i}]", 1, limit)
        for i, (one, limit) in enumerate(zip(numbers, limits, strict=True))
    )
    return x, y, z


def _bool(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, "true or false", value)
    return value
