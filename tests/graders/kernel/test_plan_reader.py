"""A plan comes from a stranger: whatever is wrong with one is found before anything is launched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from graders.kernel.plan import Alternatives, Copy, Fill, Launch, Pointer, Scalar, TensorMap
from graders.kernel.plan_reader import MAX_STEPS, PlanError, read_plan
from tests.graders.kernel.elf import cubin

INPUTS = {"IN0": 4096}
CUBIN = cubin("softmax", registers=40, parameters=(8, 8, 4, 8, 8))
MAP = {
    "buffer": "IN0", "offset_bytes": 0, "element_type": 6, "element_bytes": 2, "swizzle": 3,
    "shape": [32, 64], "strides": [64, 1], "block": [16, 64], "fill_nan": False,
}  # fmt: skip


def launch() -> dict[str, Any]:
    return {
        "launch": {
            "kernel": 0,
            "grid": [32, 1, 1],
            "arguments": [
                {"buffer": "IN0", "offset_bytes": 0},
                {"buffer": "BUF0", "offset_bytes": 16},
                {"type": "i32", "value": -5},
                {"null": 0},
                {"null": 0},
            ],
        }
    }


def message() -> dict[str, Any]:
    return {
        "format": 1,
        "target": "sm_90",
        "buffers": [{"name": "BUF0", "n_bytes": 4096}],
        "cubins": [0],
        "kernels": [
            {
                "name": "softmax",
                "threads": [128, 1, 1],
                "dynamic_shared_bytes": 1024,
                "cluster": 1,
                "cooperative": False,
                "programmatic_launch": False,
            }
        ],
        "steps": [
            {"fill": {"buffer": "BUF0", "offset_bytes": 0, "n_bytes": 4096, "pattern": "00"}},
            {"copy": {"to": ["BUF0", 0], "from": ["IN0", 1024], "n_bytes": 64}},
            launch(),
            {"alternatives": [[launch()], [launch()]]},
        ],
        "results": [
            {
                "buffer": "BUF0", "offset_bytes": 0, "shape": [32, 64], "strides": [64, 1],
                "dtype": "fp16",
            }
        ],
    }  # fmt: skip


def test_a_plan_is_read_field_by_field() -> None:
    plan = read_plan(message(), [CUBIN], INPUTS)
    fill, copied, step, choice = plan.steps
    assert fill == Fill(Pointer("BUF0", 0), 4096, b"\0")
    assert copied == Copy(Pointer("BUF0", 0), Pointer("IN0", 1024), 64)
    assert isinstance(step, Launch)
    assert step.grid == (32, 1, 1)
    assert step.arguments[2] == Scalar("i32", -5, b"\xfb\xff\xff\xff")
    assert isinstance(choice, Alternatives)
    assert len(choice.choices) == 2
    assert [buffer.is_input for buffer in plan.buffers] == [True, False]
    assert plan.results[0].extent_bytes == 4096
    assert plan.kernels[0].registers == 40


Change = Callable[[dict[str, Any]], object]


def at(path: str, value: object) -> Change:
    """Put `value` where `path` leads."""

    def change(given: dict[str, Any]) -> None:
        keys: list[Any] = [int(key) if key.isdigit() else key for key in path.split(".")]
        inside: Any = given
        for key in keys[:-1]:
            inside = inside[key]
        inside[keys[-1]] = value

    return change


FIRST = "steps.2.launch"
BROKEN: dict[str, tuple[Change, str]] = {
    "another format": (at("format", 2), "format must be 1"),
    "a format that is true": (at("format", True), "format must be 1"),
    "another chip": (at("target", "sm_75"), "target must be sm_80"),
    "a cubin for another chip": (at("target", "sm_80"), "must be sm_80, got 'sm_90'"),
    "an unknown key": (at("python", "import os"), "plan must be an object with"),
    "a buffer named as an input": (at("buffers.0.name", "IN0"), "must be BUF0, BUF1"),
    "a buffer twice": (
        lambda given: given["buffers"].append({"name": "BUF0", "n_bytes": 1}),
        "a name of its own",
    ),
    "a negative size": (at("buffers.0.n_bytes", -1), "whole number from 0"),
    "more memory than there is": (at("buffers.0.n_bytes", 1 << 50), "whole number from 0"),
    "too much together": (
        lambda given: given["buffers"].extend(
            {"name": f"BUF{i}", "n_bytes": 40 << 30} for i in (1, 2)
        ),
        "may allocate 64 GiB",
    ),
    "sixty-five buffers": (
        at("buffers", [{"name": f"BUF{i}", "n_bytes": 1} for i in range(65)]),
        "a list of at most 64",
    ),
    "a kernel that the cubin lacks": (at("kernels.0.name", "other"), "a kernel of its cubin"),
    "a name that is no name": (at("kernels.0.name", "a b"), "a kernel of its cubin"),
    "a cubin that is not there": (at("cubins", [1]), "from 0 to 0"),
    "too many threads": (at("kernels.0.threads", [1024, 2, 1]), "a block may have 1024 threads"),
    "no threads": (at("kernels.0.threads", [0, 1, 1]), "from 1 to 1024"),
    "too much shared memory": (
        at("kernels.0.dynamic_shared_bytes", 232449),
        "a block may use 232448 bytes of shared memory on sm_90, kernel softmax needs 232449",
    ),
    "a cluster that is too large": (at("kernels.0.cluster", 32), "from 1 to 16"),
    "a grid that no cluster divides": (
        lambda given: (at("kernels.0.cluster", 3)(given), None),
        "a multiple of 3",
    ),
    "a flag that is a number": (at("kernels.0.cooperative", 1), "true or false"),
    "an empty grid": (at(f"{FIRST}.grid", [0, 1, 1]), "from 1 to 2147483647"),
    "a grid that is too high": (at(f"{FIRST}.grid", [1, 65536, 1]), "from 1 to 65535"),
    "a grid of two": (at(f"{FIRST}.grid", [1, 1]), "three numbers"),
    "a kernel out of range": (at(f"{FIRST}.kernel", 1), "from 0 to 0"),
    "too few arguments": (at(f"{FIRST}.arguments", []), "must fill its kernel's parameters"),
    "an argument of another size": (
        at(f"{FIRST}.arguments.2", {"type": "i64", "value": 1}),
        "have 8, 8, 4, 8, 8 bytes, the arguments 8, 8, 8, 8, 8",
    ),
    "a pointer behind its buffer": (
        at(f"{FIRST}.arguments.0.offset_bytes", 4096),
        "less than 4096",
    ),
    "a pointer before its buffer": (at(f"{FIRST}.arguments.0.offset_bytes", -1), "from 0"),
    "a pointer to nowhere": (at(f"{FIRST}.arguments.0.buffer", "IN1"), "one of IN0, BUF0"),
    "an address for a pointer": (at(f"{FIRST}.arguments.0", 0x7F0000000000), "a buffer, a number"),
    "a number that does not fit": (
        at(f"{FIRST}.arguments.2.value", 1 << 31),
        "a number that fits i32",
    ),
    "a text for a number": (at(f"{FIRST}.arguments.2.value", "5"), "a whole number"),
    "a type that is none": (at(f"{FIRST}.arguments.2.type", "object"), "must be i8"),
    "a fill past the end": (at("steps.0.fill.n_bytes", 4097), "ends at byte 4097 of BUF0"),
    "a fill with three bytes": (at("steps.0.fill.pattern", "000000"), "1, 2, 4 or 8 bytes"),
    "a fill that its pattern does not divide": (
        lambda given: (
            at("steps.0.fill.pattern", "0011")(given),
            at("steps.0.fill.n_bytes", 7)(given),
        ),
        "a multiple of 2",
    ),
    "a copy onto itself": (
        at("steps.1.copy", {"to": ["BUF0", 0], "from": ["BUF0", 32], "n_bytes": 64}),
        "two ranges that do not overlap",
    ),
    "a copy past the end": (at("steps.1.copy.from", ["IN0", 4090]), "ends at byte 4154 of IN0"),
    "a step of another kind": (at("steps.0", {"python": "open('/etc/passwd')"}), "launch, fill"),
    "two steps in one": (
        lambda given: given["steps"][0].update(launch()),
        "launch, fill or copy",
    ),
    "no alternative": (at("steps.3.alternatives", []), "at least one"),
    "seventeen alternatives": (
        at("steps.3.alternatives", [[launch()]] * 17),
        "a list of at most 16",
    ),
    "alternatives inside alternatives": (
        at("steps.3.alternatives", [[{"alternatives": [[launch()]]}]]),
        "launch, fill or copy",
    ),
    "steps without end": (
        at("steps.3.alternatives", [[launch()] * MAX_STEPS] * 2),
        "a call may have 256 steps",
    ),
    "a result outside its buffer": (at("results.0.shape", [33, 64]), "ends at byte 4224 of BUF0"),
    "a result with a negative stride": (at("results.0.strides", [-64, 1]), "from 0"),
    "a result of objects": (at("results.0.dtype", "object"), "dtype must be"),
    "a result of two minds": (at("results.0.strides", [1]), "2 numbers"),
    "a map past its buffer": (
        at(f"{FIRST}.arguments.0", {"tensor_map": {**MAP, "shape": [33, 64]}}),
        "ends at byte 4224 of IN0",
    ),
    "a map with gaps inside rows": (
        at(f"{FIRST}.arguments.0", {"tensor_map": {**MAP, "strides": [64, 2]}}),
        "last stride 1",
    ),
    "a map with a box that is too large": (
        at(f"{FIRST}.arguments.0", {"tensor_map": {**MAP, "block": [257, 64]}}),
        "from 1 to 256",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_plan_that_breaks_a_rule_is_refused(name: str) -> None:
    change, said = BROKEN[name]
    given = copy.deepcopy(message())
    change(given)
    with pytest.raises(PlanError) as error:
        read_plan(given, [CUBIN], INPUTS)
    assert said in str(error.value)
    assert error.value.text.template  # it can be said in another language


def test_registers_that_no_block_can_have_are_told() -> None:
    hungry = cubin("softmax", registers=255, parameters=(8, 8, 4, 8, 8))
    given = message()
    given["kernels"][0]["threads"] = [512, 1, 1]
    with pytest.raises(PlanError, match="a block may use 65536 registers on sm_90"):
        read_plan(given, [hungry], INPUTS)


def test_a_tensor_map_is_read() -> None:
    given = message()
    given["steps"] = [launch()]
    given["steps"][0]["launch"]["arguments"][0] = {"tensor_map": MAP}
    mapped = cubin("softmax", parameters=(128, 8, 4, 8, 8))
    (step,) = read_plan(given, [mapped], INPUTS).steps
    assert isinstance(step, Launch)
    first = step.arguments[0]
    assert isinstance(first, TensorMap)
    assert first.shape == (32, 64)
    assert first.block == (16, 64)


@pytest.mark.parametrize("given", [None, [], "plan", 3, {}, {"format": 1}])
def test_what_is_no_plan_is_refused(given: object) -> None:
    with pytest.raises(PlanError, match="plan must be an object with"):
        read_plan(given, [], {})
