"""Records Triton launches: arguments by name, the kernel's source, and on demand its cubin.

`JITFunction.run` and `Autotuner.run` of Triton are replaced; everything round them (binding,
specialisation, heuristics, the compiler itself) is Triton's own, so that what is compiled here is
what a GPU machine would have compiled. Tried with Triton 3.9.
"""

from __future__ import annotations

import hashlib
import math
import types
from typing import Any

import torch
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.runtime.autotuner import Autotuner
from triton.runtime.errors import OutOfResources
from triton.runtime.jit import JITCallable, JITFunction
from triton.tools.tensor_descriptor import TensorDescriptor

from graders.harness.kernel_recording import Recording, candidate_line, current

MAX_CONFIGURATIONS = 16
MAX_FUNCTIONS = 64
_MAP_TYPES = {8: 10, 9: 8, 10: 9}  # Triton's numbers of element types to the driver's
_TF32_MAP_TYPE = 11


class Functions:
    """Sources of the jit functions that launches used, each once, callees included."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self.found: list[dict[str, Any]] = []
        self._alive: list[Any] = []

    def number(self, function: Any) -> int:
        """The number of a function and, on its first mention, a note of its source."""
        if id(function) in self._numbers:
            return self._numbers[id(function)]
        if len(self.found) >= MAX_FUNCTIONS:
            raise current().refuse("too_many_functions", limit=MAX_FUNCTIONS)
        number = self._numbers[id(function)] = len(self.found)
        self._alive.append(function)
        note: dict[str, Any] = {
            "name": function.__name__,
            "source": function.src,
            "line": function.def_file_line_number,
            "names": {},
        }
        self.found.append(note)
        scope = function.get_capture_scope()
        for name in sorted(_free_names(function.fn.__code__)):
            if name in scope:
                note["names"][name] = self.value(scope[name], name)
        return number

    def value(self, value: Any, name: str) -> Any:
        """What a name in a kernel stands for, in JSON; the counterpart is in `kernel_interpret`."""
        if isinstance(value, tl.constexpr):
            return self.value(value.value, name)
        if value is None or isinstance(value, bool | int | str):
            return {"plain": value}
        if isinstance(value, float):
            return {"float": value.hex()}
        if isinstance(value, JITCallable):
            return {"function": self.number(value)}
        if isinstance(value, tl.dtype) and not isinstance(value, tl.pointer_type | tl.block_type):
            return {"dtype": value.name}
        if isinstance(value, tuple | list):
            return {"tuple": [self.value(one, name) for one in value]}
        if isinstance(value, types.ModuleType):
            return {"module": value.__name__}
        module = getattr(value, "__module__", None)
        if isinstance(module, str) and module.split(".")[0] == "triton":
            return {"from": [module, getattr(value, "__name__", name)]}
        raise current().refuse("kernel_name", name=name, got=type(value).__name__)


def _free_names(code: types.CodeType) -> set[str]:
    found = {*code.co_names, *code.co_freevars}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _free_names(constant)
    return found


class _Utilities:
    """What Triton asks of a driver beside launching."""

    def __init__(self, target: dict[str, Any]) -> None:
        self._properties = {
            "max_shared_mem": target["shared_bytes_per_block"],
            "max_num_regs": 65536,
            "multiprocessor_count": target["multiprocessors"],
            "warpSize": 32,
            "sm_clock_rate": 0,
            "mem_clock_rate": 0,
            "mem_bus_width": 0,
        }

    def get_device_properties(self, device: int) -> dict[str, int]:
        return self._properties

    def unload_module(self, module: Any) -> None:
        return None


class StubDriver:
    """A driver for a chip that is not there."""

    def __init__(self, target: dict[str, Any]) -> None:
        major, minor = target["capability"]
        self.utils = _Utilities(target)
        self._target = GPUTarget("cuda", major * 10 + minor, 32)

    def get_current_target(self) -> GPUTarget:
        return self._target

    def get_current_device(self) -> int:
        return 0

    def set_current_device(self, device: int) -> None:
        return None

    def get_current_stream(self, device: int | None = None) -> int:
        return 0

    def get_device_capability(self, device: int | None = None) -> tuple[int, int]:
        major, minor = divmod(int(self._target.arch), 10)
        return major, minor

    def get_active_torch_device(self) -> torch.device:
        return torch.device("cuda", 0)

    def get_device_interface(self) -> Any:
        return torch.cuda


class TritonRecorder:
    """Stands in for Triton's launches. `compiles`: make a cubin for each, or only note the call."""

    def __init__(self, target: dict[str, Any]) -> None:
        self.target = target
        self.begin(compiles=False)

    def begin(self, *, compiles: bool) -> None:
        """Forget the last call's kernels; Triton's own cache of them stays."""
        self.compiles = compiles
        self.functions = Functions()
        self.blobs: dict[str, bytes] = {}  # cubins by digest
        self.kernels: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}

    def install(self) -> None:
        """Replace Triton's driver and the two `run` methods."""
        recorder = self

        def launch(self: Any, *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> None:
            if not warmup:
                recorder.launch(self, args, grid, kwargs)

        def tune(self: Any, *args: Any, **kwargs: Any) -> None:
            recorder.tune(self, args, kwargs)

        triton.runtime.driver.set_active(StubDriver(self.target))
        JITFunction.run = launch
        Autotuner.run = tune

    def launch(self, function: Any, args: tuple[Any, ...], grid: Any, kwargs: Any) -> None:
        """Note one launch; with `compiles`, compile it too."""
        recording = current()
        line = candidate_line()
        for hook in function.pre_run_hooks:
            hook(*args, **kwargs)
        with torch._C.DisableTorchFunction():
            options = {
                **kwargs,
                "debug": False,
                "instrumentation_mode": "",
                "fpsan_homomorphic_casts": False,
            }
            *_, backend, binder = function.device_caches[0]
            bound, specialization, options = binder(*args, **options)
            parsed, signature, constexprs, attributes = function._pack_args(
                backend, options, bound, specialization, options
            )
        if callable(grid):
            grid = grid(bound)
        blocks = _grid(recording, grid)
        with torch._C.DisableTorchFunction():
            step: dict[str, Any] = {
                "function": self.functions.number(function),
                "grid": blocks,
                "line": line,
                "named": {
                    name: self._named(recording, name, value, signature[name])
                    for name, value in bound.items()
                },
            }
            if math.prod(blocks) == 0:
                return
            if self.compiles:
                # In the arguments' order: a kernel for one that 16 divides is wrong for another.
                key = str(list(specialization)) + str(parsed)
                kernel = self._compile(
                    function, key, signature, parsed, constexprs, attributes, line
                )
                step.update(self._launch(recording, kernel, bound, signature, blocks))
        recording.steps.append({"launch": step})

    def tune(self, tuner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note every configuration of an autotuned call as one of its alternatives."""
        recording = current()
        tuner.nargs = dict(zip(tuner.arg_names, args, strict=False))
        configurations = tuner.prune_configs(kwargs)
        if len(configurations) > MAX_CONFIGURATIONS:
            raise recording.refuse(
                "too_many_configurations", limit=MAX_CONFIGURATIONS, got=len(configurations)
            )
        choices = []
        wanted = configurations if self.compiles else configurations[:1]
        for configuration in wanted:
            both = {**kwargs, **configuration.all_kwargs()}
            with recording.apart() as steps:
                named = {**tuner.nargs, **both}
                if configuration.pre_hook is not None:
                    configuration.pre_hook(named)
                for name in tuner.reset_to_zero:
                    named[name].zero_()
                try:
                    tuner.fn.run(*args, **both)
                except OutOfResources:
                    continue  # Triton's tuner passes over such a configuration too
            choices.append({"steps": steps, "configuration": str(configuration)})
        tuner.nargs = None
        if not choices:
            raise recording.refuse("no_configuration_fits")
        tuner.best_config = configurations[0]
        recording.steps.append({"alternatives": choices})

    def _named(self, recording: Recording, name: str, value: Any, kind: Any) -> Any:
        """An argument by name, for the interpreter."""
        if kind == "constexpr":
            return {"constexpr": self.functions.value(value, name)}
        if isinstance(value, torch.Tensor):
            buffer, offset = self._pointer(recording, name, value)
            return {"buffer": buffer, "offset_bytes": offset, "type": kind}
        if isinstance(value, TensorDescriptor):
            buffer, offset = self._pointer(recording, name, value.base)
            return {
                "descriptor": {
                    "buffer": buffer,
                    "offset_bytes": offset,
                    "type": "*" + kind.split("<")[1].split("[")[0],
                    "shape": list(value.shape),
                    "strides": list(value.strides),
                    "block": list(value.block_shape),
                    "fill_nan": value.padding == "nan",
                }
            }
        if isinstance(value, tuple | list):
            return {
                "tuple": [
                    self._named(recording, f"{name}[{i}]", one, inner)
                    for i, (one, inner) in enumerate(zip(value, kind, strict=True))
                ]
            }
        return {"value": self.functions.value(value, name), "type": kind}

    def _pointer(self, recording: Recording, name: str, tensor: Any) -> tuple[str, int]:
        found = recording.find(tensor)
        if found is None:
            raise recording.refuse("host_argument", name=name)
        return found

    def _compile(
        self,
        function: Any,
        key: str,
        signature: Any,
        options: Any,
        constexprs: Any,
        attributes: Any,
        line: int | None,
    ) -> Any:
        kernel_cache = function.device_caches[0][0]
        if key not in kernel_cache:
            compiled = function._do_compile(
                key, signature, 0, constexprs, options, attributes, True
            )
            kernel_cache[key] = compiled
        kernel = kernel_cache[key]
        limit = self.target["shared_bytes_per_block"]
        if kernel.metadata.shared > limit:
            raise OutOfResources(kernel.metadata.shared, limit, "shared memory")
        return kernel

    def _launch(
        self, recording: Recording, kernel: Any, bound: Any, signature: Any, blocks: list[int]
    ) -> dict[str, Any]:
        """The launch as the plan has it."""
        metadata = kernel.metadata
        arguments: list[Any] = []
        maps = list(metadata.tensordesc_meta or [])
        for name, value in bound.items():
            self._flatten(recording, name, value, signature[name], maps, arguments)
        programs = math.prod(blocks) * metadata.num_ctas
        for size in (metadata.global_scratch_size, metadata.profile_scratch_size):
            if size:
                scratch = recording.new_buffer(size * programs)
                arguments.append({"buffer": scratch, "offset_bytes": 0})
            else:
                arguments.append({"null": 0})
        return {
            "kernel": self._number(kernel),
            "blocks": [blocks[0] * metadata.num_ctas, *blocks[1:]],
            "arguments": arguments,
        }

    def _flatten(
        self,
        recording: Recording,
        name: str,
        value: Any,
        kind: Any,
        maps: list[Any],
        arguments: list[Any],
    ) -> None:
        if kind == "constexpr":
            return
        if isinstance(kind, tuple):
            for i, (one, inner) in enumerate(zip(value, kind, strict=True)):
                self._flatten(recording, f"{name}[{i}]", one, inner, maps, arguments)
        elif kind.startswith("tensordesc"):
            self._flatten_descriptor(recording, name, value, maps, arguments)
        elif kind.startswith("*"):
            buffer, offset = self._pointer(recording, name, value)
            arguments.append({"buffer": buffer, "offset_bytes": offset})
        else:
            arguments.append(_scalar(kind, value))

    def _flatten_descriptor(
        self, recording: Recording, name: str, value: Any, maps: list[Any], arguments: list[Any]
    ) -> None:
        buffer, offset = self._pointer(recording, name, value.base)
        sizes = [{"type": "i64", "value": one} for one in (*value.shape, *value.strides)]
        if maps:
            meta = maps.pop(0)
            rounds = value.round_f32_to_tf32
            kind = meta["elem_type"]
            arguments.append(
                {
                    "tensor_map": {
                        "buffer": buffer,
                        "offset_bytes": offset,
                        "element_type": _TF32_MAP_TYPE if rounds else _MAP_TYPES.get(kind, kind),
                        "element_bytes": meta["elem_size"],
                        "swizzle": meta["swizzle"],
                        "shape": list(value.shape),
                        "strides": list(value.strides),
                        "block": list(meta["block_size"]),
                        "fill_nan": value.padding == "nan",
                    }
                }
            )
        else:
            arguments.append({"buffer": buffer, "offset_bytes": offset})
            arguments.extend(sizes)
            arguments.append({"type": "i8", "value": int(value.padding == "nan")})
            arguments.append({"type": "i8", "value": int(value.round_f32_to_tf32)})
        rank = len(value.shape)
        arguments.extend({"type": "i32", "value": one["value"]} for one in sizes[:rank])
        arguments.extend(sizes[rank:])

    def _number(self, kernel: Any) -> int:
        metadata = kernel.metadata
        return self.add_kernel(
            {
                "name": metadata.name,
                "threads": [metadata.num_warps * metadata.warp_size, 1, 1],
                "dynamic_shared_bytes": metadata.shared,
                "cluster": metadata.num_ctas,
                "cooperative": bool(metadata.launch_cooperative_grid),
                "programmatic_launch": bool(metadata.launch_pdl),
            },
            bytes(kernel.asm["cubin"]),
            kernel.asm["ptx"],
        )

    def add_kernel(self, note: dict[str, Any], cubin: bytes, ptx: str) -> int:
        """The number of a kernel among the plan's; the same one again for the same."""
        digest = hashlib.sha256(cubin).hexdigest()
        key = f"{digest} {note}"
        if key not in self._numbers:
            self._numbers[key] = len(self.kernels)
            self.blobs[digest] = cubin
            self.kernels.append({"plan": note, "cubin": digest, "ptx": ptx})
        return self._numbers[key]


def _grid(recording: Recording, grid: Any) -> list[int]:
    numbers = list(grid) if isinstance(grid, tuple | list | torch.Size) else [grid]
    if not 1 <= len(numbers) <= 3 or not all(
        isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in numbers
    ):
        raise recording.refuse("grid", got=repr(grid)[:80])
    return [int(one) for one in numbers] + [1] * (3 - len(numbers))


def _scalar(kind: str, value: Any) -> dict[str, Any]:
    if kind in ("fp32", "f32", "fp64", "fp16", "bf16"):
        number = float(value)
        return {
            "type": "fp32" if kind == "f32" else kind,
            "value": number if math.isfinite(number) else str(number),
        }
    return {"type": {"i1": "i8", "u1": "u8"}.get(kind, kind), "value": int(value)}
