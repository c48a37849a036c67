"""``python -m graders.kernel.executor``, the trusted executor: replays plans, holds the clock.

A process for each submission, so that a crash of the device's context, an endless kernel or what
is left in freed memory costs nobody else anything. It reads plans and cubins; no Python of a
candidate is ever here.

It begins by telling the GPU's properties. Requests, each answered by one message (or by ``fault``):

- ``open``: wait for the GPU and make a context.
- ``check``: ``plan``, ``tensors``, ``seed``, ``limit_s`` and cubins. Runs it twice on the same
  inputs. Answered with the results' bytes (those of the second run follow if they differ) and what
  was noticed: trespasses, changed inputs, bytes that differ.
- ``time``: ``plan`` and ``reference`` (the cubins of the first come first, ``n_blobs`` of them),
  ``tensors``, ``seeds``, ``limit_s``. Answered with ``candidate_s`` and
  ``reference_s``, and every distinct result of the candidate: ``results`` lists the seed's number
  of each, `blobs` hold the bytes, one for each result tensor.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from graders.harness import wire
from graders.kernel.device.alternation import Contender, alternate
from graders.kernel.device.driver import Device, DeviceFault
from graders.kernel.device.lock import gpu_locked
from graders.kernel.device.messages import inputs_of, plan_from
from graders.kernel.device.replay import OTHER_POISON, Inputs, Memory, Replay, fenced_bytes
from graders.kernel.device.trusted import Trusted, compile_trusted
from graders.kernel.streams import adopt_standard_streams
from graders.kernel.tensors_json import tensors_from_json

Answer = tuple[dict[str, Any], list[bytes]]


class Executor:
    """An open device, and what can be asked of it."""

    def __init__(self, device: Device, cubin: bytes) -> None:
        self._device = device
        self._trusted = Trusted(device, cubin)

    def check(self, request: dict[str, Any], blobs: list[bytes]) -> Answer:
        """Two runs on the same inputs."""
        tensors = inputs_of(tensors_from_json(request["tensors"]))
        plan = plan_from(request["plan"], blobs, tensors)
        seed, limit_s = int(request["seed"]), float(request["limit_s"])
        device, trusted = self._device, self._trusted
        inputs = Inputs(device, trusted, tensors)
        replay = Replay(device, plan, inputs)
        replay.pick_configurations(trusted, seed, limit_s)
        replay.prepare(trusted, seed)
        replay.run()
        first = replay.results(limit_s)
        digest = replay.digest(trusted)
        trespasses = [*inputs.fence.trespasses(), *replay.fence.trespasses()]
        changed = inputs.changed(device, seed)
        # Another poison, so that reading what nobody wrote shows.
        replay.prepare(trusted, seed, OTHER_POISON)
        replay.run()
        device.wait(limit_s)
        again = [] if replay.digest(trusted) == digest else replay.results(limit_s)
        differing = [_differing_bytes(*both) for both in zip(first, again, strict=False)]
        replay.free()
        inputs.fence.free()
        return {
            "trespasses": [asdict(one) for one in trespasses],
            "changed_inputs": changed,
            "differing_bytes": differing,
            "configurations_s": replay.configurations_s,
        }, first + again

    def time(self, request: dict[str, Any], blobs: list[bytes]) -> Answer:
        """Candidate against reference in alternation."""
        tensors = inputs_of(tensors_from_json(request["tensors"]))
        n_blobs = int(request["n_blobs"])
        limit_s = float(request["limit_s"])
        seeds = [int(seed) for seed in request["seeds"]]
        device, trusted = self._device, self._trusted
        inputs = Inputs(device, trusted, tensors)
        plans = [
            plan_from(request[name], cubins, tensors)
            for name, cubins in (("plan", blobs[:n_blobs]), ("reference", blobs[n_blobs:]))
        ]
        # The same places for both: where a buffer lies has its own influence on a time.
        memory = Memory(device, max(map(fenced_bytes, plans)))
        candidate, reference = (Replay(device, plan, inputs, memory) for plan in plans)
        for replay in (candidate, reference):
            replay.pick_configurations(trusted, seeds[0], limit_s)
        kept = DistinctResults(trusted, candidate, limit_s)

        def contender(replay: Replay, after: Callable[[int], None]) -> Contender:
            return Contender(lambda seed: replay.prepare(trusted, seed), replay.run, after)

        samples = alternate(
            device,
            contender(candidate, kept.note),
            contender(reference, lambda number: None),
            seeds,
            random.SystemRandom(),
            limit_s,
        )
        trespasses = [*inputs.fence.trespasses(), *candidate.fence.trespasses()]
        candidate.free()
        reference.free()
        inputs.fence.free()
        return {
            "candidate_s": samples.a_s,
            "reference_s": samples.b_s,
            "results": [number for number, _ in kept.all()],
            "trespasses": [asdict(one) for one in trespasses],
            "configurations_s": candidate.configurations_s,
        }, [data for _, result in kept.all() for data in result]


class DistinctResults:
    """Every result that a contender gave, each fetched once for its seed.

    On the device nothing is kept: what lies there, a later call could find and hand in.
    """

    def __init__(self, trusted: Trusted, replay: Replay, limit_s: float) -> None:
        self._trusted = trusted
        self._replay = replay
        self._limit_s = limit_s
        self._kept: dict[tuple[int, bytes], list[bytes]] = {}

    def note(self, number: int) -> None:
        """Look at what the call that just ended returned on seed `number`."""
        key = number, self._replay.digest(self._trusted)
        if key not in self._kept:
            self._kept[key] = self._replay.results(self._limit_s)

    def all(self) -> list[tuple[int, list[bytes]]]:
        """Each seed's number with a result, seed by seed."""
        return sorted(
            ((number, result) for (number, _), result in self._kept.items()),
            key=lambda one: one[0],
        )


def _differing_bytes(one: bytes, other: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(one, np.uint8) != np.frombuffer(other, np.uint8)))


def serve(lock_folder: Path) -> None:
    """Answer requests until the grader hangs up."""
    device = Device()
    cubin = compile_trusted(device.properties.architecture)  # before the lock: it takes no GPU
    wire.write_answer({"properties": asdict(device.properties)})
    if wire.read_request() is None:
        return
    tell = lambda: wire.write_answer({"waiting": True})  # noqa: E731
    with gpu_locked(lock_folder, device.properties.uuid, tell):
        device.open()
        executor = Executor(device, cubin)
        wire.write_answer({})
        methods = {"check": executor.check, "time": executor.time}
        while (request := wire.read_request()) is not None:
            message, blobs = request
            wire.write_answer(*_flat(methods[message["do"]](message, blobs)))


def _flat(answer: Answer) -> tuple[Any, ...]:
    message, blobs = answer
    return (message, *blobs)


def main() -> None:
    """Serve; a fault of the device is told and ends the process, since its context is lost."""
    adopt_standard_streams()
    try:
        serve(Path(os.environ["GPU_LOCK_DIR"]))
    except DeviceFault as fault:
        print(fault, file=sys.stderr)
        wire.write_answer({"fault": fault.code})
        sys.stderr.flush()
        os._exit(3)  # the driver's own clean-up would wait for a kernel that never ends


if __name__ == "__main__":
    main()
