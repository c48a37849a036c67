"""What an operation of round 2 is: its arguments, its exact result, and how wrong right may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from graders.kernel.elements import DType
from graders.kernel.inputs import Fill

# numpy's or torch's array of float64. Every formula uses only what both libraries spell alike, so
# that the same lines give the small cases here and the large ones on the device.
Array = Any
Namespace = Any  # the module numpy or torch

# fp32 accumulation on tensor cores cuts where other units round, so that a step may lose a whole
# unit in the last place.
ACCUMULATOR_ULP = 2.0**-23
FP32_ROUNDOFF = 2.0**-24
EXACT_INTEGER_LIMIT = 2.0**24  # float32 holds every whole number up to here


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor argument. Strides and offset count elements of its storage."""

    name: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: DType
    fill: Fill
    storage_elements: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Scalar:
    """An argument that is a plain Python value."""

    name: str
    value: bool | int | float


@dataclass(frozen=True, slots=True)
class Output:
    """A tensor that the function returns."""

    name: str
    shape: tuple[int, ...]
    dtype: DType


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the candidate's function: positional arguments, and what it must return."""

    arguments: tuple[Tensor | Scalar, ...]
    outputs: tuple[Output, ...]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensor arguments; the n-th is the plan's buffer ``IN<n>`` and random stream n."""
        return tuple(one for one in self.arguments if isinstance(one, Tensor))


@dataclass(frozen=True, slots=True)
class Work:
    """What a call cannot do without: arithmetic, and each byte read or written once.

    `unit` names the unit that does the arithmetic: ``tensor`` (fp16 and bf16 tensor cores),
    ``fp32`` (scalar fused multiply-add).
    """

    flops: float
    bytes_read: float
    bytes_written: float
    unit: str


@dataclass(frozen=True, slots=True)
class Expected:
    """The exact result of one output, and how far correct arithmetic may be from it.

    `bound` covers the arithmetic before the last rounding; the comparison adds that rounding. Zero
    means that every order of additions is exact, so that the answer is the rounded exact one.
    """

    value: Array
    bound: Array


class Operation(Protocol):
    """One operation. `given` is a case's `input` mapping from problem.yaml."""

    def call(self, given: Mapping[str, Any]) -> Call:
        """Arguments and outputs.

        Raises
        ------
        ValueError
            If the mapping is not what this operation takes: the package's fault.
        """

    def work(self, given: Mapping[str, Any]) -> Work:
        """Operations and bytes."""

    def expected(
        self, xp: Namespace, given: Mapping[str, Any], tensors: Mapping[str, Array]
    ) -> list[Expected]:
        """Results in float64 with their bounds, one for each output."""


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Row-major strides in elements."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def packed(name: str, shape: tuple[int, ...], dtype: DType, fill: Fill) -> Tensor:
    """A contiguous tensor."""
    n_elements = 1
    for size in shape:
        n_elements *= size
    return Tensor(name, shape, contiguous(shape), dtype, fill, n_elements)


def gamma(n_steps: int, ulp: float) -> float:
    """Higham's gamma_n: the relative error that n successive roundings cannot exceed.

    Raises
    ------
    ValueError
        If so many steps have no bound.
    """
    if n_steps * ulp >= 0.5:
        raise ValueError(f"n * u must be below 0.5 for a bound, got {n_steps} * {ulp}")
    return n_steps * ulp / (1.0 - n_steps * ulp)


def whole_number(given: Mapping[str, Any], key: str, default: int | None = None) -> int:
    """A positive size from a case's input.

    Raises
    ------
    ValueError
        If it is missing or not a positive whole number.
    """
    value = given.get(key, default)
    if type(value) is not int or value < 1:
        raise ValueError(f"{key} must be a whole number from 1, got {value!r}")
    return value


def one_of(given: Mapping[str, Any], key: str, choices: tuple[str, ...], default: str) -> str:
    """A word from a case's input.

    Raises
    ------
    ValueError
        If it is none of `choices`.
    """
    value = given.get(key, default)
    if value not in choices:
        raise ValueError(f"{key} must be one of {', '.join(choices)}, got {value!r}")
    return str(value)


def known_keys(given: Mapping[str, Any], *keys: str) -> None:
    """Refuse a mistyped key.

    Raises
    ------
    ValueError
        If the case's input has a key that the operation does not read.
    """
    unknown = set(given) - set(keys)
    if unknown:
        raise ValueError(f"keys must be among {', '.join(keys)}, got {', '.join(sorted(unknown))}")
