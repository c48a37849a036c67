"""Traces of requests: literal ones of a case, or drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from graders.simulation.continuous_batching.engine import Arrival
from graders.verdict import Json


def read(fields: Mapping[str, Any], seed: int) -> list[Arrival]:
    """A case's trace: ``requests`` as lists, or ``draw``.

    Raises
    ------
    ValueError
        If it is neither, or a request has no prompt or output.
    """
    if "requests" in fields:
        trace = [
            Arrival(str(name), float(at_ms), int(prompt), int(output))
            for name, at_ms, prompt, output in fields["requests"]
        ]
    elif "draw" in fields:
        trace = drawn(**fields["draw"], seed=seed)
    else:
        raise ValueError("a case must have requests or draw")
    if any(one.prompt < 1 or one.output < 1 or one.at_ms < 0 for one in trace):
        raise ValueError("every request must have a prompt and an output of 1 or more")
    if len({one.name for one in trace}) < len(trace):
        raise ValueError("requests must have different names")
    return trace


def to_json(trace: list[Arrival]) -> list[Json]:
    """The trace as ``requests``."""
    return [[one.name, one.at_ms, one.prompt, one.output] for one in trace]


def drawn(
    count: int,
    per_s: float,
    prompts: list[int],
    outputs: list[int],
    long_every: int,
    long_prompt: int,
    seed: int,
) -> list[Arrival]:
    """Poisson arrivals with prompts and outputs between two bounds; some prompts are long."""
    generator = random.Random(seed)  # noqa: S311  a replay gets the trace itself
    at_ms = 0.0
    trace = []
    for number in range(count):
        at_ms += generator.expovariate(per_s) * 1000
        prompt = generator.randint(*prompts)
        if long_every and number % long_every == long_every - 1:
            prompt = long_prompt
        output = generator.randint(*outputs)
        trace.append(Arrival(f"r{number}", round(at_ms, 1), prompt, output))
    return trace
