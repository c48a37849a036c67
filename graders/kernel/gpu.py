"""Judging on a real GPU: what the grader asks of the executor, the checker and the vendor program.

A GPU is taken when the first call is checked and given back when the session ends. Recording and
compiling happen before and hold nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graders.harness import wire
from graders.kernel import faults, findings
from graders.kernel.comparison import Mismatch
from graders.kernel.comparison_json import mismatch_from_json
from graders.kernel.operations import OPERATIONS
from graders.kernel.operations.base import Call
from graders.kernel.plan import Plan
from graders.kernel.record import Record
from graders.kernel.roofline import layout, peaks, place
from graders.kernel.statistics import Ratio, median, ratio
from graders.kernel.tensors_json import tensors_to_json
from graders.ports import (
    Case,
    Environment,
    JudgeError,
    Launcher,
    Outcome,
    Program,
    ProgramLimits,
    ProgramSpec,
    StopReason,
)
from graders.text import Text
from graders.verdict import CaseResult, Counterexample, JsonObject, Verdict

CALL_LIMIT_S = 5.0  # for one call; a kernel that takes longer is called endless
START_LIMIT_S = 120.0  # importing torch on a busy machine
ANSWER_LIMIT_S = 120.0
WAITING_LIMIT_S = 10.0  # between two signs of life of a program that waits for the GPU
N_SEEDS = 2  # different inputs among which each timed call draws
LIMITS = ProgramLimits(
    cpu_time_s=600.0, wall_time_s=900.0, memory_mib=65536, output_kib=256, processes=256
)


_vendor_times: dict[str, JsonObject] = {}


class DeviceFailed(Exception):
    """The submission's kernels failed on the device; `code` says how."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Timing:
    """A submission's time beside the reference's."""

    candidate_s: float
    reference_s: float
    ratio: Ratio  # candidate over reference


