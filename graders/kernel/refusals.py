"""Why a call cannot be recorded, in words: the rule, the fact, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graders.text import Text, say

_SHORT = 120


def refusal(code: str, details: Mapping[str, Any], line: int | None) -> Text:
    """The sentence for a code of `graders.harness.kernel_recording.Refusal`.

    Parameters
    ----------
    details : mapping
        What the recorder added; of the sandbox, so only cut to plain text.
    line : int, optional
        Of the submission.
    """

    def of(key: str) -> str:
        return str(details.get(key, "?"))[:_SHORT].replace("\0", "\ufffd")

    reason = _REASONS.get(code, _forged)(of)
    if line is None:
        return reason
    return say("line {line}: {reason}", line=line, reason=reason)


def _operator(of: Callable[[str], str]) -> Text:
    return say(
        "only kernels of yours may compute on the device: {operator} is an operator of torch. "
        "Write it into a kernel; views, torch.empty and torch.zeros are free",
        operator=of("operator"),
    )


def _value(of: Callable[[str], str]) -> Text:
    return say(
        "host code must not look at values of a device tensor: {operator} reads them, and the call "
        "is recorded before they exist. Decide by shapes, strides and types, or inside the kernel",
        operator=of("operator"),
    )


def _layout(of: Callable[[str], str]) -> Text:
    return say(
        "host code may copy only what has the same type and the same dense layout: this copy "
        "changes one of them. Pass the strides to the kernel instead of calling contiguous()"
    )


def _strided_fill(of: Callable[[str], str]) -> Text:
    return say(
        "host code may fill only a tensor without gaps: this one is a view with gaps. Fill the "
        "whole buffer, or let a kernel do it"
    )


def _argument_changed(of: Callable[[str], str]) -> Text:
    return say(
        "host code must not change an argument: this fills or overwrites one. Allocate a tensor of "
        "your own"
    )


def _from_host(of: Callable[[str], str]) -> Text:
    return say(
        "nothing may be copied from the host to the device: pass numbers as arguments of the "
        "kernel, and allocate with torch.empty(..., device=x.device)"
    )


def _host_argument(of: Callable[[str], str]) -> Text:
    return say(
        "a kernel takes tensors of the device: {name} lies on the host. Allocate it with "
        "device=x.device",
        name=of("name"),
    )


def _host_result(of: Callable[[str], str]) -> Text:
    return say(
        "{where} must be a tensor of the device, and this one lies on the host. Allocate it with "
        "device=x.device",
        where=of("where"),
    )


def _not_a_tensor(of: Callable[[str], str]) -> Text:
    return say(
        "{where} must be a tensor, got {got}. Return what the signature says",
        where=of("where"),
        got=of("got"),
    )


def _result_dtype(of: Callable[[str], str]) -> Text:
    return say(
        "{where} must have a type that kernels store, got {got}", where=of("where"), got=of("got")
    )


def _stream(of: Callable[[str], str]) -> Text:
    return say(
        "a call runs on one stream, in order: streams, events and graphs are not recorded. Launch "
        "the kernels one after the other"
    )


def _outside(of: Callable[[str], str]) -> Text:
    return say(
        "kernels may be launched only while your function is called, this launch happens before. "
        "Move it into the function"
    )


def _configurations(of: Callable[[str], str]) -> Text:
    return say(
        "autotune may have {limit} configurations after pruning, this call has {got}. Keep the "
        "best ones",
        limit=of("limit"),
        got=of("got"),
    )


def _no_configuration(of: Callable[[str], str]) -> Text:
    return say(
        "at least one configuration of autotune must fit the chip, and each needs more shared "
        "memory than a block has. Use smaller tiles or fewer stages"
    )


def _functions(of: Callable[[str], str]) -> Text:
    return say("kernels may use {limit} functions, these use more", limit=of("limit"))


def _kernel_name(of: Callable[[str], str]) -> Text:
    return say(
        "a kernel may use its arguments, constants and functions of Triton: {name} is a {got}. "
        "Pass it as an argument or a tl.constexpr",
        name=of("name"),
        got=of("got"),
    )


def _grid(of: Callable[[str], str]) -> Text:
    return say(
        "a grid must be one to three whole numbers from 0, got {got}. Use triton.cdiv for numbers "
        "of tiles",
        got=of("got"),
    )


def _argument_count(of: Callable[[str], str]) -> Text:
    return say(
        "a launch must give each parameter of the kernel: it has {wanted}, the launch gives {got}",
        wanted=of("wanted"),
        got=of("got"),
    )


def _argument_type(of: Callable[[str], str]) -> Text:
    return say(
        "an argument must have the type of its parameter: number {index} is {wanted} in the "
        "kernel, and the launch gives {got}",
        index=of("index"),
        wanted=of("wanted"),
        got=of("got"),
    )


def _cuda_compile(of: Callable[[str], str]) -> Text:
    return say("the CUDA source must compile; NVRTC's own words are below")


def _no_such_kernel(of: Callable[[str], str]) -> Text:
    return say(
        'the CUDA source must define the kernel {name} as extern "C" __global__, and it does not',
        name=of("name"),
    )


def _no_nvrtc(of: Callable[[str], str]) -> Text:
    return say("this site has no NVRTC, so CUDA C++ cannot be compiled here; tell its owner")


def _forged(of: Callable[[str], str]) -> Text:
    return say("a record must be what the recorder writes, this one was changed")


_REASONS: dict[str, Callable[[Callable[[str], str]], Text]] = {
    "operator": _operator,
    "value": _value,
    "layout": _layout,
    "strided_fill": _strided_fill,
    "argument_changed": _argument_changed,
    "from_host": _from_host,
    "host_argument": _host_argument,
    "host_result": _host_result,
    "not_a_tensor": _not_a_tensor,
    "result_dtype": _result_dtype,
    "stream": _stream,
    "outside": _outside,
    "too_many_configurations": _configurations,
    "no_configuration_fits": _no_configuration,
    "too_many_functions": _functions,
    "kernel_name": _kernel_name,
    "grid": _grid,
    "argument_count": _argument_count,
    "argument_type": _argument_type,
    "cuda_compile": _cuda_compile,
    "no_such_kernel": _no_such_kernel,
    "no_nvrtc": _no_nvrtc,
    "forged": _forged,
}
