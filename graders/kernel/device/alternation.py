"""Times two contenders in alternation, each call on fresh inputs, from a cold cache."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from graders.kernel.device.driver import Device
from graders.kernel.statistics import enough

WARM_UP_S = 0.05  # until the clocks have left idle


@dataclass(frozen=True, slots=True)
class Contender:
    """What is timed. `after` sees the number of the seed that the call ran on."""

    prepare: Callable[[int], None]  # enqueue what is not timed: inputs from a seed, ...
    run: Callable[[], None]  # enqueue what is timed
    after: Callable[[int], None]  # look at what it wrote


@dataclass(slots=True)
class Samples:
    """Seconds, in pairs measured next to each other."""

    a_s: list[float] = field(default_factory=list)
    b_s: list[float] = field(default_factory=list)


def alternate(
    device: Device,
    a: Contender,
    b: Contender,
    seeds: Sequence[int],
    order: random.Random,
    limit_s: float,
    done: Callable[[Sequence[float], Sequence[float], float], bool] = enough,
) -> Samples:
    """Measure A B B A A B B A ... until `done`.

    Parameters
    ----------
    seeds : sequence of int
        Each call runs on the inputs of one of these, which one nobody can foresee.
    limit_s : float
        For one call.

    Raises
    ------
    DeviceFault
        If a call failed or did not end in time.
    """
    start, end = device.event(), device.event()
    samples = Samples()

    def timed(contender: Contender) -> float:
        number = order.randrange(len(seeds))
        contender.prepare(seeds[number])
        device.record(start)
        contender.run()
        device.record(end)
        device.wait(limit_s)
        contender.after(number)
        return device.elapsed_s(start, end)

    warm_until = time.monotonic() + WARM_UP_S
    while True:
        timed(a)
        timed(b)
        if time.monotonic() >= warm_until:
            break
    began = time.monotonic()
    while not done(samples.a_s, samples.b_s, time.monotonic() - began):
        samples.a_s.append(timed(a))
        samples.b_s.append(timed(b))
        samples.b_s.append(timed(b))
        samples.a_s.append(timed(a))
    return samples
