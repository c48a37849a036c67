"""What is wrong with a kernel, in words and as a counterexample: rule, fact, what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from graders.kernel.comparison import Fault, Mismatch
from graders.kernel.interpreted import Broke, MemoryFault
from graders.kernel.operations.base import Call
from graders.kernel.record import Raised, Refused, Stopped
from graders.kernel.tile import heat_map
from graders.ports import Outcome, StopReason
from graders.text import Text, say
from graders.verdict import Counterexample, Json, JsonObject, Verdict

Finding = tuple[Verdict, Counterexample]


def of_mismatch(call: Call, number: int, mismatch: Mismatch, replay: JsonObject) -> Finding:
    """A result that no correct arithmetic gives: the first wrong element, and where others lie."""
    output = call.outputs[number]
    where = say(
        "{output}{index}", output=output.name, index=f"[{', '.join(map(str, mismatch.index))}]"
    )
    counts = say(
        "{wrong} of {total} elements are wrong", wrong=mismatch.n_wrong, total=mismatch.n_elements
    )
    summary = _mismatch_summary(mismatch, where, counts)
    data: JsonObject = {
        "output": output.name,
        "shape": list(output.shape),
        "dtype": output.dtype.value,
        "arguments": arguments_of(call),
        "fault": mismatch.fault.value,
        "index": list(mismatch.index),
        "expected": number_to_json(mismatch.expected),
        "got": number_to_json(mismatch.got),
        "largest_allowed_error": number_to_json(mismatch.bound),
        "wrong_elements": mismatch.n_wrong,
        "not_written_elements": mismatch.n_not_written,
        "elements": mismatch.n_elements,
        "heat_map": heat_map(mismatch.map),
    }
    return Verdict.WRONG_ANSWER, Counterexample("tile", summary, data, replay)


def _mismatch_summary(mismatch: Mismatch, where: Text, counts: Text) -> Text:
    if mismatch.fault is Fault.NOT_WRITTEN:
        return say(
            "every element of the result must be written: {where} was not; {n} of {total} were "
            "left out. Check the grid and the masks of the stores",
            where=where,
            n=mismatch.n_not_written,
            total=mismatch.n_elements,
        )
    if mismatch.fault is Fault.NOT_A_NUMBER:
        return say(
            "{where} must be {expected}, got NaN; {counts}. Look for infinity minus infinity, 0/0, "
            "and loads whose masked lanes have no value",
            where=where,
            expected=brief(mismatch.expected),
            counts=counts,
        )
    return say(
        "{where} must be within {bound} of {expected}, which is what the same arithmetic can lose; "
        "got {got}; {counts}",
        where=where,
        bound=brief(mismatch.bound),
        expected=brief(mismatch.expected),
        got=brief(mismatch.got),
        counts=counts,
    )


def of_shape(call: Call, results: list[Mapping[str, Any]], replay: JsonObject) -> Finding | None:
    """What the function returned has not the number, shape or type that the statement says."""
    if len(results) != len(call.outputs):
        return Verdict.WRONG_ANSWER, Counterexample(
            "plain",
            say(
                "the function must return {wanted}, got {got} tensors",
                wanted=", ".join(one.name for one in call.outputs),
                got=len(results),
            ),
            {"arguments": arguments_of(call)},
            replay,
        )
    for output, result in zip(call.outputs, results, strict=True):
        wanted = f"{output.dtype.value} {list(output.shape)}"
        got = f"{result['dtype']} {list(result['shape'])}"
        if wanted != got:
            return Verdict.WRONG_ANSWER, Counterexample(
                "plain",
                say(
                    "{output} must be {wanted}, got {got}",
                    output=output.name,
                    wanted=wanted,
                    got=got,
                ),
                {"arguments": arguments_of(call)},
                replay,
            )
    return None


def of_memory(call: Call, fault: MemoryFault, replay: JsonObject) -> Finding:
    """An access outside, into an argument, or into what another program has in hand."""
    line = fault.line or 0
    program, buffer = of_numbers(fault.program), buffer_name(call, fault.buffer)
    other = (
        say("several others")
        if fault.other is None
        else say("program {program}", program=of_numbers(fault.other))
    )
    if fault.kind == "outside":
        summary = say(
            "line {line}: a kernel must stay inside its tensors: program {program} reaches byte "
            "{offset} of {buffer}, which has {size}, with lane {index} of its {access}. Mask what "
            "lies past the end",
            line=line,
            program=program,
            offset=fault.offset_bytes,
            buffer=buffer,
            size=fault.buffer_bytes,
            index=of_numbers(fault.index),
            access=fault.access,
        )
    elif fault.kind == "writes_input":
        summary = say(
            "line {line}: a kernel must not change its arguments: program {program} stores to byte "
            "{offset} of {buffer}. Write to a tensor that you allocate",
            line=line,
            program=program,
            offset=fault.offset_bytes,
            buffer=buffer,
        )
    elif fault.kind == "read_after_write":
        summary = say(
            "line {line}: programs of one launch run in any order: program {program} reads byte "
            "{offset} of {buffer}, which {other} writes in the same launch. Use a second launch, "
            "or atomics",
            line=line,
            program=program,
            offset=fault.offset_bytes,
            buffer=buffer,
            other=other,
        )
    else:
        summary = say(
            "line {line}: programs of one launch run in any order: program {program} stores to "
            "byte {offset} of {buffer}, which {other} uses in the same launch, and the value "
            "changes. Give each program a place of its own, or use atomics",
            line=line,
            program=program,
            offset=fault.offset_bytes,
            buffer=buffer,
            other=other,
        )
    data: JsonObject = {
        "arguments": arguments_of(call),
        "line": line,
        "access": fault.access,
        "buffer": fault.buffer,
        "offset_bytes": fault.offset_bytes,
        "buffer_bytes": fault.buffer_bytes,
        "lane": list(fault.index),
        "program": list(fault.program),
    }
    verdict = Verdict.RUNTIME_ERROR if fault.kind == "outside" else Verdict.WRONG_ANSWER
    return verdict, Counterexample("plain", summary, data, replay)


def of_break(broke: Broke, replay: JsonObject) -> Finding:
    """The interpreter did not get to the end."""
    line = broke.line or 0
    if broke.kind == "forbidden":
        summary = say(
            "line {line}: without a GPU a kernel is interpreted, and may use Triton's language "
            "only: {what} is not of it. Write it with tl's functions",
            line=line,
            what=broke.message,
        )
        return Verdict.RUNTIME_ERROR, Counterexample("plain", summary, {}, replay)
    if broke.kind == "too_many_programs":
        summary = say(
            "a call on a small input may launch {limit} programs, this one launches more. Give "
            "each program a tile instead of an element",
            limit=broke.message,
        )
        return Verdict.TIME_LIMIT, Counterexample("plain", summary, {}, replay)
    if broke.kind == "late":
        summary = say(
            "a kernel must end: it was interpreted for a minute on a small input, and ran on. "
            "Look at the bounds of its loops"
        )
        return Verdict.TIME_LIMIT, Counterexample("plain", summary, {}, replay)
    summary = say(
        "line {line}: a kernel must run: in program {program} Triton says {message}",
        line=line,
        program=of_numbers(broke.program or ()),
        message=broke.message,
    )
    return Verdict.RUNTIME_ERROR, Counterexample("plain", summary, {"line": line}, replay)


def of_failure(failure: Refused | Raised | Stopped, replay: JsonObject) -> Finding:
    """The host function could not be recorded."""
    if isinstance(failure, Refused):
        if failure.code in ("cuda_compile", "no_such_kernel"):
            return Verdict.COMPILE_ERROR, Counterexample(
                "compile_error", failure.message, {"output": failure.log}, replay
            )
        return Verdict.RUNTIME_ERROR, Counterexample(
            "plain", failure.message, {"line": failure.line}, replay
        )
    if isinstance(failure, Raised):
        compiler = failure.error in _COMPILER_ERRORS
        summary = say("the function must return: it raised {message}", message=failure.message)
        if compiler:
            summary = say("the kernels must compile: {message}", message=failure.message)
        return (
            Verdict.COMPILE_ERROR if compiler else Verdict.RUNTIME_ERROR,
            Counterexample("compile_error", summary, {"output": failure.traceback}, replay),
        )
    verdict, how = _ending(failure.outcome)
    summary = say("the function must return: {how}", how=how)
    return verdict, Counterexample("plain", summary, {}, replay)


_COMPILER_ERRORS = {
    "CompilationError",
    "CompileTimeAssertionFailure",
    "UnsupportedLanguageConstruct",
    "OutOfResources",
    "PTXASError",
}


def _ending(outcome: Outcome) -> tuple[Verdict, Text]:
    reason = outcome.reason
    if reason is StopReason.EXITED:
        return Verdict.RUNTIME_ERROR, say("it exited with code {code}", code=outcome.exit_code or 0)
    if reason is StopReason.SIGNALLED:
        return Verdict.RUNTIME_ERROR, say(
            "it was ended by signal {number}", number=outcome.signal or 0
        )
    if reason is StopReason.MEMORY:
        return Verdict.MEMORY_LIMIT, say("it used more memory than the problem allows")
    if reason is StopReason.OUTPUT:
        return Verdict.OUTPUT_LIMIT, say("it printed more than the problem allows")
    if reason is StopReason.BAD_FRAME:
        return Verdict.RUNTIME_ERROR, say("only the harness may write to its descriptors")
    return Verdict.TIME_LIMIT, say("it took more time than the problem allows")


def arguments_of(call: Call) -> Json:
    """The arguments in words that numpy's users know."""
    said: list[Json] = []
    for one in call.arguments:
        value = getattr(one, "value", None)
        if value is not None:
            said.append(f"{one.name} = {value}")
            continue
        tensor = next(tensor for tensor in call.tensors if tensor.name == one.name)
        said.append(
            f"{tensor.name}: {tensor.dtype.value} {list(tensor.shape)}, strides "
            f"{list(tensor.strides)}"
        )
    return said


def buffer_name(call: Call, name: str) -> str:
    """An argument's own name, or what the plan calls the memory."""
    if name.startswith("IN"):
        return call.tensors[int(name[2:])].name
    return name


def of_numbers(numbers: tuple[int, ...]) -> str:
    """As an index is written."""
    return f"({', '.join(map(str, numbers))})"


def brief(value: float) -> str:
    """A number in as many digits as tell half precision apart, or more where it needs them."""
    return f"{value:.6g}"


def number_to_json(value: float) -> Json:
    """JSON has no infinities: they go as words."""
    return value if math.isfinite(value) else str(value)


def as_json(value: Any) -> JsonObject:
    """A dataclass as JSON."""
    return asdict(value)
