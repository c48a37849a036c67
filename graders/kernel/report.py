"""What the compiler made of a kernel, told without a GPU: resources, units used, its instructions.

Registers, local and shared memory are read from the cubin that would be launched. The instructions
are text of a sandbox: good for reading, and nothing is decided by them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graders.kernel.occupancy import occupancy
from graders.kernel.plan import Kernel, Plan
from graders.text import Text, clean, say
from graders.verdict import Json, JsonObject

LISTED_CHARACTERS = 40_000  # of one kernel, in each of the two languages
_LOCATION = re.compile(r"\s*\.loc\s+(\d+)\s+(\d+)\s")
_FILE = re.compile(r"\s*\.file\s+(\d+)\s+\"([^\"]*)\"")
_SASS_PLACE = re.compile(r"\"([^\"]*)\", line (\d+)")
_SASS_INSTRUCTION = re.compile(r"\s*/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;")
# The unit in the words of PTX, and what says so in PTX and in SASS.
_TENSOR_CORES = (
    ("tcgen05.mma", ("tcgen05.mma", "UTCHMMA", "UTCQMMA")),
    ("wgmma", ("wgmma.mma_async", "HGMMA", "QGMMA")),
    ("mma.sync", ("mma.sync", "HMMA", "QMMA")),
)
_ASYNC_COPIES = (
    ("cp.async.bulk.tensor (TMA)", ("cp.async.bulk.tensor", "UTMALDG")),
    ("cp.async.bulk", ("cp.async.bulk", "UBLKCP")),
    ("cp.async", ("cp.async", "LDGSTS")),
)


def report(
    plan: Plan, notes: Sequence[Mapping[str, Any]], source: str, sass: Sequence[str] = ()
) -> list[Json]:
    """One object for each kernel of a plan, ready for the page.

    Parameters
    ----------
    notes : sequence of mapping
        The recorder's own words on each kernel; ``ptx`` is used.
    source : str
        The submission, whose lines stand beside the instructions.
    sass : sequence of str
        The disassembled kernels, as nvdisasm writes them with ``-gi``; none if left out.
    """
    texts = [*sass, *("" for _ in plan.kernels)]
    return [
        _kernel_report(plan, kernel, str(note.get("ptx", "")), text, source)
        for kernel, note, text in zip(plan.kernels, notes, texts, strict=False)
    ]


def _kernel_report(plan: Plan, kernel: Kernel, ptx: str, sass: str, source: str) -> JsonObject:
    found = occupancy(kernel, plan.target)
    both = sass or ptx  # what is launched decides, where it can be read
    return {
        "kernel": kernel.name,
        "target": plan.target.name,
        "threads": list(kernel.threads),
        "registers": kernel.registers,
        "local_bytes_per_thread": kernel.local_bytes,
        "shared_bytes_per_block": kernel.dynamic_shared_bytes + kernel.static_shared_bytes,
        "resident_blocks": found.blocks,
        "resident_warps": found.warps,
        "occupancy": round(found.share, 4),
        "limiter": found.limiter,
        "tensor_cores": _first(both, _TENSOR_CORES),
        "async_copies": _first(both, _ASYNC_COPIES),
        "listing": listing(ptx, sass, source),
    }


def _first(text: str, units: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    return next((unit for unit, words in units if any(word in text for word in words)), "")


def listing(ptx: str, sass: str, source: str) -> list[Json]:
    """The instructions of each line of the submission, in the order of the lines.

    Lines of Triton's own library are laid to the submission's line that called them, as far as the
    compiler says; what belongs to no line is left out.
    """
    lines = source.splitlines()
    in_ptx, in_sass = _cut(ptx_by_line(ptx)), _cut(sass_by_line(sass))
    return [
        {
            "line": line,
            "source": lines[line - 1] if 0 < line <= len(lines) else "",
            "ptx": in_ptx.get(line, ""),
            "sass": in_sass.get(line, ""),
        }
        for line in sorted(in_ptx.keys() | in_sass.keys())
    ]


def ptx_by_line(ptx: str) -> dict[int, list[str]]:
    """Instructions of PTX, by ``.loc``."""
    files = {
        match.group(1): match.group(2) for match in map(_FILE.match, ptx.splitlines()) if match
    }
    gathered: dict[int, list[str]] = {}
    current = 0
    for text in ptx.splitlines():
        location = _LOCATION.match(text)
        if location:
            inlined = re.search(r"inlined_at\s+(\d+)\s+(\d+)", text)
            number, line = (inlined or location).groups()[:2]
            if _is_own(files.get(number, "")) and int(line):
                current = int(line)
            continue
        instruction = text.split("//")[0].strip()
        if current and instruction.endswith(";") and not instruction.startswith("."):
            gathered.setdefault(current, []).append(instruction)
    return gathered


def sass_by_line(sass: str) -> dict[int, list[str]]:
    """Instructions of SASS, by the comments that nvdisasm makes of the line table."""
    gathered: dict[int, list[str]] = {}
    current = 0
    for text in sass.splitlines():
        if "//## File" in text:
            own = [line for file, line in _SASS_PLACE.findall(text) if _is_own(file)]
            current = int(own[-1]) if own else current
        elif current:
            found = _SASS_INSTRUCTION.match(text)
            if found:
                gathered.setdefault(current, []).append(found.group(1))
    return gathered


def _is_own(path: str) -> bool:
    return path.rsplit("/", 1)[-1].startswith("submission.")


def _cut(gathered: dict[int, list[str]]) -> dict[int, str]:
    """One text a line, and no more text than a page can hold."""
    kept, left = {}, LISTED_CHARACTERS
    for line, instructions in gathered.items():
        text = "\n".join(instructions)[:left]
        left -= len(text)
        if text:
            kept[line] = clean(text)
    return kept


def not_measured(*, in_cuda: bool) -> Text:
    """What a verdict without a GPU leaves open."""
    if in_cuda:
        return say(
            "No GPU took part in this verdict. Right or wrong was found by running the kernels "
            "thread by thread on the processor, on small inputs and with every access looked at; "
            "speed, and what only real hardware shows (the order of its additions), were not "
            "measured."
        )
    return say(
        "No GPU took part in this verdict. Right or wrong was found by running the kernels in "
        "Triton's interpreter on small fp16 and fp32 inputs; bf16, speed, and what only real "
        "hardware shows (the order of its additions, races inside a program) were not measured."
    )
