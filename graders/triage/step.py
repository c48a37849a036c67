"""One training step, simulated: hosts launch, streams compute, ranks meet in collectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graders.triage.deviations import Deviation, Kernel, with_a_say
from graders.triage.machine import Args, Machine, Span, Track
from graders.triage.network import CHANNELS, LAUNCH_US, NCCL, RANKS, Network
from graders.triage.workload import (
    BACKWARD,
    COMPUTE_FLOP_PER_US,
    MEMORY_BYTES_PER_US,
    N_RANKS,
    PAGEABLE_BYTES_PER_US,
    PINNED_BYTES_PER_US,
    Module,
    Part,
    Workload,
)

STEP, MAIN = "step", "main thread"
LOADERS = ("loader worker 0", "loader worker 1")
WRITER = "checkpoint writer"
COMPUTE, COPY = "compute stream", "copy stream"
TRACKS = (STEP, MAIN, *LOADERS, WRITER, COMPUTE, NCCL, COPY, *CHANNELS)

CALL_US = 25.0  # a call of the runtime that does not wait


@dataclass(frozen=True, slots=True)
class Recording:
    """What happened: every span of every rank, and the time of the step."""

    spans: tuple[Span, ...]
    step_us: float  # from the first rank that begins to the last that ends


def simulate(workload: Workload, deviations: Sequence[Deviation] = ()) -> Recording:
    """The step of a job with these deviations from the ordinary.

    Deviations are told apart by their place in the sequence; each span says which of them changed
    it (`Span.touched`).
    """
    return _Step(workload, deviations).run()


class _Step:
    def __init__(self, workload: Workload, deviations: Sequence[Deviation]) -> None:
        self.workload = workload
        self.deviations = deviations
        self.machine = Machine()
        self.n_kernels = [0] * N_RANKS  # launched so far: a kernel's position
        self.longer_kernels = with_a_say(deviations, Deviation.longer_kernel)
        self.more_work = with_a_say(deviations, Deviation.more_work)
        self.pauses = with_a_say(deviations, Deviation.pause_us)
        self.copies = with_a_say(deviations, Deviation.copy_after)
        self.n_calls = 0  # of the main threads, the same for each rank
        self.network = Network(self.machine, workload, deviations)
        # When each rank's compute stream was done with each module, this pass and the one before.
        self.done_us: list[list[float]] = [[0.0] * N_RANKS for _ in workload.modules]

    def run(self) -> Recording:
        self._previous_step()
        begins_us = [self.machine.free_us(Track(rank, MAIN)) for rank in RANKS]
        self._checkpoint()
        batch_us = [self._batch(rank) for rank in RANKS]
        gradients_us = self._backward(self._forward(batch_us))
        for rank in RANKS:
            self._optimizer(rank, gradients_us[rank])
        ends_us = [self.machine.free_us(Track(rank, MAIN)) for rank in RANKS]
        for rank in RANKS:
            length_us = ends_us[rank] - begins_us[rank]
            self.machine.work(
                Track(rank, STEP),
                f"training step {self.workload.step}",
                "annotation",
                length_us,
                after_us=begins_us[rank],
            )
        return Recording(tuple(self.machine.spans), max(ends_us) - min(begins_us))

    # Before the passes

    def _previous_step(self) -> None:
        """The recording begins in the last moments of the step before."""
        for rank in RANKS:
            lead_us = self.workload.lead_us[rank]
            adam = self.machine.work(Track(rank, COMPUTE), "adam", "kernel", lead_us)
            self._wait_for_loss(rank, adam.end_us)

    def _checkpoint(self) -> None:
        """A snapshot into memory blocks for a moment; a thread of its own writes it."""
        for rank in RANKS:
            write_us, touched = self.workload.write_us[rank], set()
            until_us = 0.0
            for place, deviation in enumerate(self.deviations):
                changed_us = deviation.write_us(rank)
                if changed_us is not None:
                    write_us = changed_us
                    touched.add(place)
            waiting = {
                place
                for place, deviation in enumerate(self.deviations)
                if deviation.waits_for_write()
            }
            main = Track(rank, MAIN)
            snapshot_us = self.workload.snapshot_us * self.workload.host_noise[rank][0]
            write = self.machine.work(
                Track(rank, WRITER),
                "write shard",
                "io",
                write_us,
                after_us=self.machine.free_us(main) + snapshot_us,
                args={"step": self.workload.step - 1},
                touched=touched,
            )
            if waiting:
                until_us = write.end_us
            self.machine.work(
                main, "save_checkpoint", "python", snapshot_us, until_us=until_us, touched=waiting
            )

    def _batch(self, rank: int) -> float:
        """Take this step's batch and copy it to the GPU; when it is there."""
        fetches = [self._fetch(rank, 0), self._fetch(rank, 1)]
        taken = self.machine.work(
            Track(rank, MAIN),
            "next(data_loader)",
            "python",
            300.0,
            until_us=fetches[0].end_us + 100.0,
            touched=fetches[0].touched,
        )
        worker = Track(rank, LOADERS[self.workload.step % 2])
        name = f"fetch batch {self.workload.step + 2}"
        length_us = self.workload.next_fetch_us[(rank + 1) % N_RANKS]
        self.machine.work(worker, name, "io", length_us, after_us=taken.end_us)
        call = self.machine.work(Track(rank, MAIN), "cudaMemcpyAsync", "cuda_runtime", CALL_US)
        size_bytes = self.workload.batch_bytes * self._tokens(rank)[0] / self.workload.tokens[rank]
        copy = self.machine.work(
            Track(rank, COPY),
            "Memcpy HtoD (Pinned -> Device)",
            "gpu_memcpy",
            size_bytes / PINNED_BYTES_PER_US,
            after_us=call.start_us + LAUNCH_US,
            args={"bytes": round(size_bytes)},
        )
        return copy.end_us

    def _fetch(self, rank: int, ahead: int) -> Span:
        """A worker's fetch that was under way when the recording began, cut off there."""
        until_us = (self.workload.fetch_us, self.workload.next_fetch_us)[ahead][rank]
        touched = set()
        for place, deviation in enumerate(self.deviations):
            changed_us = deviation.fetch_us(rank, ahead)
            if changed_us is not None:
                until_us = changed_us
                touched.add(place)
        number = self.workload.step + ahead
        worker = Track(rank, LOADERS[number % 2])
        return self.machine.work(worker, f"fetch batch {number}", "io", until_us, touched=touched)

    # The passes

    def _forward(self, batch_us: list[float]) -> list[float]:
        """The forward pass; when the last module's weights were there, which backward uses."""
        modules = self.workload.modules
        weights_us = {0: self._gather(0, -1, -2, self._free_hosts_us())}
        for index, module in enumerate(modules):
            calls_us = self._launch("forward", module)
            for rank in RANKS:
                batch_there_us = batch_us[rank] if index == 0 else 0.0
                ready_us = max(calls_us[rank] + LAUNCH_US, weights_us[index][rank], batch_there_us)
                self.done_us[index][rank] = self._kernels(rank, module.parts, "", module, ready_us)
                self._copy_to_host(rank, index)
            for ahead in self._ahead(index, 1, weights_us):
                weights_us[ahead] = self._gather(ahead, index, index - 1, calls_us)
        return weights_us[len(modules) - 1]

    def _backward(self, last_weights_us: list[float]) -> list[float]:
        """The backward pass; when each rank has the sums of all gradients."""
        modules = self.workload.modules
        weights_us = {len(modules) - 1: last_weights_us}
        gradients_us = [0.0] * N_RANKS
        held_up_us = [0.0] * N_RANKS
        for index in reversed(range(len(modules))):
            module = modules[index]
            calls_us = self._launch("backward", module)
            for rank in RANKS:
                ready_us = max(
                    calls_us[rank] + LAUNCH_US, weights_us[index][rank], held_up_us[rank]
                )
                parts = tuple(reversed(module.parts))
                self.done_us[index][rank] = self._kernels(rank, parts, "_bwd", module, ready_us)
            for ahead in self._ahead(index, -1, weights_us):
                weights_us[ahead] = self._gather(ahead, index, index + 1, calls_us)
            waiting = [n for n, one in enumerate(self.deviations) if one.holds_up(index)]
            gradients_us = self.network.collective(
                "ReduceScatter", module, self.done_us[index], waiting
            )
            held_up_us = gradients_us if waiting else [0.0] * N_RANKS
        return gradients_us

    def _ahead(self, index: int, step: int, there: Mapping[int, list[float]]) -> list[int]:
        """The modules to gather while `index` computes: the next one, and with a small one its
        larger neighbour, which goes first because it takes longer."""
        modules, wanted = self.workload.modules, []
        ahead = index + step
        while 0 <= ahead < len(modules):
            wanted.append(ahead)
            if not modules[ahead].is_small:
                break
            ahead += step
        return [one for one in reversed(wanted) if one not in there]

    def _free_hosts_us(self) -> list[float]:
        return [self.machine.free_us(Track(rank, MAIN)) for rank in RANKS]

    def _gather(self, index: int, now: int, before: int, calls_us: list[float]) -> list[float]:
        """Bring the weights of module `index` while `now` computes; when they are there.

        There is room for two modules' weights: the one `before` must be done with its own.
        """
        module = self.workload.modules[index]
        late = [n for n, one in enumerate(self.deviations) if one.is_late(index)]
        if late:
            issued_us = self.done_us[now]
        else:
            known = 0 <= before < len(self.workload.modules)
            issued_us = [
                max(calls_us[rank], self.done_us[before][rank] if known else 0.0) for rank in RANKS
            ]
        return self.network.collective("AllGather", module, issued_us, late)

    def _optimizer(self, rank: int, gradients_us: float) -> None:
        """All gradients are there: update the weights, then wait for the loss's value."""
        call = self.machine.work(
            Track(rank, MAIN),
            "optimizer.step",
            "python",
            self.workload.launch_us * self.workload.host_noise[rank][1],
        )
        adam = self.machine.work(
            Track(rank, COMPUTE),
            "adam",
            "kernel",
            self.workload.optimizer_us,
            after_us=max(call.start_us + LAUNCH_US, gradients_us),
        )
        self._wait_for_loss(rank, adam.end_us)

    # Pieces

    def _launch(self, what: str, module: Module) -> list[float]:
        """Every main thread launches a module's pass; when each began to."""
        number, self.n_calls = self.n_calls, self.n_calls + 1
        factor = 1.0 if what == "forward" else 1.3
        calls_us = []
        for rank in RANKS:
            main = Track(rank, MAIN)
            for place, deviation in self.pauses:
                pause_us = deviation.pause_us(rank, number)
                if pause_us:
                    self.machine.work(
                        main, "gc.collect", "python", pause_us,
                        args={"generation": 2}, touched=[place],
                    )  # fmt: skip
            noise = self.workload.host_noise[rank][2 + number]
            cost_us = factor * self.workload.launch_us * noise
            calls_us.append(
                self.machine.work(main, f"{what} {module.name}", "python", cost_us).start_us
            )
        return calls_us

    def _kernels(
        self, rank: int, parts: tuple[Part, ...], suffix: str, module: Module, ready_us: float
    ) -> float:
        """A module's kernels one after the other; when the last is done."""
        tokens, more = self._tokens(rank)
        factor = BACKWARD if suffix else 1.0
        for part in parts:
            position = self.n_kernels[rank]
            self.n_kernels[rank] += 1
            flop = factor * part.flop_per_token * tokens
            size_bytes = factor * part.bytes_per_token * tokens
            cost_us = flop / COMPUTE_FLOP_PER_US + size_bytes / MEMORY_BYTES_PER_US
            cost_us *= self.workload.kernel_noise[rank][position]
            touched = set(more)
            for place, deviation in self.longer_kernels:
                longer = deviation.longer_kernel(Kernel(rank, position, compute_bound=flop > 0))
                if longer != 1.0:
                    cost_us *= longer
                    touched.add(place)
            work: Args = {"GFLOP": round(flop / 1e9)} if flop else {"bytes": round(size_bytes)}
            span = self.machine.work(
                Track(rank, COMPUTE),
                part.name + suffix,
                "kernel",
                cost_us,
                after_us=ready_us,
                args={"module": module.name, **work},
                touched=touched,
            )
        return span.end_us

    def _copy_to_host(self, rank: int, index: int) -> None:
        """A tensor for somebody on the host; without pinned memory the call waits for it."""
        for place, deviation in self.copies:
            wanted = deviation.copy_after(rank, index)
            if wanted is None:
                continue
            main = Track(rank, MAIN)
            speed = PINNED_BYTES_PER_US if wanted.pinned else PAGEABLE_BYTES_PER_US
            copy = self.machine.work(
                Track(rank, COPY if wanted.pinned else COMPUTE),
                f"Memcpy DtoH (Device -> {'Pinned' if wanted.pinned else 'Pageable'})",
                "gpu_memcpy",
                wanted.size_bytes / speed,
                after_us=max(self.machine.free_us(main) + LAUNCH_US, self.done_us[index][rank]),
                args={"bytes": round(wanted.size_bytes)},
                touched=[place],
            )
            self.machine.work(
                main,
                "cudaMemcpyAsync",
                "cuda_runtime",
                CALL_US,
                until_us=0.0 if wanted.pinned else copy.end_us,
                touched=[place],
            )

    def _wait_for_loss(self, rank: int, done_us: float) -> None:
        """``loss.item()``: four bytes to pageable memory, so the host waits for the stream."""
        copy = self.machine.work(
            Track(rank, COMPUTE),
            "Memcpy DtoH (Device -> Pageable)",
            "gpu_memcpy",
            3.0,
            after_us=done_us,
            args={"bytes": 4},
        )
        self.machine.work(
            Track(rank, MAIN), "cudaMemcpyAsync", "cuda_runtime", CALL_US, until_us=copy.end_us
        )

    def _tokens(self, rank: int) -> tuple[float, set[int]]:
        """The tokens that a rank computes, and which deviations changed their number."""
        tokens, touched = float(self.workload.tokens[rank]), set()
        for place, deviation in self.more_work:
            more = deviation.more_work(rank)
            if more != 1.0:
                tokens *= more
                touched.add(place)
        return tokens, touched
