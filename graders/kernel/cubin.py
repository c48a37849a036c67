"""What a cubin says about itself, read from its bytes: a 64-bit ELF file that may be hostile.

Nothing here trusts a length or an offset of the file. The layout of `.nv.info` is not published by
NVIDIA; the attributes used here are those that ``cuobjdump -elf`` prints by name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from graders.text import Text, say

MAX_CUBIN_BYTES = 8 << 20
MAX_SECTIONS = 4096

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_EM_CUDA = 190
_ABI_WITH_ARCH_IN_SECOND_BYTE = 8  # e_flags held the architecture in its lowest byte before
_SHT_NOBITS = 8

# From Hopper on the section counts the system's own part of a block's shared memory too, which the
# limits of a launch leave out.
_RESERVED_SHARED_BYTES = 1024
_RESERVED_SINCE = 90

_REGISTER_COUNT = 0x2F  # EIATTR_REGCOUNT: symbol, registers of one thread
_FRAME_SIZE = 0x11  # EIATTR_FRAME_SIZE: symbol, bytes of local memory of one thread
_PARAMETER_BANK_SIZE = 0x19  # EIATTR_CBANK_PARAM_SIZE: bytes of parameters, in the head itself
_PARAMETER = 0x17  # EIATTR_KPARAM_INFO: index, ordinal, offset, and the size in the last 14 bits
_FORMAT_VALUE = 0x03  # the attribute's value is the 16-bit field itself
_FORMAT_SIZED = 0x04  # the field is the length of what follows


class CubinError(ValueError):
    """The bytes are no cubin that we would load; the text is for the candidate."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class Function:
    """A kernel inside a cubin.

    Attributes
    ----------
    registers : int
        Of one thread.
    local_bytes : int
        Stack and spills of one thread, in local memory.
    static_shared_bytes : int
        Shared memory that the kernel has without asking at launch, of one block.
    parameters : tuple of (int, int)
        Offset in the parameter block and size of each parameter, in bytes, in order.
    parameter_bytes : int
        Size of the parameter block that a launch must fill.
    """

    name: str
    registers: int
    local_bytes: int
    static_shared_bytes: int
    parameters: tuple[tuple[int, int], ...]
    parameter_bytes: int


@dataclass(frozen=True, slots=True)
class Cubin:
    """The architecture, e.g. 90 for ``sm_90``, and the kernels by name."""

    architecture: int
    functions: dict[str, Function]


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    data: bytes
    n_bytes: int


def read_cubin(data: bytes) -> Cubin:
    """Read a cubin.

    Raises
    ------
    CubinError
        If it is too large, no ELF file for CUDA, cut off, or points outside itself.
    """
    if len(data) > MAX_CUBIN_BYTES:
        raise CubinError(
            say(
                "a cubin may have {limit} bytes, this one has {n_bytes}",
                limit=MAX_CUBIN_BYTES,
                n_bytes=len(data),
            )
        )
    try:
        return _read(data)
    except (struct.error, UnicodeDecodeError, IndexError, OverflowError) as error:
        raise CubinError(say("a cubin must be a whole ELF file, this one is cut off")) from error


def _read(data: bytes) -> Cubin:
    identity, _, machine, *_, flags = _HEADER.unpack_from(data)[:8]
    if identity[:6] != b"\x7fELF\x02\x01" or machine != _EM_CUDA:
        raise CubinError(say("a cubin must be a 64-bit ELF file for CUDA, this is none"))
    new_abi = identity[8] >= _ABI_WITH_ARCH_IN_SECOND_BYTE
    architecture = (flags >> 8 if new_abi else flags) & 0xFF
    sections = _sections(data)
    by_name = {section.name: section for section in sections}
    symbols = _symbols(by_name)
    registers: dict[str, int] = {}
    frames: dict[str, int] = {}
    for attribute, _, payload in _attributes(by_name.get(".nv.info")):
        if attribute in (_REGISTER_COUNT, _FRAME_SIZE) and len(payload) == 8:
            index, value = struct.unpack("<II", payload)
            name = symbols[index]
            (registers if attribute == _REGISTER_COUNT else frames)[name] = value
    reserved = _RESERVED_SHARED_BYTES if architecture >= _RESERVED_SINCE else 0
    functions = {}
    for section in sections:
        if not section.name.startswith(".text."):
            continue
        name = section.name.removeprefix(".text.")
        shared = by_name.get(f".nv.shared.{name}")
        functions[name] = Function(
            name=name,
            registers=registers.get(name, 0),
            local_bytes=frames.get(name, 0),
            static_shared_bytes=max(0, shared.n_bytes - reserved) if shared else 0,
            parameters=_parameters(by_name.get(f".nv.info.{name}")),
            parameter_bytes=next(
                (
                    value
                    for attribute, value, _ in _attributes(by_name.get(f".nv.info.{name}"))
                    if attribute == _PARAMETER_BANK_SIZE
                ),
                0,
            ),
        )
    return Cubin(architecture, functions)


def _parameters(section: _Section | None) -> tuple[tuple[int, int], ...]:
    found = {}
    for attribute, _, payload in _attributes(section):
        if attribute == _PARAMETER and len(payload) == 12:
            _, ordinal, offset, flags = struct.unpack("<IHHI", payload)
            found[ordinal] = (offset, flags >> 18)
    return tuple(found[ordinal] for ordinal in sorted(found))


def _sections(data: bytes) -> list[_Section]:
    fields = _HEADER.unpack_from(data)
    offset, entry_bytes, count, names_at = fields[6], fields[11], fields[12], fields[13]
    if entry_bytes != _SECTION.size or count > MAX_SECTIONS:
        raise CubinError(say("a cubin must have ordinary ELF sections, this one has not"))
    headers = [_SECTION.unpack_from(data, offset + i * entry_bytes) for i in range(count)]
    names = _content(data, headers[names_at])
    return [
        _Section(_string(names, header[0]), _content(data, header), header[5]) for header in headers
    ]


def _content(data: bytes, header: tuple[int, ...]) -> bytes:
    kind, offset, size = header[1], header[4], header[5]
    if kind == _SHT_NOBITS:
        return b""
    if offset + size > len(data):
        raise CubinError(say("a cubin must be a whole ELF file, this one is cut off"))
    return data[offset : offset + size]


def _string(table: bytes, offset: int) -> str:
    end = table.find(b"\0", offset) if 0 <= offset < len(table) else -1
    if end < 0:
        raise CubinError(say("a cubin must be a whole ELF file, this one is cut off"))
    return table[offset:end].decode()


def _symbols(sections: dict[str, _Section]) -> list[str]:
    if ".symtab" not in sections or ".strtab" not in sections:
        raise CubinError(say("a cubin must name its kernels, this one has no symbols"))
    table, strings = sections[".symtab"].data, sections[".strtab"].data
    whole = len(table) // _SYMBOL.size * _SYMBOL.size
    return [_string(strings, fields[0]) for fields in _SYMBOL.iter_unpack(table[:whole])]


def _attributes(section: _Section | None) -> Iterator[tuple[int, int, bytes]]:
    """(attribute, the 16-bit field, the payload) of each entry."""
    data, at = section.data if section else b"", 0
    while at + 4 <= len(data):
        form, attribute, value = struct.unpack_from("<BBH", data, at)
        at += 4
        payload = b""
        if form == _FORMAT_SIZED:
            payload, at = data[at : at + value], at + value
        yield attribute, value if form in (_FORMAT_VALUE, _FORMAT_SIZED) else value & 0xFF, payload