class Session:
    """A judging's programs on the GPU. `close` ends them and gives the GPU back."""

    def __init__(self, launcher: Launcher, operation: str) -> None:
        self._launcher = launcher
        self._operation_name = operation
        self._operation = OPERATIONS[operation]
        self._executor: Program | None = None
        self._executor_is_open = False
        # The checker imports torch meanwhile; it touches no GPU before its first request.
        self._checker = self._start("graders.kernel.checker")
        self.properties: Mapping[str, Any] = self._describe()
        self.held_s = 0.0  # how long the GPU was ours so far
        self._held_since = 0.0

    def judge_case(
        self, case: Case, record: Record, reference: Record | None, seed: int
    ) -> CaseResult:
        """Check one recorded call and, where there is a reference, time it.

        Parameters
        ----------
        record, reference : Record
            The submission's call and the reference's, both recorded with cubins.
        seed : int
            The judging's seed; each case draws its inputs from it and its own name.

        Raises
        ------
        PlanError
            If the record breaks a rule: the submission's fault, told by the caller.
        JudgeError
            If one of our own programs failed.
        """
        given = case.input
        call = self._operation.call(given)
        plan = record.plan()
        wrong_shape = findings.of_shape(call, record.message["results"], _replay(case, seed))
        if wrong_shape is not None:
            return _result(case, wrong_shape)
        try:
            return self._judge(case, call, record, plan, reference, seed)
        except DeviceFailed as failure:
            self._end_executor()
            verdict, said = faults.device_fault(failure.code, CALL_LIMIT_S)
            return _rejected(case, call, seed, verdict, said)

    def give_back(self) -> None:
        """Give the GPU back; the next request takes it again."""
        self._end_executor()

    def close(self) -> None:
        """End all programs."""
        self._end_executor()
        self._checker.close()

    def _judge(
        self,
        case: Case,
        call: Call,
        record: Record,
        plan: Plan,
        reference: Record | None,
        seed: int,
    ) -> CaseResult:
        input_seed = _derived(seed, case.name, "check")
        answer, blobs = self._ask(
            {
                "do": "check",
                "plan": record.plan_message(),
                "tensors": tensors_to_json(call.tensors),
                "seed": input_seed,
                "limit_s": CALL_LIMIT_S,
            },
            record.blobs,
        )
        said = faults.trespass(answer["trespasses"], call) or faults.changed_input(
            answer["changed_inputs"], call
        )
        n_results = len(plan.results)
        for start in range(0, len(blobs), n_results):
            wrong = self._compare(case, call, plan, input_seed, blobs[start : start + n_results])
            if wrong is not None:
                return _wrong(case, call, wrong, seed)
        if said is not None:  # after the comparison, which shows more where both are wrong
            return _rejected(case, call, seed, Verdict.WRONG_ANSWER, said)
        differing = sum(answer["differing_bytes"])
        metrics: JsonObject = {"deterministic": not differing}
        if differing:
            metrics["note"] = faults.not_repeatable(differing)
        if reference is None:
            return CaseResult(case.name, Verdict.ACCEPTED, score=1.0, metrics=metrics)
        return self._time(case, call, record, plan, reference, seed, metrics)

    def _time(
        self,
        case: Case,
        call: Call,
        record: Record,
        plan: Plan,
        reference: Record,
        seed: int,
        metrics: JsonObject,
    ) -> CaseResult:
        seeds = [_derived(seed, case.name, f"time {i}") for i in range(N_SEEDS)]
        answer, blobs = self._ask(
            {
                "do": "time",
                "plan": record.plan_message(),
                "reference": reference.plan_message(),
                "n_blobs": len(record.blobs),
                "tensors": tensors_to_json(call.tensors),
                "seeds": seeds,
                "limit_s": CALL_LIMIT_S,
            },
            (*record.blobs, *reference.blobs),
        )
        said = faults.trespass(answer["trespasses"], call)
        if said is not None:
            return _rejected(case, call, seed, Verdict.WRONG_ANSWER, said)
        n_results = len(plan.results)
        for i, number in enumerate(answer["results"]):
            result = blobs[i * n_results : (i + 1) * n_results]
            wrong = self._compare(case, call, plan, seeds[number], result)
            if wrong is not None:
                return _wrong(case, call, wrong, seed)
        timing = Timing(
            median(answer["candidate_s"]),
            median(answer["reference_s"]),
            ratio(answer["candidate_s"], answer["reference_s"]),
        )
        metrics["kernel_time"] = self._kernel_time(case, timing, answer["configurations_s"])
        return CaseResult(
            case.name,
            Verdict.ACCEPTED,
            score=1.0,
            time_s=timing.candidate_s,
            metrics=metrics,
        )

    def _kernel_time(
        self, case: Case, timing: Timing, configurations_s: Sequence[Sequence[float]]
    ) -> JsonObject:
        work = self._operation.work(case.input)
        limits = peaks(self.properties)
        where = place(work, timing.candidate_s, limits)
        times = {"reference": timing.reference_s, "yours": timing.candidate_s}
        return {
            "case": case.name,
            "gpu": str(self.properties["name"]),
            "time_us": round(timing.candidate_s * 1e6, 2),
            "reference_time_us": round(timing.reference_s * 1e6, 2),
            "time_over_reference": round(timing.ratio.value, 4),
            "interval_low": round(timing.ratio.low, 4),
            "interval_high": round(timing.ratio.high, 4),
            "n_pairs": timing.ratio.n_pairs,
            "noisy": timing.ratio.noisy,
            "tflop_per_s": round(where.flop_per_s / 1e12, 2),
            "gb_per_s": round(where.bytes_per_s / 1e9, 1),
            "peak_percent": round(100.0 * where.fraction, 1),
            "floor_us": round(where.floor_s * 1e6, 2),
            "bound": where.bound,
            "quarantined": where.impossible,
            "configurations_us": [[round(s * 1e6, 2) for s in one] for one in configurations_s],
            "roofline": layout(work, times, limits),
        }

    def vendor(self, case: Case, reference: Record, seed: int) -> JsonObject:
        """The reference beside the vendor's library and a copy; empty where torch is missing.

        Measured once by each worker: neither depends on the submission. The program waits for the
        GPU itself, so the session gives it back first.
        """
        key = json.dumps(
            [
                self.properties["uuid"],
                self._operation_name,
                dict(case.input),
                [hashlib.sha256(blob).hexdigest() for blob in reference.blobs],
            ]
        )
        if key not in _vendor_times:
            _vendor_times[key] = self._vendor(case, reference, seed)
        return dict(_vendor_times[key])

    def _vendor(self, case: Case, reference: Record, seed: int) -> JsonObject:
        self._end_executor()
        program = self._start("graders.kernel.vendor")
        try:
            program.send(
                wire.pack(
                    {
                        "operation": self._operation_name,
                        "given": dict(case.input),
                        "plan": reference.plan_message(),
                        "seeds": [_derived(seed, case.name, f"vendor {i}") for i in range(N_SEEDS)],
                        "limit_s": CALL_LIMIT_S,
                    },
                    *reference.blobs,
                )
            )
            answer, _ = _receive(program, START_LIMIT_S)
        except DeviceFailed as failure:
            if failure.code == "NO_TORCH":
                return {}
            raise JudgeError(f"the vendor's library failed: {failure.code}") from None
        finally:
            program.close()
        return _vendor_metrics(answer)

    def _compare(
        self, case: Case, call: Call, plan: Plan, seed: int, result: Sequence[bytes]
    ) -> tuple[int, Mismatch] | None:
        self._checker.send(
            wire.pack(
                {
                    "operation": self._operation_name,
                    "given": dict(case.input),
                    "seed": seed,
                    "strides": [list(one.strides) for one in plan.results],
                },
                *result,
            )
        )
        try:
            answer, _ = _receive(self._checker, START_LIMIT_S)
        except DeviceFailed as failure:
            raise JudgeError(f"the checker failed: {failure.code}") from None
        for number, comparison in enumerate(answer["comparisons"]):
            if comparison["mismatch"] is not None:
                return number, mismatch_from_json(comparison["mismatch"])
        return None

    def _start(self, module: str) -> Program:
        return self._launcher.start(
            ProgramSpec(("python", "-m", module), {}, LIMITS, Environment.GPU)
        )

    def _describe(self) -> Mapping[str, Any]:
        self._executor = self._start("graders.kernel.executor")
        try:
            answer, _ = _receive(self._executor, START_LIMIT_S)
        except DeviceFailed as failure:
            raise JudgeError(f"the GPU does not answer: {failure.code}") from None
        properties: Mapping[str, Any] = answer["properties"]
        return properties

    def _ask(
        self, request: Mapping[str, Any], blobs: Sequence[bytes]
    ) -> tuple[dict[str, Any], list[bytes]]:
        if self._executor is None:
            self._describe()
        program = self._executor
        assert program is not None  # noqa: S101  # `_describe` made it
        if not self._executor_is_open:
            program.send(wire.pack({"do": "open"}))
            _receive(program, ANSWER_LIMIT_S)
            self._executor_is_open = True
            self._held_since = time.monotonic()
        program.send(wire.pack(dict(request), *blobs))
        return _receive(program, ANSWER_LIMIT_S)

    def _end_executor(self) -> None:
        program, self._executor = self._executor, None
        if self._executor_is_open:
            self.held_s += time.monotonic() - self._held_since
        self._executor_is_open = False
        if program is not None:
            program.close()


