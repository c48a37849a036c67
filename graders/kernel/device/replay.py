"""A plan on the device: fenced buffers, packed launches, fresh inputs before each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from graders.kernel.device.driver import Device
from graders.kernel.device.launches import Module, PackedLaunch, pack
from graders.kernel.device.trusted import Trusted
from graders.kernel.elements import DType
from graders.kernel.inputs import Fill
from graders.kernel.plan import Alternatives, Copy, Launch, PlainStep, Plan
from graders.kernel.plan import Fill as FillStep

GUARD_BYTES = 64 << 10
ALIGNMENT_BYTES = 512
POISON = b"\xff\xff\xff\xff"  # a NaN in every floating-point type; guard bands hold it too
OTHER_POISON = b"\xff\x7f\xff\x7f"  # another NaN: who reads what nobody wrote answers differently
TRIALS_OF_A_CONFIGURATION = 3


@dataclass(frozen=True, slots=True)
class Input:
    """An input tensor's storage and how it is filled; the position is the random stream."""

    dtype: DType
    n_elements: int
    fill: Fill

    @property
    def n_bytes(self) -> int:
        return self.n_elements * self.dtype.n_bytes


@dataclass(frozen=True, slots=True)
class Trespass:
    """A guard band that was written to."""

    buffer: str
    before: bool  # the band before the buffer, not the one behind it
    distance_bytes: int  # from the buffer to the nearest byte that changed
    n_bytes: int  # changed


class Memory:
    """One allocation that several fences may use in turn, so that contenders use the same places.

    What one contender left there is poisoned before the next one runs.
    """

    def __init__(self, device: Device, n_bytes: int = 0) -> None:
        self._device = device
        self.n_bytes = n_bytes
        self.base = device.allocate(n_bytes) if n_bytes else 0

    def reserve(self, n_bytes: int) -> None:
        """Be at least so large. Memory with a fixed size must be large enough already."""
        if not self.n_bytes:
            self.n_bytes = n_bytes
            self.base = self._device.allocate(n_bytes)
        elif n_bytes > self.n_bytes:
            raise ValueError(f"{n_bytes} bytes must fit the memory, which has {self.n_bytes}")

    def free(self) -> None:
        """Give it back; safe to call twice."""
        if self.n_bytes:
            self._device.free(self.base)
            self.n_bytes = 0


