"""What a case of problem.yaml asks for, read and checked: a scenario, or real threads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

from graders.ports import Case, JudgeError

T = TypeVar("T")

MAX_THREADS = 7
MAX_OPERATIONS = 60  # what the runtime's search for a linearization can take
ALLOCATES = frozenset({"allocate"})
_ACTIONS = {
    "queue": ("push", "pop"),
    "stack": ("push", "pop"),
    "pool": ("allocate", "release"),
    "register": ("write", "read"),
}
_NUMBERED = frozenset({"push", "write"})
_NAMED = frozenset({"allocate", "release"})
_OPERATION = re.compile(r"([a-z]+)(?: +([0-9]+|[a-z][a-z0-9_]*))?")


class Check(StrEnum):
    """How a case is judged, in the order in which that happens."""

    INTERLEAVINGS = "interleavings"
    PROGRESS = "progress"
    CACHE_LINES = "cache_lines"
    REAL_THREADS = "real_threads"
    THROUGHPUT = "throughput"

    @property
    def model_checked(self) -> bool:
        """Whether the model checker judges it, under its own threads."""
        return self in (Check.INTERLEAVINGS, Check.PROGRESS, Check.CACHE_LINES)


@dataclass(frozen=True, slots=True)
class Structure:
    """What the grader's section says of the candidate's class template."""

    kind: str  # queue, stack, pool or register
    class_name: str
    methods: Mapping[str, str]
    progress: str
    failed_push_excused_by: str  # nothing, opposite or any
    failed_pop_excused_by: str
    failed_pop_keeps_item: bool
    may_allocate: bool
    exact_capacity: bool
    block_alignment_bytes: int

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Structure:
        return cls(
            kind=settings["structure"],
            class_name=settings["entry_point"],
            methods=settings["operations"],
            progress=settings["progress"],
            failed_push_excused_by=settings["failed_push_excused_by"],
            failed_pop_excused_by=settings["failed_pop_excused_by"],
            failed_pop_keeps_item=settings["failed_pop_keeps_item"],
            may_allocate=settings["may_allocate"],
            exact_capacity=settings["exact_capacity"],
            block_alignment_bytes=settings["block_alignment_bytes"],
        )


@dataclass(frozen=True, slots=True)
class Instance:
    """The template arguments of one object."""

    capacity: int
    words: int
    block_bytes: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: its number (of a push or write), or its block's name."""

    action: str
    number: int = 0
    block: str = ""

    @property
    def text(self) -> str:
        """As it is written in a scenario."""
        return f"{self.action} {self.block or self.number or ''}".strip()


@dataclass(frozen=True, slots=True)
class Scenario:
    """Threads with a few operations each, between a beginning and an end that run alone."""

    name: str
    instance: Instance
    setup: tuple[Operation, ...]
    threads: tuple[tuple[Operation, ...], ...]
    finish: tuple[Operation, ...]
    executions: int  # of the exhaustive search, at most
    schedule: str  # of a replay: the execution to repeat, else empty


@dataclass(frozen=True, slots=True)
class Load:
    """Real threads that keep calling."""

    instance: Instance
    writers: int
    readers: int
    operations: int  # of each writer
    min_ratio: float  # of the reference's throughput


@dataclass(frozen=True, slots=True)
class Plan:
    """One case, read."""

    case: Case
    check: Check
    work: Scenario | Load

    @property
    def scenario(self) -> Scenario:
        """The scenario of a case that is model-checked."""
        return cast(Scenario, self.work)

    @property
    def load(self) -> Load:
        """The load of a case with real threads."""
        return cast(Load, self.work)


def read_plan(case: Case, structure: Structure) -> Plan:
    """Read one case's input.

    Raises
    ------
    JudgeError
        If the package wrote something that is no scenario.
    """
    reader = _Reader(case)
    kind = reader.take("check", str, "interleavings")
    if kind not in set(Check):
        raise reader.wrong("check", f"one of {', '.join(Check)}", kind)
    check = Check(kind)
    instance = Instance(
        reader.count("capacity", 2, least=1),
        reader.count("words", 2 if structure.kind == "register" else 1, least=1),
        reader.count("block_bytes", 32, least=1),
    )
    work: Scenario | Load
    if check.model_checked:
        work = _scenario(reader, instance, structure)
    else:
        work = Load(
            instance,
            reader.count("writers", 1, least=1),
            reader.count("readers", 1, least=1),
            reader.count("operations", 20_000, least=1),
            reader.ratio("min_ratio"),
        )
    reader.finish()
    return Plan(case, check, work)


