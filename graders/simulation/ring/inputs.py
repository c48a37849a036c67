"""What a run of a collective is given: costs, sizes and the vectors drawn from a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from graders.text import Text, say, say_n
from graders.verdict import JsonObject

MAX_RANKS = 16
Vector: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


@dataclass(frozen=True, slots=True)
class Settings:
    """The grader's section of problem.yaml, as this simulator reads it."""

    entry_point: str
    step_time_limit_s: float
    alpha_s: float
    beta_s_per_byte: float

    @classmethod
    def parse(cls, settings: Mapping[str, Any]) -> Settings:
        parameters = settings["parameters"]
        unknown = set(parameters) - {"alpha_s", "beta_s_per_byte"}
        if unknown:
            raise ValueError(f"parameters must be alpha_s and beta_s_per_byte, got {unknown}")
        parsed = cls(
            str(settings["entry_point"]),
            float(settings["step_time_limit_s"]),
            float(parameters["alpha_s"]),
            float(parameters["beta_s_per_byte"]),
        )
        if parsed.alpha_s <= 0 or parsed.beta_s_per_byte <= 0:
            raise ValueError(f"costs must be positive, got {dict(parameters)}")
        return parsed


@dataclass(frozen=True, slots=True, order=True)
class Input:
    """What one run sums: `n_ranks` vectors of `length` elements. Ordered by size."""

    n_ranks: int
    length: int
    dtype: str

    @classmethod
    def parse(cls, fields: Mapping[str, object]) -> Input:
        """From a case's input.

        Raises
        ------
        ValueError
            If a key is unknown or missing, or a value out of its range.
        """
        if set(fields) != {"n_ranks", "length", "dtype"}:
            raise ValueError(f"input must have n_ranks, length and dtype, got {sorted(fields)}")
        n_ranks, length, dtype = fields["n_ranks"], fields["length"], fields["dtype"]
        if type(n_ranks) is not int or not 1 <= n_ranks <= MAX_RANKS:
            raise ValueError(f"n_ranks must be 1 to {MAX_RANKS}, got {n_ranks!r}")
        if type(length) is not int or not 0 <= length <= 1 << 20:
            raise ValueError(f"length must be 0 to {1 << 20}, got {length!r}")
        if dtype not in ("float64", "float32", "int64"):
            raise ValueError(f"dtype must be float64, float32 or int64, got {dtype!r}")
        return cls(n_ranks, length, str(dtype))

    def to_json(self) -> JsonObject:
        return {"n_ranks": self.n_ranks, "length": self.length, "dtype": self.dtype}

    @property
    def item_bytes(self) -> int:
        return np.dtype(self.dtype).itemsize

    @property
    def vector_bytes(self) -> int:
        return self.length * self.item_bytes

    def vectors(self, seed: int) -> list[Vector]:
        """The ranks' vectors, drawn from the seed; every element is 1 or more in magnitude.

        So a part that is missing or counted twice always stands out from rounding.
        """
        text = f"{seed}/{self.n_ranks}/{self.length}/{self.dtype}"
        entropy = int.from_bytes(hashlib.sha256(text.encode()).digest(), "little")
        generator = np.random.default_rng(entropy)
        shape = (self.n_ranks, self.length)
        sign = generator.choice([-1, 1], shape)
        if self.dtype == "int64":
            values = generator.integers(1, 1 << 40, shape) * sign
        else:
            values = generator.uniform(1, 2, shape) * sign
        return list(values.astype(self.dtype))

    def describe(self) -> Text:
        """``4 ranks, 10 elements of float64``."""
        return say(
            "{ranks}, {elements} of {dtype}",
            ranks=say_n("{count} rank", "{count} ranks", count=self.n_ranks),
            elements=say_n("{count} element", "{count} elements", count=self.length),
            dtype=self.dtype,
        )