def fenced_bytes(plan: Plan) -> int:
    """What the buffers of a plan need with their guard bands."""
    return GUARD_BYTES + sum(
        -(-one.n_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES + GUARD_BYTES
        for one in plan.buffers
        if not one.is_input
    )


class Fence:
    """Buffers in one allocation, each between two guard bands."""

    def __init__(
        self, device: Device, sizes: Sequence[tuple[str, int]], memory: Memory | None = None
    ) -> None:
        self._device = device
        self._sizes = dict(sizes)
        end = GUARD_BYTES
        places = {}
        for name, n_bytes in sizes:
            places[name] = end
            end += -(-n_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES + GUARD_BYTES
        self.memory = memory or Memory(device)
        self.memory.reserve(end)
        self.addresses = {name: self.memory.base + place for name, place in places.items()}
        self.poison(POISON)

    def poison(self, pattern: bytes) -> None:
        """Fill the buffers with `pattern`, and all else of the memory with POISON."""
        self._device.fill(self.memory.base, self.memory.n_bytes // 4 * 4, POISON)
        if pattern != POISON:
            for name, address in self.addresses.items():
                self._device.fill(address, self._sizes[name] // 4 * 4, pattern)

    def trespasses(self) -> Iterator[Trespass]:
        """Guard bands that no longer hold the poison."""
        for name, address in self.addresses.items():
            n_bytes = self._sizes[name]
            before = self._device.read(address - GUARD_BYTES, GUARD_BYTES)
            if before.count(0xFF) != GUARD_BYTES:
                last = max(i for i, byte in enumerate(before) if byte != 0xFF)
                yield Trespass(name, True, GUARD_BYTES - last, _changed(before))
            behind = self._device.read(address + n_bytes, GUARD_BYTES)
            if behind.count(0xFF) != GUARD_BYTES:
                first = next(i for i, byte in enumerate(behind) if byte != 0xFF)
                yield Trespass(name, False, first, _changed(behind))

    def free(self) -> None:
        """Give the memory back, if it is this fence's own."""
        self.memory.free()


def _changed(band: bytes) -> int:
    return GUARD_BYTES - band.count(0xFF)


class Inputs:
    """The input tensors of a call, drawn anew from a seed whenever asked."""

    def __init__(self, device: Device, trusted: Trusted, tensors: Sequence[Input]) -> None:
        self._trusted = trusted
        self._tensors = tensors
        self.fence = Fence(device, [(f"IN{i}", tensor.n_bytes) for i, tensor in enumerate(tensors)])
        self._draws: dict[int, list[PackedLaunch]] = {}

    def draw(self, seed: int) -> None:
        """Overwrite them with the tensors of this seed, in stream order."""
        if seed not in self._draws:
            self._draws[seed] = self._launches(seed, self.fence)
        for launch in self._draws[seed]:
            launch.enqueue()

    def changed(self, device: Device, seed: int) -> dict[str, int]:
        """Which inputs are no longer those of `seed`, and in how many 4-byte words."""
        again = Fence(device, [(f"IN{i}", one.n_bytes) for i, one in enumerate(self._tensors)])
        try:
            for launch in self._launches(seed, again):
                launch.enqueue()
            found = {}
            for name, address in self.fence.addresses.items():
                # The bands are alike, so the bytes up to the next word may be compared as well.
                n_bytes = -(-self._tensors[int(name[2:])].n_bytes // 4) * 4
                count = self._trusted.count_differences(address, again.addresses[name], n_bytes)
                if count:
                    found[name] = count
            return found
        finally:
            again.free()

    def _launches(self, seed: int, fence: Fence) -> list[PackedLaunch]:
        return [
            self._trusted.drawing(
                fence.addresses[f"IN{i}"], tensor.fill, tensor.dtype, tensor.n_elements, seed, i
            )
            for i, tensor in enumerate(self._tensors)
            if tensor.n_elements
        ]


class Replay:
    """One plan, packed for a device. `run` enqueues it; nothing else of it happens ever."""

    def __init__(
        self, device: Device, plan: Plan, inputs: Inputs, memory: Memory | None = None
    ) -> None:
        self._device = device
        self._plan = plan
        self._inputs = inputs
        self.fence = Fence(
            device,
            [(one.name, one.n_bytes) for one in plan.buffers if not one.is_input],
            memory,
        )
        self._addresses = {**inputs.fence.addresses, **self.fence.addresses}
        self._modules: dict[bytes, Module] = {}
        self._first = True
        self._steps = [
            [[self._action(step) for step in choice] for choice in _choices(step)]
            for step in plan.steps
        ]
        self._picks = [0] * len(plan.steps)
        # Seconds of each configuration of each autotuned call.
        self.configurations_s: list[list[float]] = []
        self._results = [
            (self._addresses[one.at.buffer] + one.at.offset_bytes, one.extent_bytes)
            for one in plan.results
        ]

    def run(self, stop: int | None = None) -> None:
        """Enqueue the plan's steps (before number `stop`), with the configurations picked."""
        for step, pick in zip(self._steps[:stop], self._picks[:stop], strict=True):
            for enqueue in step[pick]:
                enqueue()

    def prepare(
        self,
        trusted: Trusted,
        seed: int,
        poison: bytes = POISON,
    ) -> None:
        """Fresh inputs, poisoned buffers, a cold cache, nothing left in shared memory.

        Poisoning covers what another contender wrote into the same memory: it would be an answer.
        """
        self._inputs.draw(seed)
        self.fence.poison(poison)
        trusted.scrub_shared()
        trusted.flush_l2()

    def results(self, limit_s: float) -> list[bytes]:
        """What the call returned.

        Raises
        ------
        DeviceFault
            If a kernel failed, or did not end within `limit_s`.
        """
        self._device.wait(limit_s)
        return [self._device.read(address, n_bytes) for address, n_bytes in self._results]

    def digest(self, trusted: Trusted) -> bytes:
        """What the call returned, in 16 bytes for each result."""
        return trusted.digest(self._results)

    def pick_configurations(self, trusted: Trusted, seed: int, limit_s: float) -> None:
        """Time each configuration of each autotuned call, and keep the fastest.

        Raises
        ------
        DeviceFault
            If a kernel failed, or did not end within `limit_s`.
        """
        start, end = self._device.event(), self._device.event()
        for index, step in enumerate(self._steps):
            if len(step) == 1:
                continue
            times = []
            for choice in range(len(step)):
                self._picks[index] = choice
                samples = []
                for _ in range(TRIALS_OF_A_CONFIGURATION):
                    self.prepare(trusted, seed)
                    self.run(index)
                    self._device.record(start)
                    for enqueue in step[choice]:
                        enqueue()
                    self._device.record(end)
                    self._device.wait(limit_s)
                    samples.append(self._device.elapsed_s(start, end))
                times.append(min(samples))
            self._picks[index] = times.index(min(times))
            self.configurations_s.append(times)

    def free(self) -> None:
        """Give back all memory; the packed launches must not run any more."""
        self.fence.free()
        for module in self._modules.values():
            module.unload()

    def _action(self, step: PlainStep) -> Callable[[], None]:
        device, addresses = self._device, self._addresses
        if isinstance(step, Launch):
            kernel = self._plan.kernels[step.kernel]
            module = self._modules.get(kernel.cubin)
            if module is None:
                module = self._modules[kernel.cubin] = Module(kernel.cubin)
            function = module.function(kernel.name, kernel.dynamic_shared_bytes)
            launch = pack(device, function, kernel, step, addresses, first=self._first)
            self._first = False
            return launch.enqueue
        to = addresses[step.to.buffer] + step.to.offset_bytes
        if isinstance(step, FillStep):
            pattern, n_bytes = step.pattern, step.n_bytes
            return lambda: device.fill(to, n_bytes, pattern)
        if isinstance(step, Copy):
            source = addresses[step.source.buffer] + step.source.offset_bytes
            return lambda: device.copy(to, source, step.n_bytes)
        assert_never(step)


def _choices(step: PlainStep | Alternatives) -> tuple[tuple[PlainStep, ...], ...]:
    return step.choices if isinstance(step, Alternatives) else ((step,),)
