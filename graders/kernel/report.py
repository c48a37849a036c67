"""What the compiler made of a kernel, told without a GPU: resources, units used, its instructions.

Registers, local and shared memory are read from the cubin that would be launched. The instructions
are text of the sandbox: good for reading, and nothing is decided by them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graders.kernel.occupancy import occupancy
from graders.kernel.plan import Kernel, Plan
from graders.text import Text, say
from graders.verdict import Json, JsonObject

LISTED_CHARACTERS = 40_000  # of one kernel
_LOCATION = re.compile(r"\s*\.loc\s+(\d+)\s+(\d+)\s")
_FILE = re.compile(r"\s*\.file\s+(\d+)\s+\"([^\"]*)\"")
_TENSOR_CORES = (
    ("tcgen05.mma", "tcgen05.mma"),
    ("wgmma.mma_async", "wgmma"),
    ("mma.sync", "mma.sync"),
)
_ASYNC_COPIES = (
    ("cp.async.bulk.tensor", "cp.async.bulk.tensor (TMA)"),
    ("cp.async.bulk", "cp.async.bulk"),
    ("cp.async", "cp.async"),
)


def report(plan: Plan, notes: Sequence[Mapping[str, Any]], source: str) -> list[Json]:
    """One object for each kernel of a plan, ready for the page.

    Parameters
    ----------
    notes : sequence of mapping
        The recorder's own words on each kernel; ``ptx`` is used.
    source : str
        The submission, whose lines stand beside the instructions.
    """
    return [
        _kernel_report(plan, kernel, str(note.get("ptx", "")), source)
        for kernel, note in zip(plan.kernels, notes, strict=False)
    ]


def _kernel_report(plan: Plan, kernel: Kernel, ptx: str, source: str) -> JsonObject:
    found = occupancy(kernel, plan.target)
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
        "tensor_cores": _first(ptx, _TENSOR_CORES),
        "async_copies": _first(ptx, _ASYNC_COPIES),
        "listing": by_line(ptx, source),
    }


def _first(ptx: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((said for word, said in names if word in ptx), "")


def by_line(ptx: str, source: str) -> list[Json]:
    """The PTX of each line of the submission, in the order of the lines.

    Lines of Triton's own library are laid to the submission's line that called them, as far as the
    compiler says (``inlined_at``); what belongs to no line is left out.
    """
    lines = source.splitlines()
    files: dict[str, str] = {}
    for match in map(_FILE.match, ptx.splitlines()):
        if match:
            files[match.group(1)] = match.group(2)
    gathered: dict[int, list[str]] = {}
    current, size = 0, 0
    for text in ptx.splitlines():
        location = _LOCATION.match(text)
        if location:
            current = _own_line(text, location, files, current)
            continue
        instruction = text.split("//")[0].strip()
        if current and instruction.endswith(";") and not instruction.startswith("."):
            size += len(instruction)
            if size > LISTED_CHARACTERS:
                break
            gathered.setdefault(current, []).append(instruction)
    return [
        {
            "line": line,
            "source": lines[line - 1] if line <= len(lines) else "",
            "ptx": "\n".join(inside),
        }
        for line, inside in sorted(gathered.items())
    ]


def _own_line(text: str, location: re.Match[str], files: dict[str, str], before: int) -> int:
    inlined = re.search(r"inlined_at\s+(\d+)\s+(\d+)", text)
    number, line = inlined.groups() if inlined else location.groups()[:2]
    own = files.get(number, "").rsplit("/", 1)[-1].startswith("submission.")
    return int(line) if own and int(line) else before


def not_measured() -> Text:
    """What a verdict without a GPU leaves open."""
    return say(
        "No GPU took part in this verdict. Right or wrong was found by running the kernels in "
        "Triton's interpreter on small fp16 and fp32 inputs; bf16, speed, and what only real "
        "hardware shows (the order of its additions, races inside a program) were not measured."
    )
