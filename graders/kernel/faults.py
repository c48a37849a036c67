"""What went wrong on the device, in sentences: the rule, the fact, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graders.kernel.operations.base import Call
from graders.text import Text, say, say_n
from graders.verdict import Verdict


def device_fault(code: str, limit_s: float) -> tuple[Verdict, Text]:
    """The verdict and the sentence for a fault, by the driver's name for it."""
    if code == "ENDLESS":
        return Verdict.TIME_LIMIT, say(
            "a call must end within {limit_s} s, and this one was still running. Look for a loop "
            "without an end, or a barrier that not all threads reach.",
            limit_s=limit_s,
        )
    if code == "CUDA_ERROR_OUT_OF_MEMORY":
        return Verdict.MEMORY_LIMIT, say(
            "the buffers of a call must fit the GPU's memory beside the inputs, and these do not. "
            "Allocate less scratch memory."
        )
    sentences = {
        "CUDA_ERROR_ILLEGAL_ADDRESS": say(
            "a kernel must stay inside its buffers, and one touched an address where nothing is. "
            "Mask the loads and stores of the last tiles, and look at the strides."
        ),
        "CUDA_ERROR_MISALIGNED_ADDRESS": say(
            "an access must be aligned to its own size, and one was not. Check that wide loads "
            "start where the strides allow them."
        ),
        "CUDA_ERROR_ILLEGAL_INSTRUCTION": say(
            "a kernel must use instructions that this GPU has, and one used another."
        ),
        "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES": say(
            "a block must fit a multiprocessor, and one asked for more registers or shared memory "
            "than there are. Use smaller tiles, fewer warps or fewer stages."
        ),
    }
    said = sentences.get(code) or say(
        "every kernel must end well, and one failed on the GPU with {code}.", code=code
    )
    return Verdict.RUNTIME_ERROR, said


def trespass(found: Sequence[Mapping[str, Any]], call: Call) -> Text | None:
    """The first guard band that was written to."""
    if not found:
        return None
    first = found[0]
    name = _said_name(str(first["buffer"]), call)
    n_bytes, distance = int(first["n_bytes"]), int(first["distance_bytes"])
    if first["before"]:
        return say_n(
            "a kernel must write inside its buffers only, and {count} byte before {buffer} was "
            "written, the nearest {distance} bytes before its start. Mask the stores.",
            "a kernel must write inside its buffers only, and {count} bytes before {buffer} were "
            "written, the nearest {distance} bytes before its start. Mask the stores.",
            count=n_bytes,
            buffer=name,
            distance=distance,
        )
    return say_n(
        "a kernel must write inside its buffers only, and {count} byte behind {buffer} was "
        "written, the nearest {distance} bytes past its end. Mask the stores.",
        "a kernel must write inside its buffers only, and {count} bytes behind {buffer} were "
        "written, the nearest {distance} bytes past its end. Mask the stores.",
        count=n_bytes,
        buffer=name,
        distance=distance,
    )


def changed_input(changed: Mapping[str, int], call: Call) -> Text | None:
    """An input that no longer holds what it held."""
    for name, count in changed.items():
        return say(
            "a call must leave its inputs as they are, and {n} words of {name} changed. Write to a "
            "tensor of your own.",
            n=count,
            name=_said_name(name, call),
        )
    return None


def not_repeatable(n_bytes: int) -> Text:
    """A note beside an accepted result that differs from run to run."""
    return say_n(
        "Two runs on the same inputs differ in {count} byte. Both are right, so the order of "
        "additions differs: atomic additions do that.",
        "Two runs on the same inputs differ in {count} bytes. Both are right, so the order of "
        "additions differs: atomic additions do that.",
        count=n_bytes,
    )


def _said_name(buffer: str, call: Call) -> str:
    """An input by its argument's name; the submission's own buffers have no other name."""
    number = buffer.removeprefix("IN")
    if number != buffer and number.isdecimal() and int(number) < len(call.tensors):
        return call.tensors[int(number)].name
    return buffer