def faults(settings: Mapping[str, Any], cases: Sequence[Case]) -> Iterator[tuple[int, str]]:
    """What is wrong with the cases' inputs, each with the case's index."""
    structure = Structure.of(settings)
    for index, case in enumerate(cases):
        try:
            read_plan(case, structure)
        except JudgeError as error:
            yield index, str(error)


def _scenario(reader: _Reader, instance: Instance, structure: Structure) -> Scenario:
    def operations(texts: object, where: str) -> tuple[Operation, ...]:
        if not isinstance(texts, list):
            raise reader.wrong(where, "a list of operations", texts)
        return tuple(_operation(reader, text, where, structure.kind) for text in texts)

    setup = operations(reader.take("setup", list, []), "setup")
    listed = reader.take("threads", list, [])
    threads = tuple(operations(thread, "threads") for thread in listed)
    if not 1 <= len(threads) <= MAX_THREADS or not all(threads):
        raise reader.wrong("threads", f"1 to {MAX_THREADS} lists that hold something", listed)
    before = [*setup, *(operation for thread in threads for operation in thread)]
    default = ["pop"] * (1 + sum(operation.action == "push" for operation in before))
    if structure.kind not in ("queue", "stack"):
        default = []
    finish = operations(reader.take("finish", list, default), "finish")
    every = [*before, *finish]
    numbers = [operation.number for operation in every if operation.action in _NUMBERED]
    blocks = [operation.block for operation in every if operation.action in ALLOCATES]
    if len(set(numbers)) != len(numbers) or len(set(blocks)) != len(blocks):
        raise reader.wrong("threads", "numbers and blocks that are each given once", listed)
    unknown = {operation.block for operation in every if operation.block} - set(blocks)
    if unknown:
        raise reader.wrong("threads", "blocks that are allocated somewhere", sorted(unknown))
    if len(every) > MAX_OPERATIONS:
        raise reader.wrong("threads", f"at most {MAX_OPERATIONS} operations", len(every))
    return Scenario(
        reader.case.name,
        instance,
        setup,
        threads,
        finish,
        reader.count("executions", 100_000, least=1),
        reader.take("schedule", str, ""),
    )


def _operation(reader: _Reader, text: object, where: str, kind: str) -> Operation:
    match = _OPERATION.fullmatch(text) if isinstance(text, str) else None
    action = match[1] if match else ""
    argument = (match[2] or "") if match else ""
    wanted = {
        **dict.fromkeys(_NUMBERED, argument.isdigit() and int(argument or 0) > 0),
        **dict.fromkeys(_NAMED, bool(argument) and not argument.isdigit()),
    }.get(action, not argument)
    if action not in _ACTIONS[kind] or not wanted:
        raise reader.wrong(where, f"operations of a {kind}: {', '.join(_ACTIONS[kind])}", text)
    if action in _NUMBERED:
        return Operation(action, number=int(argument))
    return Operation(action, block=argument)


class _Reader:
    """Takes keys out of an input, and complains of what is left."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._left = dict(case.input)

    def take(self, key: str, kind: type[T], default: T) -> T:
        value = self._left.pop(key, default)
        if type(value) is not kind:
            raise self.wrong(key, f"a {kind.__name__}", value)
        return value

    def count(self, key: str, default: int, *, least: int) -> int:
        value = self.take(key, int, default)
        if value < least:
            raise self.wrong(key, f"at least {least}", value)
        return value

    def ratio(self, key: str) -> float:
        value = self._left.pop(key, 0.0)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise self.wrong(key, "a number from 0 to 1", value)
        return float(value)

    def finish(self) -> None:
        if self._left:
            raise self.wrong("input", "keys that its check knows", sorted(self._left))

    def wrong(self, key: str, rule: str, fact: object) -> JudgeError:
        return JudgeError(f"case {self.case.name}: {key} must be {rule}, got {fact!r}")
