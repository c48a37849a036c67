"""What is wrong with a CUDA C++ kernel that was run thread by thread, in words."""

from __future__ import annotations

from graders.kernel.emulation import ThreadFault
from graders.kernel.findings import Finding, arguments_of, buffer_name, of_numbers
from graders.kernel.interpreted import Broke
from graders.kernel.operations.base import Call
from graders.text import Text, say
from graders.verdict import Counterexample, JsonObject, Verdict


def of_thread(call: Call, fault: ThreadFault, source: str, replay: JsonObject) -> Finding:
    """An access outside, one of a wrong size, a race, a barrier that some never reach."""
    where = _place(fault, source)
    data: JsonObject = {
        "arguments": arguments_of(call),
        "kernel_line": fault.line,
        "text": fault.text,
        "access": fault.access,
        "buffer": fault.buffer,
        "offset_bytes": fault.offset_bytes,
        "buffer_bytes": fault.buffer_bytes,
        "thread": list(fault.thread),
        "block": list(fault.block),
    }
    if fault.other_thread is not None and fault.other_block is not None:
        data |= {"other_thread": list(fault.other_thread), "other_block": list(fault.other_block)}
    wrong = fault.kind in ("writes_input", *_RACES)
    verdict = Verdict.WRONG_ANSWER if wrong else Verdict.RUNTIME_ERROR
    return verdict, Counterexample("plain", _summary(call, fault, where), data, replay)


_RACES = ("read_after_write", "write_after_write", "write_after_read")


def _summary(call: Call, fault: ThreadFault, where: Text) -> Text:
    who = _who(fault.thread, fault.block)
    memory = _memory(call, fault)
    if fault.kind == "outside" and not fault.buffer:
        return say(
            "{where}: a kernel must stay inside its tensors: {who} reaches memory that is none of "
            "them with a {access}. Guard what lies past the end",
            where=where,
            who=who,
            access=fault.access,
        )
    if fault.kind == "outside":
        return say(
            "{where}: a kernel must stay inside its tensors: {who} reaches byte {offset} of "
            "{memory}, which has {size}, with a {access}. Guard what lies past the end",
            where=where,
            who=who,
            offset=fault.offset_bytes,
            memory=memory,
            size=fault.buffer_bytes,
            access=fault.access,
        )
    if fault.kind == "misaligned":
        return say(
            "{where}: an access of {n} bytes must start at a multiple of {n}: {who} makes one at "
            "byte {offset} of {memory}. Use the wide access only where address and strides permit",
            where=where,
            n=fault.n_bytes,
            who=who,
            offset=fault.offset_bytes,
            memory=memory,
        )
    if fault.kind == "writes_input":
        return say(
            "{where}: a kernel must not change its arguments: {who} stores to byte {offset} of "
            "{memory}. Write to a tensor that you allocate",
            where=where,
            who=who,
            offset=fault.offset_bytes,
            memory=memory,
        )
    if fault.kind == "barrier":
        return say(
            "all threads that a barrier waits for must come to it: {who} waits for threads of its "
            "warp that never do. Call __syncwarp and the shuffles where the whole mask comes along",
            who=who,
        )
    return _race(fault, where, who, memory)


def _race(fault: ThreadFault, where: Text, who: Text, memory: Text | str) -> Text:
    other = _who(fault.other_thread or (), fault.other_block or ())
    if fault.kind == "read_after_write":
        deed = say("{who} reads what {other} writes", who=who, other=other)
    elif fault.kind == "write_after_write":
        deed = say("{who} and {other} write different values", who=who, other=other)
    else:
        deed = say("{who} changes what {other} reads", who=who, other=other)
    if fault.other_block == fault.block:
        return say(
            "{where}: threads of a block run in any order between two barriers: {deed}, at byte "
            "{offset} of {memory}. Put __syncthreads() between the two",
            where=where,
            deed=deed,
            offset=fault.offset_bytes,
            memory=memory,
        )
    return say(
        "{where}: blocks of one launch run in any order: {deed}, at byte {offset} of {memory}. Use "
        "a second launch, or atomics",
        where=where,
        deed=deed,
        offset=fault.offset_bytes,
        memory=memory,
    )


def of_break(broke: Broke, replay: JsonObject) -> Finding:
    """The kernel could not be run without a GPU, or did not get to its end."""
    data: JsonObject = {"output": broke.message} if broke.message else {}
    if broke.kind == "compile":
        summary = say(
            "without a GPU a kernel is compiled for the processor too, and g++ does not take this "
            "one. Keep to the parts of CUDA C++ that the statement lists, or practise on a site "
            "with a GPU"
        )
        return Verdict.COMPILE_ERROR, Counterexample("compile_error", summary, data, replay)
    if broke.kind == "late":
        summary = say(
            "a kernel must end: a small input may take {limit} s on the processor, and this one "
            "ran on. Look at the bounds of its loops",
            limit=broke.message,
        )
        return Verdict.TIME_LIMIT, Counterexample("plain", summary, {}, replay)
    if broke.kind == "crashed":
        summary = say(
            "a kernel must come to its end: this one crashed with {code}. Look for large arrays in "
            "a thread's own memory, for recursion, and for divisions by 0",
            code=broke.message,
        )
    elif broke.kind == "too_large":
        summary = say(
            "a call on a small input may use {limit} MiB of memory, this one allocates more. "
            "Allocate what the result needs",
            limit=broke.message,
        )
        return Verdict.MEMORY_LIMIT, Counterexample("plain", summary, {}, replay)
    elif broke.kind == "mixed":
        summary = say(
            "line {line}: without a GPU a call runs either Triton's kernels or CUDA C++, and this "
            "one launches both. Write all of them in one language",
            line=broke.line or 0,
        )
    else:
        summary = say(
            "line {line} of the kernel: inline assembly runs on a GPU only, and this site has "
            "none. Write it in CUDA C++",
            line=broke.line or 0,
        )
    return Verdict.RUNTIME_ERROR, Counterexample("plain", summary, {}, replay)


def _place(fault: ThreadFault, source: str) -> Text:
    """The line of the submission; of the kernel alone, where its text stands in several."""
    lines = [one.strip() for one in source.splitlines()]
    if fault.text and lines.count(fault.text) == 1:
        line = lines.index(fault.text) + 1
        return say("line {line} ({text})", line=line, text=fault.text)
    if fault.line:
        return say("line {line} of the kernel ({text})", line=fault.line, text=fault.text)
    return say("in the kernel")


def _who(thread: tuple[int, ...], block: tuple[int, ...]) -> Text:
    return say(
        "thread {thread} of block {block}", thread=of_numbers(thread), block=of_numbers(block)
    )


def _memory(call: Call, fault: ThreadFault) -> Text | str:
    if fault.buffer == "shared":
        return say("the block's shared memory")
    return buffer_name(call, fault.buffer)
