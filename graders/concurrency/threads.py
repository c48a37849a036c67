"""Real threads: under the sanitizers, and beside the reference for throughput.

A second opinion on what the model checker has passed already: it runs what the model leaves out (a
larger scope, the real machine), and never proves anything.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from graders.concurrency import compiler, inspection
from graders.concurrency.checking import HOME, how_it_stopped
from graders.concurrency.compiler import Compiled, NotCompiled
from graders.concurrency.program import SUBMISSION, interface
from graders.concurrency.scenarios import Load, Plan, Structure
from graders.ports import (
    Environment,
    JudgeError,
    Launcher,
    Outcome,
    Program,
    ProgramLimits,
    ProgramSpec,
    StopReason,
    Task,
)
from graders.text import say
from graders.verdict import Counterexample, JsonObject, Verdict

DRIVERS = Path(__file__).parent / "drivers"
_LAID = ("calls.h", "frames.h")
# The same macros are defined in every build, so that no source can tell which one it is.
_ALIKE = (
    "-std=c++20",
    "-g",
    "-fPIC",
    "-mcx16",
    "-pthread",
    "-fcf-protection=none",
    "-U__SANITIZE_ADDRESS__",
    *("-include", "cstring"),  # as for the model checker, or its macros would tell
    "-I.",
)
SANITIZED = (
    *_ALIKE,
    "-O1",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fno-sanitize=vptr",
    "-fno-sanitize-recover=all",
)
FAST = (*_ALIKE, "-O2")
BATCH_S = 0.010
PAIRS = 40
LONGEST_BATCH_S = 0.1  # of the submission
ANSWER_TIME_LIMIT_S = 10.0
_MOST_OPERATIONS = 20_000_000
_RESAMPLES = 400
_SANITIZER_ERROR = re.compile(r"(?:ERROR: AddressSanitizer: |runtime error: )(.*)")
_OWN_LINE = re.compile(rf"{re.escape(SUBMISSION)}:(\d+)")
_OUTPUT_CHARACTERS = 6000


class Judged(NamedTuple):
    """What came of a case with real threads."""

    verdict: Verdict
    message: str
    counterexample: Counterexample | None
    metrics: JsonObject
    memory_mib: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """The submission's throughput over the reference's: the median of pairs, and its spread.

    `low` and `high` bound the median with 95 % confidence (bootstrap); `pairs` is how many.
    """

    median: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Threads:
    """One submission, run by real threads."""

    task: Task
    structure: Structure
    source: bytes
    launcher: Launcher
    seed: int

    def sanitize(self, plan: Plan) -> Judged:
        """Run the load under AddressSanitizer and UndefinedBehaviorSanitizer."""
        load = plan.load
        built = self._build(self.source, load, SANITIZED, "real_threads.cpp")
        if isinstance(built, NotCompiled):
            return self._uncompiled(built, plan)
        program = self._start(built, load, Environment.RUN_ASAN)
        try:
            answer = program.receive(self.task.limits.wall_time_s)
            memory_mib = program.usage().memory_mib
            # What a sanitizer says is there when the program has ended.
            outcome = program.receive(ANSWER_TIME_LIMIT_S) if isinstance(answer, bytes) else answer
            printed = program.take_output().text
        finally:
            program.close()
        if isinstance(outcome, bytes):
            outcome = Outcome(StopReason.BAD_FRAME)
        found = self._misuse(answer, outcome, printed)
        if found is None:
            message = say(
                "{operations} operations by real threads misused no memory, and nothing was lost "
                "or doubled.",
                operations=load.operations * load.writers,
            )
            return Judged(Verdict.ACCEPTED, message, None, {}, memory_mib)
        verdict, complaint = found
        data: JsonObject = {"output": printed[:_OUTPUT_CHARACTERS]} if printed else {}
        counterexample = Counterexample("compiler_output", complaint, data, self._replay(plan))
        return Judged(verdict, complaint, counterexample, {}, memory_mib)

    def _misuse(
        self, answer: bytes | Outcome, outcome: Outcome, printed: str
    ) -> tuple[Verdict, str] | None:
        if error := _SANITIZER_ERROR.search(printed):
            # UBSan names the line before the error, ASan in the stack behind it.
            begin = printed.rfind("\n", 0, error.start()) + 1
            own = _OWN_LINE.search(printed, begin)
            return Verdict.RUNTIME_ERROR, say(
                "Memory and arithmetic must be used as C++ defines them; with real threads a "
                "sanitizer found at line {line}: {error}",
                line=int(own[1]) if own else "?",
                error=re.sub(r"0x[0-9a-f]+", "0x...", error[1].split(" on address")[0])[:200],
            )
        if isinstance(answer, Outcome):
            return how_it_stopped(answer, self.task.limits)
        if outcome.reason is not StopReason.EXITED or outcome.exit_code != 0:
            return how_it_stopped(outcome, self.task.limits)
        word, _, numbers = answer.decode(errors="replace").partition(" ")
        first, _, second = numbers.partition(" ")
        complaint = {
            "right": None,
            "invented": say(
                "Only what was pushed may be popped, and with real threads {item} came out, which "
                "never was.", item=first,
            ),
            "duplicate": say(
                "An item must be popped once, and with real threads {item} was popped twice.",
                item=first,
            ),
            "order": say(
                "With real threads {second} came after {first}, against the order in which they "
                "went in.", first=first, second=second,
            ),
            "lost": say(
                "Nothing may be lost, and of {first} with real threads {second} came out.",
                first=first, second=second,
            ),
            "alignment": say("A block must be aligned to {n_bytes} bytes.", n_bytes=first),
            "room": say(
                "A structure with room for {first} must hold so many, and when the threads had "
                "ended it held {second}.", first=first, second=second,
            ),
            "next": say(
                "Items must come out in the structure's order, and when the threads had ended "
                "{second} came out in place of {first}.", first=first, second=second,
            ),
            "parts": say(
                "An item must come out whole, and with real threads one came out with words that "
                "were not its own."
            ),
            "touched": say(
                "A pop that fails must leave its item as it was, and with real threads one changed "
                "it."
            ),
            "blocks": say(
                "All {first} blocks must be free again when the last one is back, and with real "
                "threads {second} could be allocated then.", first=first, second=second,
            ),
            "overlap": say(
                "A block must keep what its owner wrote until it is deallocated, and with real "
                "threads byte {second} of block {first} changed.", first=first, second=second,
            ),
            "stuck": say(
                "Somebody must get something done, and for {limit_s} s with real threads nobody "
                "did.",
                limit_s=first,
            ),
            "torn": say(
                "A read must give all words of one write, and with real threads one gave words of "
                "two."
            ),
        }.get(word, "")  # fmt: skip
        if complaint is None:
            return None
        if not complaint:
            return how_it_stopped(Outcome(StopReason.BAD_FRAME), self.task.limits)
        return Verdict.WRONG_ANSWER, complaint

    def measure(self, plan: Plan) -> Judged:
        """Throughput beside the reference, in alternation."""
        reference = self.task.files.get("reference.hpp")
        if reference is None:
            raise JudgeError("throughput is measured beside reference.hpp, which is missing")
        load = plan.load
        own = self._build(self.source, load, FAST, "throughput.cpp")
        if isinstance(own, NotCompiled):
            return self._uncompiled(own, plan)
        theirs = self._build(reference, load, FAST, "throughput.cpp")
        if isinstance(theirs, NotCompiled):
            raise JudgeError(f"the reference must compile: {theirs.message}")
        runs = [
            _Batches(self._start(own, load, Environment.RUN_CPP)),
            _Batches(self._start(theirs, load, Environment.RUN_CPP)),
        ]
        try:
            return self._judge_ratio(plan, runs)
        except _Late as late:
            if late.run is runs[1]:
                raise JudgeError("the reference must end each of its batches") from None
            verdict, message = how_it_stopped(late.outcome, self.task.limits)
            return Judged(
                verdict, message, Counterexample("plain", message, {}, self._replay(plan)), {}, 0.0
            )
        finally:
            for run in runs:
                run.program.close()

    def _judge_ratio(self, plan: Plan, runs: Sequence[_Batches]) -> Judged:
        ratio, rate = _compare(runs[0], runs[1], self.seed)
        memory_mib = runs[0].program.usage().memory_mib
        metrics: JsonObject = {
            "throughput_ratio": round(ratio.median, 3),
            "throughput_ratio_low": round(ratio.low, 3),
            "throughput_ratio_high": round(ratio.high, 3),
            "pairs": ratio.pairs,
            "operations_per_s": round(rate),
        }
        told = {
            "ratio": f"{ratio.median:.2f}",
            "low": f"{ratio.low:.2f}",
            "high": f"{ratio.high:.2f}",
        }
        if ratio.high >= plan.load.min_ratio:
            message = say(
                "{ratio} of the reference's throughput ({low} to {high}), one thread a side.",
                **told,
            )
            return Judged(Verdict.ACCEPTED, message, None, metrics, memory_mib)
        message = say(
            "Throughput must be at least {wanted} of the reference's. Look for cache lines that "
            "two threads store to, and for reads of the other side's index that a copy could save.",
            wanted=f"{plan.load.min_ratio:.2f}",
        )
        counterexample = Counterexample("measured", message, metrics, self._replay(plan))
        return Judged(Verdict.TOO_SLOW, message, counterexample, metrics, memory_mib)

    def _build(
        self, source: bytes, load: Load, options: Sequence[str], driver: str
    ) -> Compiled | NotCompiled:
        files = {
            "interface.cpp": interface(self.structure, [load.instance]),
            "main.cpp": (DRIVERS / driver).read_text(encoding="utf-8"),
            **{name: (DRIVERS / name).read_text(encoding="utf-8") for name in _LAID},
        }
        macros = {
            f"STRUCTURE_{self.structure.kind.upper()}": 1,
            "WRITERS": load.writers,
            "READERS": load.readers,
            "OPERATIONS": load.operations,
            "CAPACITY": load.instance.capacity,
            "EXACT_CAPACITY": int(self.structure.exact_capacity),
            "KEEPS_ITEM": int(self.structure.failed_pop_keeps_item),
            "BLOCK_BYTES": load.instance.block_bytes,
            "ALIGNMENT": self.structure.block_alignment_bytes,
        }
        defines = [f"-D{name}={value}" for name, value in macros.items()]
        done = compiler.compile_for_threads(self.launcher, source, files, options, defines)
        if isinstance(done, Compiled):
            objection = inspection.objection(done.assembly, instrumented=False)
            if objection is not None:
                return NotCompiled(objection)
        return done

    def _start(self, built: Compiled, load: Load, environment: Environment) -> Program:
        limits = self.task.limits
        enough = ProgramLimits(
            limits.cpu_time_s,
            limits.wall_time_s,
            limits.memory_mib,
            limits.output_kib,
            processes=load.writers + load.readers + 2,
        )
        files = {"program": built.program}
        return self.launcher.start(ProgramSpec((f"{HOME}/program",), files, enough, environment))

    def _uncompiled(self, found: NotCompiled, plan: Plan) -> Judged:
        counterexample = Counterexample(
            "compiler_output", found.message, {"output": found.output}, self._replay(plan)
        )
        return Judged(Verdict.COMPILE_ERROR, found.message, counterexample, {}, 0.0)

    def _replay(self, plan: Plan) -> JsonObject:
        return {"case": plan.case.name, "seed": self.seed}


class _Late(Exception):
    """A batch that did not come to its end."""

    def __init__(self, run: _Batches, outcome: Outcome) -> None:
        super().__init__(outcome.reason.value)
        self.run = run
        self.outcome = outcome


class _Batches:
    """A program that does operations on demand."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def seconds(self, operations: int) -> float:
        """How long so many operations on each side take."""
        asked = str(operations).encode()
        started = time.perf_counter()
        self.program.send(asked)
        answer = self.program.receive(ANSWER_TIME_LIMIT_S)
        elapsed = time.perf_counter() - started
        if answer != asked:
            stopped = answer if isinstance(answer, Outcome) else Outcome(StopReason.BAD_FRAME)
            raise _Late(self, stopped)
        return elapsed


