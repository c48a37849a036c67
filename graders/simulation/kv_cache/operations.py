"""Sequences of operations on a block manager: drawn, read from a case, kept legal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from graders.simulation.kv_cache.model import BlockPool
from graders.simulation.stateful.program import Call
from graders.simulation.stateful.search import Script, records
from graders.verdict import Json, JsonObject

ARGUMENTS = {"allocate": (2, 3), "append": (2, 2), "fork": (2, 2), "free": (1, 1)}
MAX_POOL = 1 << 20
MAX_TOKENS = 9  # of a drawn prompt


def read(case_input: Mapping[str, object]) -> Script:
    """A literal script: ``num_blocks``, ``block_size`` and ``operations``.

    Raises
    ------
    ValueError
        If a key is missing or unknown, or an operation is not legal where it stands.
    """
    wanted = {"num_blocks", "block_size", "operations"}
    if set(case_input) != wanted:
        raise ValueError(f"input must have {sorted(wanted)}, got {sorted(case_input)}")
    make: JsonObject = {}
    for name in ("num_blocks", "block_size"):
        value = case_input[name]
        if type(value) is not int or not 1 <= value <= MAX_POOL:
            raise ValueError(f"{name} must be 1 to {MAX_POOL}, got {value!r}")
        make[name] = value
    listed = case_input["operations"]
    if not isinstance(listed, list):
        raise ValueError("operations must be a list")
    calls = tuple(_call(one) for one in listed)
    if legal(make, calls) != calls:
        raise ValueError("operations must name sequences that live, and new ones that do not")
    return Script(make, calls)


def _call(listed: object) -> Call:
    if not isinstance(listed, list) or not listed or listed[0] not in ARGUMENTS:
        raise ValueError(f"an operation must begin with one of {sorted(ARGUMENTS)}, got {listed!r}")
    method, *arguments = listed
    least, most = ARGUMENTS[method]
    if not least <= len(arguments) <= most:
        raise ValueError(f"{method} takes {least} to {most} arguments, got {len(arguments)}")
    return str(method), tuple(arguments)


def to_json(script: Script) -> JsonObject:
    """The script as a case's input."""
    listed: list[Json] = [[method, *arguments] for method, arguments in script.calls]
    return {**script.make, "operations": listed}


def legal(make: JsonObject, calls: Sequence[Call]) -> tuple[Call, ...]:
    """Those of `calls` that name living sequences where they stand; the others are left out."""
    model = BlockPool(int(str(make["num_blocks"])), int(str(make["block_size"])))
    kept = []
    for call in calls:
        method, arguments = call
        name = str(arguments[0])
        is_new = name not in model.sequences
        fits = is_new if method == "allocate" else not is_new
        if method == "fork":
            fits = fits and str(arguments[1]) not in model.sequences
        if fits:
            model.answer(call)
            kept.append(call)
    return tuple(kept)


_METHODS = ("allocate", "append", "free", "append", "allocate", "append", "fork", "free")
_POOLS = (4, 5, 6, 3, 7, 8, 10, 12)
_SIZES = (2, 2, 1, 3)


def drawn(min_operations: int, max_operations: int) -> st.SearchStrategy[Script]:
    """Scripts on small pools with two tokens, so that prefixes, copies and shortage are common."""
    return records(min_operations, max_operations).map(from_records)


def from_records(drawn: list[bytes]) -> Script:
    """The script that records stand for: the first chooses the pool, each other an operation."""
    pool, *intents = drawn
    num_blocks, block_size = _POOLS[pool[0] % len(_POOLS)], _SIZES[pool[1] % len(_SIZES)]
    return _script(num_blocks, block_size, [_intent(record) for record in intents])


def _intent(record: bytes) -> tuple[str, int, list[Json], str]:
    """An operation before it is known which sequences live: what, on whom, tokens, salt."""
    # Both bits must be set for a 1, so that most prompts begin alike.
    bits = int.from_bytes(record[3:5], "little") & int.from_bytes(record[5:7], "little")
    tokens: list[Json] = [bits >> at & 1 for at in range(1 + record[2] % MAX_TOKENS)]
    salt = "x" if record[7] >= 192 else ""
    return _METHODS[record[0] % len(_METHODS)], record[1], tokens, salt


def _script(
    num_blocks: int, block_size: int, intents: list[tuple[str, int, list[Json], str]]
) -> Script:
    model = BlockPool(num_blocks, block_size)
    calls: list[Call] = []
    names = iter(_names())
    for method, place, tokens, salt in intents:
        living = sorted(model.sequences)
        if method == "allocate":
            arguments: tuple[Json, ...] = (next(names), tokens, *([salt] if salt else []))
        elif not living:
            continue
        else:
            name = living[place % len(living)]
            arguments = (name,)
            if method == "append":
                arguments = (name, tokens[0])
            elif method == "fork":
                arguments = (name, next(names))
        calls.append((method, arguments))
        model.answer(calls[-1])
    return Script({"num_blocks": num_blocks, "block_size": block_size}, tuple(calls))


def _names() -> list[str]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [*letters, *(first + second for first in letters for second in letters)]
