"""Lets host code for a GPU run without one: tensors on ``cuda`` that hold nothing.

Two modes of torch do it. `DeviceMode` sees every torch function before torch does: it turns
``device="cuda"`` into the CPU, where an empty tensor touches no memory, and answers ``is_cuda`` and
``device`` as a GPU machine would. `OperatorMode` sees what is left, the operators themselves: views
pass, allocations are named, fills and plain copies become steps, and whatever would compute on the
values of a device tensor is refused.

Tensors that the submission makes on the host are its own business, and every operator may use them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from graders.harness.kernel_recording import DTYPES, Recording, current

DEVICE = torch.device("cuda", 0)

_VIEWS = {
    "alias", "as_strided", "as_strided_", "chunk", "detach", "diagonal", "expand", "expand_as",
    "lift_fresh", "movedim", "narrow", "permute", "select", "slice", "split", "split_with_sizes",
    "squeeze", "squeeze_", "t", "t_", "transpose", "transpose_", "unbind", "unfold", "unsqueeze",
    "unsqueeze_", "view", "view_as_real", "_reshape_alias", "_unsafe_view",
}  # fmt: skip
_ALLOCATIONS = frozenset(
    ["empty", "empty_strided", "empty_like", "new_empty", "new_empty_strided", "empty_permuted"]
)
_FILLED: dict[str, Any] = {
    "zeros": 0,
    "zeros_like": 0,
    "new_zeros": 0,
    "ones": 1,
    "ones_like": 1,
    "new_ones": 1,
    "full": None,  # the value is an argument
    "full_like": None,
    "new_full": None,
}
_READS_VALUES = frozenset(["_local_scalar_dense", "equal", "is_nonzero", "nonzero", "item"])
_METHODS_THAT_READ = {
    "numpy", "tolist", "cpu", "__array__", "__repr__", "__format__", "__dlpack__",
}  # fmt: skip


_FROM_HOST = {"tensor", "as_tensor", "asarray", "scalar_tensor"}


class DeviceMode(TorchFunctionMode):
    """Host code sees ``cuda``; torch sees the CPU."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording = recording
        self.on_device = False  # what the operator mode allocates now belongs to the device

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name == "__get__":
            name = func.__self__.__name__
        known = [one for one in tree_leaves((args, kwargs)) if self._is_known(one)]
        subject = bool(args) and self._is_known(args[0])
        if subject and name in _ANSWERS:
            return _ANSWERS[name]
        if subject and name in _METHODS_THAT_READ:
            raise self.recording.refuse("value", operator=name)
        if name in ("cuda", "to") and args:
            return self._move(name, func, args, kwargs, subject)
        chosen = _device_of(kwargs.get("device"))
        if chosen == "cuda" and name in _FROM_HOST:
            raise self.recording.refuse("from_host")
        if chosen == "cuda":
            kwargs["device"] = torch.device("cpu")
        before, self.on_device = self.on_device, chosen == "cuda" or (not chosen and bool(known))
        try:
            return func(*args, **kwargs)
        finally:
            self.on_device = before

    def _is_known(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor) and self.recording.find(value) is not None

    def _move(
        self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], subject: bool
    ) -> Any:
        """``x.cuda()`` and ``x.to(...)``: nothing to do on the device, a copy from the host."""
        to_device = name == "cuda" or "cuda" in map(_device_of, (*args[1:], *kwargs.values()))
        to_host = "cpu" in map(_device_of, (*args[1:], *kwargs.values()))
        if to_device and not subject:
            raise self.recording.refuse("from_host")
        if to_host and subject:
            raise self.recording.refuse("value", operator="to")
        if name == "cuda":
            return args[0]
        rest = tuple(one for one in args[1:] if not _device_of(one))
        left = {key: one for key, one in kwargs.items() if key != "device"}
        return func(args[0], *rest, **left) if rest or left else args[0]


_ANSWERS = {"device": DEVICE, "is_cuda": True, "is_cpu": False, "get_device": 0}
# `get_device` is a method, whose call arrives here as well.


def _is_dense(tensor: Any) -> bool:
    """Its elements fill a piece of memory without a gap and without sharing a place."""
    expected = 1
    for step, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size != 1:
            if step != expected:
                return False
            expected *= size
    return True