def _compare(own: _Batches, reference: _Batches, seed: int) -> tuple[Ratio, float]:
    """The ratio of throughputs, and the submission's own in operations a second.

    Pairs in the order ABBA, since the machine drifts; each pair stands for itself.
    """
    operations = 1000
    while operations < _MOST_OPERATIONS:
        # The quickest of a few: on a busy machine a single one may have waited for its turn.
        elapsed = min(reference.seconds(operations) for _ in range(3))
        if elapsed >= BATCH_S:
            break
        operations = int(operations * min(10.0, 1.3 * BATCH_S / elapsed))
    # A far slower submission needs no more exactness, and nobody waits for it.
    if (warming_up_s := own.seconds(operations)) > LONGEST_BATCH_S:
        operations = max(1000, int(operations * LONGEST_BATCH_S / warming_up_s))
    ratios = []
    best = float("inf")
    for pair in range(PAIRS):
        first, second = (own, reference) if pair % 2 else (reference, own)
        took = {first: first.seconds(operations), second: second.seconds(operations)}
        ratios.append(took[reference] / took[own])
        best = min(best, took[own])
    low, high = _median_bounds(ratios, random.Random(seed))  # noqa: S311 - statistics
    return Ratio(statistics.median(ratios), low, high, PAIRS), operations / best


def _median_bounds(ratios: Sequence[float], numbers: random.Random) -> tuple[float, float]:
    medians = sorted(
        statistics.median(numbers.choices(ratios, k=len(ratios))) for _ in range(_RESAMPLES)
    )
    return medians[round(0.025 * _RESAMPLES)], medians[round(0.975 * _RESAMPLES) - 1]