def _receive(program: Program, limit_s: float) -> tuple[dict[str, Any], list[bytes]]:
    """The answer to a request, after any signs of waiting.

    Raises
    ------
    DeviceFailed
        If the device failed.
    JudgeError
        If the program ended without a word: it is ours.
    """
    while True:
        frame = program.receive(limit_s)
        if isinstance(frame, Outcome):
            if frame.reason is StopReason.WALL_TIME:
                raise DeviceFailed("ENDLESS")
            raise JudgeError(f"a program on the GPU ended without an answer: {frame}")
        message, blobs = wire.unpack(frame)
        if message.get("waiting"):
            continue
        if "fault" in message:
            raise DeviceFailed(str(message["fault"]))
        return message, blobs


def _vendor_metrics(answer: Mapping[str, Any]) -> JsonObject:
    found: JsonObject = {}
    if answer.get("vendor"):
        beside = ratio(answer["reference_s"], answer["vendor_s"])
        found |= {
            "vendor": str(answer["vendor"]),
            "vendor_time_us": round(median(answer["vendor_s"]) * 1e6, 2),
            "reference_over_vendor": round(beside.value, 4),
        }
    copied = answer["copy_bytes"] / median(answer["copy_s"])
    # The same bytes over the same time's ratio: how near to a copy the reference comes.
    share = 1.0 / ratio(answer["reference_beside_copy_s"], answer["copy_s"]).value
    return {
        **found,
        "copy_gb_per_s": round(copied / 1e9, 1),
        "reference_of_copy": round(share, 4),
    }


def _derived(seed: int, case: str, purpose: str) -> int:
    """64 bits that nobody knows who does not know the seed."""
    digest = hashlib.sha256(f"{seed}\0{case}\0{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def _wrong(case: Case, call: Call, wrong: tuple[int, Mismatch], seed: int) -> CaseResult:
    return _result(case, findings.of_mismatch(call, *wrong, _replay(case, seed)))


def _rejected(case: Case, call: Call, seed: int, verdict: Verdict, said: Text) -> CaseResult:
    data: JsonObject = {"arguments": findings.arguments_of(call)}
    return _result(case, (verdict, Counterexample("plain", said, data, _replay(case, seed))))


def _result(case: Case, finding: findings.Finding) -> CaseResult:
    verdict, counterexample = finding
    return CaseResult(
        case.name, verdict, message=counterexample.summary, counterexample=counterexample
    )


def _replay(case: Case, seed: int) -> JsonObject:
    return {"case": case.name, "seed": seed}
