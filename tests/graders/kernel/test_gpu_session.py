"""A judging on a GPU, seen from the grader, with programs that play the GPU's part.

The executor here is a script of answers; the checker is the real one, with numpy in this process.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest

from graders.harness import wire
from graders.kernel import gpu
from graders.kernel.checker import NumpyArrays, compare_results
from graders.kernel.comparison_json import comparison_to_json
from graders.kernel.elements import narrow
from graders.kernel.gpu import Session
from graders.kernel.operations import OPERATIONS
from graders.kernel.plan import TARGETS, Plan, Pointer, Result
from graders.kernel.record import Record
from graders.ports import (
    Case,
    Environment,
    Finished,
    JudgeError,
    Outcome,
    Output,
    ProgramSpec,
    StopReason,
    Usage,
)
from graders.verdict import CaseResult, Verdict

GIVEN = {"rows": 3, "columns": 8, "dtype": "fp16"}
PROPERTIES = {
    "name": "a chip",
    "uuid": "0",
    "architecture": 90,
    "multiprocessors": 132,
    "clock_khz": 1_980_000,
    "memory_clock_khz": 2_619_000,
    "memory_bus_bits": 5120,
    "l2_bytes": 50 << 20,
}
Answer = tuple[dict[str, Any], list[bytes]]
Script = Callable[[dict[str, Any]], Answer]


class Played:
    """A program whose answers a function gives."""

    def __init__(self, answer: Callable[[dict[str, Any], list[bytes]], list[Answer]]) -> None:
        self._answer = answer
        self.frames: list[bytes] = []
        self.closed = False

    def send(self, frame: bytes) -> None:
        message, blobs = wire.unpack(frame)
        self.frames += [wire.pack(told, *data) for told, data in self._answer(message, blobs)]

    def receive(self, time_limit_s: float) -> bytes | Outcome:
        return self.frames.pop(0) if self.frames else Outcome(StopReason.EXITED, exit_code=1)

    def take_output(self) -> Output:
        return Output("", truncated=False)

    def usage(self) -> Usage:
        return Usage(0.0, 0.0)

    def close(self) -> Outcome:
        self.closed = True
        return Outcome(StopReason.SIGNALLED)


class Host:
    """A launcher on a host with a GPU that does what a test says."""

    def __init__(self, check: Script, time: Script | None = None) -> None:
        self._scripts = {"check": check, "time": time}
        self.started: list[tuple[str, Played]] = []
        self.waits = 0

    def offers(self, environment: Environment) -> bool:
        return True

    def start(self, spec: ProgramSpec) -> Played:
        assert spec.environment is Environment.GPU
        module = spec.argv[2]
        program = Played(self._check if module.endswith("checker") else self._execute)
        if module.endswith("executor"):
            program.frames.append(wire.pack({"properties": PROPERTIES}))
        self.started.append((module.rsplit(".", 1)[1], program))
        return program

    def run(self, spec: ProgramSpec, collect: tuple[str, ...] = ()) -> Finished:
        raise AssertionError("nothing is run to its end here")

    def _execute(self, message: dict[str, Any], blobs: list[bytes]) -> list[Answer]:
        if message["do"] == "open":
            return [({"waiting": True}, [])] * self.waits + [({}, [])]
        script = self._scripts[message["do"]]
        assert script is not None
        return [script(message)]

    def _check(self, message: dict[str, Any], blobs: list[bytes]) -> list[Answer]:
        found = compare_results(
            NumpyArrays(),
            message["operation"],
            message["given"],
            message["seed"],
            list(zip(blobs, message["strides"], strict=True)),
        )
        return [({"comparisons": [comparison_to_json(one) for one in found]}, [])]


class Recorded:
    """A record of a call that returned one tensor of `shape`."""

    blobs = (b"cubin",)

    def __init__(self, shape: Sequence[int] = (3, 8), dtype: str = "fp16") -> None:
        self.message = {"results": [{"shape": list(shape), "dtype": dtype}]}
        self._result = Result(Pointer("BUF0", 0), tuple(shape), (shape[1], 1), dtype)

    def plan_message(self) -> dict[str, Any]:
        return {"format": 1}

    def plan(self) -> Plan:
        return Plan(TARGETS["sm_90"], (), (), (), (self._result,))


def softmax(seed: int) -> bytes:
    """The right result on the inputs of `seed`."""
    call = OPERATIONS["softmax"].call(GIVEN)
    x = NumpyArrays().tensor(call.tensors[0], seed, 0)
    terms = np.exp(x - x.max(axis=1, keepdims=True))
    return narrow(terms / terms.sum(axis=1, keepdims=True), call.outputs[0].dtype).tobytes()


def fine(message: dict[str, Any], **noticed: Any) -> Answer:
    told = {"trespasses": [], "changed_inputs": {}, "differing_bytes": [0], **noticed}
    return {**told, "configurations_s": []}, [softmax(message["seed"])]


def timed(message: dict[str, Any], ratio: float = 1.1, time_s: float = 1e-3) -> Answer:
    seeds = message["seeds"]
    return {
        "candidate_s": [ratio * time_s] * 60,
        "reference_s": [time_s] * 60,
        "results": [0, 1],
        "trespasses": [],
        "configurations_s": [[2e-3, 1e-3]],
    }, [softmax(seeds[0]), softmax(seeds[1])]


def judge(
    host: Host, record: Recorded | None = None, reference: Recorded | None = None, **given: Any
) -> CaseResult:
    session = Session(host, "softmax")
    try:
        case = Case("a-case", "something", sample=True, input={**GIVEN, **given})
        return session.judge_case(
            case, cast(Record, record or Recorded()), cast("Record | None", reference), seed=7
        )
    finally:
        session.close()


def test_a_right_result_is_accepted_and_every_program_ends() -> None:
    host = Host(fine)
    host.waits = 3  # another judging has the GPU meanwhile
    result = judge(host)
    assert result.verdict is Verdict.ACCEPTED
    assert result.metrics == {"deterministic": True}
    assert all(program.closed for _, program in host.started)


def test_the_seed_of_the_inputs_is_neither_the_judgings_nor_another_cases() -> None:
    seen = []

    def check(message: dict[str, Any]) -> Answer:
        seen.append(message["seed"])
        return fine(message)

    judge(Host(check))
    session = Session(Host(check), "softmax")
    other = Case("another", "something", sample=True, input=GIVEN)
    session.judge_case(other, cast(Record, Recorded()), None, seed=7)
    assert len({7, *seen}) == 3


def test_a_wrong_element_is_shown_with_its_heat_map_and_can_be_replayed() -> None:
    def check(message: dict[str, Any]) -> Answer:
        told, (data,) = fine(message)
        words = np.frombuffer(data, "<u2").copy()
        words[13] ^= 0x0100
        return told, [words.tobytes()]

    result = judge(Host(check))
    assert result.verdict is Verdict.WRONG_ANSWER
    assert result.counterexample is not None
    assert result.counterexample.kind == "tile"
    assert result.counterexample.data["index"] == [1, 5]
    assert result.counterexample.replay == {"case": "a-case", "seed": 7}


def test_what_was_never_written_is_called_so() -> None:
    def check(message: dict[str, Any]) -> Answer:
        told, (data,) = fine(message)
        return told, [data[:-2] + b"\xff\xff"]

    result = judge(Host(check))
    assert result.counterexample is not None
    assert result.counterexample.data["fault"] == "not_written"


def test_a_second_run_that_is_wrong_is_noticed_though_the_first_is_right() -> None:
    def check(message: dict[str, Any]) -> Answer:
        told, (data,) = fine(message, differing_bytes=[2])
        return told, [data, b"\x00\x00" + data[2:]]

    assert judge(Host(check)).verdict is Verdict.WRONG_ANSWER


def test_two_right_runs_that_differ_are_accepted_with_a_note() -> None:
    def check(message: dict[str, Any]) -> Answer:
        told, (data,) = fine(message, differing_bytes=[1])
        return told, [data, data]

    result = judge(Host(check))
    assert result.verdict is Verdict.ACCEPTED
    assert result.metrics["deterministic"] is False
    assert "atomic" in str(result.metrics["note"])


@pytest.mark.parametrize(
    ("noticed", "word"),
    [
        (
            {
                "trespasses": [
                    {"buffer": "BUF0", "before": False, "distance_bytes": 4, "n_bytes": 48}
                ]
            },
            "48 bytes behind BUF0",
        ),
        (
            {"trespasses": [{"buffer": "IN0", "before": True, "distance_bytes": 2, "n_bytes": 1}]},
            "1 byte before x",
        ),
        ({"changed_inputs": {"IN0": 12}}, "12 words of x changed"),
    ],
)
def test_writing_elsewhere_is_refused_though_the_result_is_right(
    noticed: dict[str, Any], word: str
) -> None:
    result = judge(Host(lambda message: fine(message, **noticed)))
    assert result.verdict is Verdict.WRONG_ANSWER
    assert word in result.message


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("ENDLESS", Verdict.TIME_LIMIT),
        ("CUDA_ERROR_OUT_OF_MEMORY", Verdict.MEMORY_LIMIT),
        ("CUDA_ERROR_ILLEGAL_ADDRESS", Verdict.RUNTIME_ERROR),
        ("CUDA_ERROR_SOMETHING_NEW", Verdict.RUNTIME_ERROR),
    ],
)
def test_a_fault_of_the_device_is_the_submissions_verdict(code: str, verdict: Verdict) -> None:
    result = judge(Host(lambda message: ({"fault": code}, [])))
    assert result.verdict is verdict
    assert result.counterexample is not None


def test_after_a_fault_the_next_case_gets_an_executor_of_its_own() -> None:
    faulty = [True]

    def check(message: dict[str, Any]) -> Answer:
        return ({"fault": "CUDA_ERROR_ILLEGAL_ADDRESS"}, []) if faulty.pop() else fine(message)

    host = Host(check)
    session = Session(host, "softmax")
    case = Case("a-case", "something", sample=True, input=GIVEN)
    first = session.judge_case(case, cast(Record, Recorded()), None, seed=1)
    faulty.append(False)
    second = session.judge_case(case, cast(Record, Recorded()), None, seed=1)
    assert (first.verdict, second.verdict) == (Verdict.RUNTIME_ERROR, Verdict.ACCEPTED)
    executors = [program for name, program in host.started if name == "executor"]
    assert [program.closed for program in executors] == [True, False]


@pytest.mark.parametrize("record", [Recorded((3, 9)), Recorded(dtype="fp32")])
def test_another_shape_or_type_is_refused_before_the_gpu_is_taken(record: Recorded) -> None:
    def check(message: dict[str, Any]) -> Answer:
        raise AssertionError("the GPU was asked")

    assert judge(Host(check), record).verdict is Verdict.WRONG_ANSWER


def test_our_own_programs_end_is_our_fault() -> None:
    class Silent(Host):
        def _execute(self, message: dict[str, Any], blobs: list[bytes]) -> list[Answer]:
            return []

    with pytest.raises(JudgeError, match="without an answer"):
        judge(Silent(fine))


def test_a_timed_case_tells_ratio_and_roofline() -> None:
    result = judge(Host(fine, timed), reference=Recorded())
    time = cast(dict[str, Any], result.metrics["kernel_time"])
    assert result.verdict is Verdict.ACCEPTED
    assert time["time_over_reference"] == pytest.approx(1.1)
    assert time["quarantined"] is False
    assert {one["label"] for one in time["roofline"]["points"]} == {"yours", "reference"}


def test_every_timed_result_is_compared() -> None:
    def time(message: dict[str, Any]) -> Answer:
        told, data = timed(message)
        return told, [data[0], data[0]]  # the second seed's call gave the first seed's answer

    result = judge(Host(fine, time), reference=Recorded())
    assert result.verdict is Verdict.WRONG_ANSWER


def test_a_time_below_the_floor_is_set_aside() -> None:
    result = judge(Host(fine, lambda message: timed(message, time_s=1e-15)), reference=Recorded())
    assert cast(dict[str, Any], result.metrics["kernel_time"])["quarantined"] is True


def test_a_case_that_is_wrong_is_not_timed() -> None:
    def check(message: dict[str, Any]) -> Answer:
        told, _ = fine(message)
        return told, [bytes(48)]

    def time(message: dict[str, Any]) -> Answer:
        raise AssertionError("a wrong kernel was timed")

    assert judge(Host(check, time), reference=Recorded()).verdict is Verdict.WRONG_ANSWER


def test_the_vendor_is_asked_once_and_a_worker_without_torch_has_none() -> None:
    gpu._vendor_times.clear()
    asked = []

    class Vendor(Host):
        def start(self, spec: ProgramSpec) -> Played:
            if not spec.argv[2].endswith("vendor"):
                return super().start(spec)
            asked.append(spec)
            answer = {
                "vendor": "cuBLAS",
                "reference_s": [1.02] * 60,
                "vendor_s": [1.0] * 60,
                "copy_bytes": 2e9,
                "copy_s": [1e-3] * 60,
                "reference_beside_copy_s": [1.25e-3] * 60,
            }
            return Played(lambda message, blobs: [(answer, [])])

    session = Session(Vendor(fine), "softmax")
    case = Case("a-case", "something", sample=True, input=GIVEN)
    told = [session.vendor(case, cast(Record, Recorded()), seed) for seed in (1, 2)]
    assert told[0] == told[1]
    assert len(asked) == 1
    assert told[0]["reference_over_vendor"] == 1.02
    assert told[0]["copy_gb_per_s"] == 2000.0
    assert math.isclose(cast(float, told[0]["reference_of_copy"]), 0.8)
    gpu._vendor_times.clear()

    class WithoutTorch(Host):
        def start(self, spec: ProgramSpec) -> Played:
            if spec.argv[2].endswith("vendor"):
                return Played(lambda message, blobs: [({"fault": "NO_TORCH"}, [])])
            return super().start(spec)

    assert Session(WithoutTorch(fine), "softmax").vendor(case, cast(Record, Recorded()), 1) == {}
    gpu._vendor_times.clear()
