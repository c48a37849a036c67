"""What the runner said: coverage, counterexamples and progress classes, as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from graders.concurrency.build import is_own
from graders.harness import wire

PROGRESS_CLASSES = ("blocking", "stalls", "lock_free", "wait_free")  # from worst to best


class RunnerError(Exception):
    """The runner said something that it never says, or stopped half-way: our fault."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a scenario was searched.

    Attributes
    ----------
    executions : int
        Distinct complete executions of the exhaustive search.
    blocked : int
        Executions of it in which a thread waits for what another execution gives it.
    proved : bool
        The exhaustive search saw every execution: nothing is wrong in this scope.
    why_not : str
        If it did not, why. Empty too when a counterexample ended the search.
    """

    scenario: str
    random_executions: int
    executions: int
    blocked: int
    proved: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A minimised failing execution.

    `steps` and `operations` are as the runner tells them (see the runtime's README); `schedule`
    repeats the execution.
    """

    scenario: str
    kind: str
    message: str
    schedule: str
    context_switches: int
    random_executions: int
    exhaustive_executions: int
    operations: Sequence[Mapping[str, Any]]
    steps: Sequence[Mapping[str, Any]]
    thread: int
    pc: str | None

    def program_counters(self) -> list[str]:
        """Distinct program counters of the steps, for `build.resolve_lines`."""
        pcs = [step["pc"] for step in self.steps if "pc" in step]
        if self.pc is not None:
            pcs.append(self.pc)
        return list(dict.fromkeys(pcs))


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress class of a scenario and the execution that shows it."""

    scenario: str
    progress_class: str
    message: str
    schedule: str
    after_steps: int  # that the suspended thread did, where one was suspended
    failure: Failure


@dataclass(frozen=True, slots=True)
class Store:
    """A variable that one thread keeps storing to."""

    thread: int
    place: str
    stores: int  # in one execution
    line_offset_bytes: int
    size_bytes: int
    pc: str


@dataclass(frozen=True, slots=True)
class SharedLine:
    """Two variables of different threads in one 64-byte line."""

    first: Store
    second: Store


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The answer of one run of the runner."""

    failure: Failure | None = None
    coverage: list[Coverage] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    shared_lines: list[SharedLine] = field(default_factory=list)

    @property
    def proved(self) -> bool:
        """Every scenario was searched to the end, and nothing is wrong."""
        return self.failure is None and all(item.proved for item in self.coverage)

    def worst_progress(self) -> Progress | None:
        """The scenario with the weakest guarantee."""
        return min(
            self.progress,
            key=lambda item: PROGRESS_CLASSES.index(item.progress_class),
            default=None,
        )


def split_frames(stream: bytes) -> Iterator[bytes]:
    """The frames in what a runner wrote to its descriptor.

    Raises
    ------
    RunnerError
        If the last frame is cut off.
    """
    while stream:
        length = int.from_bytes(stream[:4], "little")
        frame, stream = stream[4 : 4 + length], stream[4 + length :]
        if len(frame) != length:
            raise RunnerError(f"a frame must be whole: {len(frame)} of {length} bytes came")
        yield frame


Message = Failure | Coverage | Progress | list[SharedLine] | dict[str, Any] | Literal["done"]


def read_message(frame: bytes) -> Message:
    """One frame; a `dict` holds the outcomes of a litmus program.

    Raises
    ------
    RunnerError
        If it says what no runner says.
    """
    try:
        message, _ = wire.unpack(frame)
        match message.pop("type"):
            case "counterexample" | "replay":
                return _failure(message)
            case "coverage":
                return Coverage(**message)
            case "progress":
                return _progress(message)
            case "cache_lines":
                return [
                    SharedLine(Store(**pair["first"]), Store(**pair["second"]))
                    for pair in message["pairs"]
                ]
            case "outcomes":
                return message
            case "done":
                return "done"
            case "error":
                raise RunnerError(message["message"])
            case other:
                raise RunnerError(f"a runner sends no message of type {other!r}")
    except (wire.WireError, KeyError, TypeError, AttributeError) as error:
        raise RunnerError(f"a message of the runner is malformed: {error!r}") from error


def read_result(frames: Iterator[bytes]) -> CheckResult:
    """Everything that a runner said.

    Raises
    ------
    RunnerError
        If it did not finish, or said what no runner says.
    """
    result = CheckResult()
    failure: Failure | None = None
    done = False
    for frame in frames:
        match read_message(frame):
            case Failure() as failure:
                pass
            case Coverage() as coverage:
                result.coverage.append(coverage)
            case Progress() as progress:
                result.progress.append(progress)
            case dict() as outcomes:
                result.outcomes[outcomes["scenario"]] = outcomes
            case list() as lines:
                result.shared_lines.extend(lines)
            case _:
                done = True
    if not done:
        raise RunnerError("a runner must end by saying that it is done; this one did not")
    return replace(result, failure=failure)


def _failure(message: Mapping[str, Any]) -> Failure:
    return Failure(
        scenario=message["scenario"],
        kind=message["kind"],
        message=message["message"],
        schedule=message["schedule"],
        context_switches=message["context_switches"],
        random_executions=message.get("random_executions", 0),
        exhaustive_executions=message.get("exhaustive_executions", 0),
        operations=message["operations"],
        steps=message["steps"],
        thread=message["thread"],
        pc=message.get("pc"),
    )


def _progress(message: Mapping[str, Any]) -> Progress:
    if message["class"] not in PROGRESS_CLASSES:
        raise RunnerError(f"a progress class must be one of {', '.join(PROGRESS_CLASSES)}")
    return Progress(
        scenario=message["scenario"],
        progress_class=message["class"],
        message=message["message"],
        schedule=message["schedule"],
        after_steps=message["after_steps"],
        failure=_failure(message),
    )


def read_lines(addr2line_output: str, own: Sequence[str]) -> dict[str, str]:
    """Program counter -> ``file:line``, from what `build.resolve_lines` printed.

    Of a chain of inlined calls the innermost frame in one of the files `own` is taken: the
    candidate wrote ``head.load()``, not line 488 of a header of libstdc++.
    """
    lines: dict[str, str] = {}
    pc = ""
    for text in addr2line_output.splitlines():
        if text.startswith("0x"):
            pc = hex(int(text, 16))
            continue
        path, _, rest = text.rpartition(":")
        number = rest.split(" ")[0]
        if pc and pc not in lines and number.isdigit() and is_own(path, own):
            lines[pc] = f"{path.rpartition('/')[2]}:{number}"
    return lines