def _device_of(value: Any) -> str:
    """``cuda``, ``cpu``, or empty for what names no device."""
    if isinstance(value, torch.device):
        return str(value.type)
    if isinstance(value, str) and value.split(":")[0] in ("cuda", "cpu"):
        return value.split(":")[0]
    return ""


class OperatorMode(TorchDispatchMode):
    """What operators do to device tensors: views and allocations pass, the rest is noted."""

    def __init__(self, recording: Recording, device: DeviceMode) -> None:
        super().__init__()
        self.recording, self.device = recording, device

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # asking torch to skip it imports torch's compiler, which takes a second

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        touched = [one for one in tensors if self.recording.find(one) is not None]
        makes = name in _ALLOCATIONS or name in _FILLED
        if not touched and not (makes and self.device.on_device):
            if self.device.on_device and not tensors:
                raise self.recording.refuse("operator", operator=name)
            return func(*args, **kwargs)
        if makes and not self.device.on_device:
            return func(*args, **kwargs)
        if name in _VIEWS:
            return func(*args, **kwargs)
        if name in _ALLOCATIONS:
            made = func(*args, **kwargs)
            self.recording.add_buffer(made.untyped_storage())
            return made
        if name in _FILLED:
            return self._filled(name, args, kwargs)
        if name in ("zero_", "fill_"):
            self._fill(args[0], 0 if name == "zero_" else args[1])
            return args[0]
        if name == "clone":
            return self._clone(args[0], kwargs.get("memory_format"))
        if name == "copy_":
            self._copy(args[0], args[1])
            return args[0]
        if name in _READS_VALUES:
            raise self.recording.refuse("value", operator=name)
        raise self.recording.refuse("operator", operator=name)

    def _filled(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value = _FILLED[name]
        given = list(args)
        if value is None:
            at = 2 if name == "new_full" else 1
            value = given.pop(at) if len(given) > at else kwargs.pop("fill_value")
            if kwargs.get("dtype") is None and name == "full":
                kwargs["dtype"] = torch.full((), value).dtype
        make: Callable[..., Any] = {
            "zeros": torch.empty, "ones": torch.empty, "full": torch.empty,
            "zeros_like": torch.empty_like, "ones_like": torch.empty_like,
            "full_like": torch.empty_like,
        }.get(name) or given.pop(0).new_empty  # fmt: skip
        kwargs = {key: one for key, one in kwargs.items() if key != "device"}
        made = make(*given, **kwargs)
        self.recording.add_buffer(made.untyped_storage())
        self._fill(made, value)
        return made

    def _fill(self, tensor: Any, value: Any) -> None:
        if isinstance(value, torch.Tensor):
            if self.recording.find(value) is not None:
                raise self.recording.refuse("operator", operator="fill_")
            value = value.item()
        self._refuse_argument(tensor)
        if not _is_dense(tensor):
            raise self.recording.refuse("strided_fill")
        if tensor.numel() == 0:
            return
        word = torch.tensor([value], dtype=tensor.dtype).view(torch.uint8)
        buffer, offset_bytes = self._found(tensor)
        self.recording.steps.append(
            {
                "fill": {
                    "buffer": buffer,
                    "offset_bytes": offset_bytes,
                    "n_bytes": tensor.numel() * tensor.element_size(),
                    "pattern": bytes(word.tolist()).hex(),
                }
            }
        )

    def _clone(self, tensor: Any, memory_format: Any) -> Any:
        keeps = memory_format in (None, torch.preserve_format) or tensor.is_contiguous(
            memory_format=memory_format
        )
        if not keeps or not _is_dense(tensor):
            raise self.recording.refuse("layout")
        made = torch.empty_like(tensor)
        self.recording.add_buffer(made.untyped_storage())
        self._copy(made, tensor)
        return made

    def _copy(self, to: Any, source: Any) -> None:
        if self.recording.find(source) is None or self.recording.find(to) is None:
            raise self.recording.refuse("from_host")
        self._refuse_argument(to)
        alike = to.dtype == source.dtype and to.shape == source.shape
        dense = _is_dense(to) and to.stride() == source.stride()
        if not alike or not dense:
            raise self.recording.refuse("layout")
        if to.numel() == 0:
            return
        self.recording.steps.append(
            {
                "copy": {
                    "to": list(self._found(to)),
                    "from": list(self._found(source)),
                    "n_bytes": to.numel() * to.element_size(),
                }
            }
        )

    def _refuse_argument(self, tensor: Any) -> None:
        buffer, _ = self._found(tensor)
        if buffer.startswith("IN"):
            raise self.recording.refuse("argument_changed")

    def _found(self, tensor: Any) -> tuple[str, int]:
        found = self.recording.find(tensor)
        assert found is not None  # noqa: S101  the callers looked
        return found


@contextlib.contextmanager
def as_on_a_gpu(recording: Recording) -> Iterator[None]:
    """The block's torch code believes that it runs beside a GPU."""
    device = DeviceMode(recording)
    with torch.no_grad(), OperatorMode(recording, device), device:
        yield


def given_tensor(recording: Recording, spec: dict[str, Any]) -> Any:
    """A tensor argument as the trusted side describes it: storage, shape, strides, offset."""
    dtype = next(one for one, name in _torch_dtypes() if name == spec["dtype"])
    flat = torch.empty(spec["storage_elements"], dtype=dtype)
    recording.add_input(flat.untyped_storage())
    return flat.as_strided(spec["shape"], spec["strides"], spec["offset"])


def _torch_dtypes() -> list[tuple[torch.dtype, str]]:
    return [(getattr(torch, key.removeprefix("torch.")), name) for key, name in DTYPES.items()]


def result(recording: Recording, tensor: Any, where: str) -> dict[str, Any]:
    """A returned tensor as the plan has it.

    Raises
    ------
    Refusal
        If it is no tensor of the device.
    """
    if not isinstance(tensor, torch.Tensor):
        raise recording.refuse("not_a_tensor", where=where, got=type(tensor).__name__)
    found = recording.find(tensor)
    if found is None:
        raise recording.refuse("host_result", where=where)
    if str(tensor.dtype) not in DTYPES:
        raise recording.refuse("result_dtype", where=where, got=str(tensor.dtype))
    return {
        "buffer": found[0],
        "offset_bytes": found[1],
        "shape": list(tensor.shape),
        "strides": list(tensor.stride()),
        "dtype": DTYPES[str(tensor.dtype)],
    }


def pretend(target: dict[str, Any]) -> None:
    """Let ``torch.cuda`` answer for the target's chip.

    Parameters
    ----------
    target : dict
        ``name``, ``capability`` [major, minor], ``multiprocessors``, ``memory_bytes``,
        ``shared_bytes_per_block``.
    """
    properties = SimpleNamespace(
        name=target["name"],
        major=target["capability"][0],
        minor=target["capability"][1],
        multi_processor_count=target["multiprocessors"],
        total_memory=target["memory_bytes"],
        shared_memory_per_block_optin=target["shared_bytes_per_block"],
        warp_size=32,
        max_threads_per_multi_processor=2048,
        regs_per_multiprocessor=65536,
    )
    answers: dict[str, Any] = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "init": lambda: None,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": lambda device: None,
        "get_device_name": lambda device=None: target["name"],
        "get_device_capability": lambda device=None: tuple(target["capability"]),
        "get_device_properties": lambda device=None: properties,
        "synchronize": lambda device=None: None,
        "empty_cache": lambda: None,
        "device": _Device,
        "current_stream": lambda device=None: SimpleNamespace(cuda_stream=0, stream_id=0),
        "Stream": _no_stream,
        "Event": _no_stream,
        "CUDAGraph": _no_stream,
        "stream": _no_stream,
        "graph": _no_stream,
    }
    for name, answer in answers.items():
        setattr(torch.cuda, name, answer)


class _Device:
    """``with torch.cuda.device(x):`` where there is only one."""

    def __init__(self, device: Any) -> None:
        self.idx = 0

    def __enter__(self) -> None:
        return None

    def __exit__(self, *of: Any) -> None:
        return None


def _no_stream(*of: Any, **options: Any) -> Any:
    raise current().refuse("stream")
