"""Cubins for tests, as small as the reader allows: an ELF file with one kernel."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def cubin(
    name: str = "kernel",
    *,
    architecture: int = 90,
    registers: int = 32,
    local_bytes: int = 0,
    shared_bytes: int = 0,
    parameters: Sequence[int] = (),
    machine: int = 190,
) -> bytes:
    """An ELF file for CUDA.

    Parameters
    ----------
    shared_bytes : int
        Size of the section of static shared memory, with what the system keeps for itself.
    parameters : sequence of int
        Bytes of each parameter; each lies at the next multiple of its size.
    """
    offsets, end = [], 0
    for size in parameters:
        offsets.append(-(-end // size) * size)
        end = offsets[-1] + size
    own = b"".join(
        struct.pack("<BBHIHHI", 4, 0x17, 12, 0, i, offset, size << 18)
        for i, (offset, size) in enumerate(zip(offsets, parameters, strict=True))
    ) + struct.pack("<BBH", 3, 0x19, end)
    common = struct.pack("<BBHII", 4, 0x2F, 8, 1, registers)
    common += struct.pack("<BBHII", 4, 0x11, 8, 1, local_bytes)
    strings = b"\0" + name.encode() + b"\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 18, 16, 1, 0, 0)
    sections: list[tuple[str, int, bytes, int]] = [
        ("", 0, b"", 0),
        (f".text.{name}", 1, b"\0" * 16, 16),
        (".symtab", 2, symbols, len(symbols)),
        (".strtab", 3, strings, len(strings)),
        (".nv.info", 1, common, len(common)),
        (f".nv.info.{name}", 1, own, len(own)),
    ]
    if shared_bytes:
        sections.append((f".nv.shared.{name}", 8, b"", shared_bytes))
    names, places = b"", []
    for section in [*(one[0] for one in sections), ".shstrtab"]:
        places.append(len(names))
        names += section.encode() + b"\0"
    sections.append((".shstrtab", 3, names, len(names)))
    body, headers = b"", b""
    for place, (_, kind, data, size) in zip(places, sections, strict=True):
        headers += struct.pack("<IIQQQQIIQQ", place, kind, 0, 0, 64 + len(body), size, 0, 0, 0, 0)
        body += data
    identity = b"\x7fELF\x02\x01\x01\x41\x08".ljust(16, b"\0")
    flags = architecture << 8
    head = struct.pack(
        "<16sHHIQQQIHHHHHH",
        identity, 2, machine, 1, 0, 0, 64 + len(body), flags, 64, 0, 0, 64,
        len(sections), len(sections) - 1,
    )  # fmt: skip
    return head + body + headers
