"""Collectives: all ranks meet on their NCCL streams, then every channel of every rank sends."""

from __future__ import annotations

from collections.abc import Sequence

from graders.triage.deviations import Deviation, with_a_say
from graders.triage.machine import UNTOUCHED, Args, Machine, Track
from graders.triage.workload import (
    BYTES_PER_PARAMETER,
    CHANNEL_BYTES_PER_US,
    N_CHANNELS,
    N_RANKS,
    Module,
    Workload,
)

NCCL = "nccl stream"
CHANNELS = tuple(f"network channel {channel}" for channel in range(N_CHANNELS))
RANKS = range(N_RANKS)
_STREAMS = [Track(rank, NCCL) for rank in RANKS]
_SENDERS = [[Track(rank, name) for name in CHANNELS] for rank in RANKS]
_SENDS = [f"send to rank {(rank + 1) % N_RANKS}" for rank in RANKS]  # round the ring
LAUNCH_US = 30.0  # from the call on the host to the stream
LATENCY_US = 40.0  # from the last byte to the end of the kernel


class Network:
    """The collectives of one step, in the order in which they are issued."""

    def __init__(
        self, machine: Machine, workload: Workload, deviations: Sequence[Deviation]
    ) -> None:
        self.machine = machine
        self.workload = workload
        self.longer_sends = with_a_say(deviations, Deviation.longer_send)
        self.n_collectives = 0

    def collective(
        self,
        what: str,
        module: Module,
        issued_us: Sequence[float],
        out_of_step: Sequence[int],
    ) -> list[float]:
        """One all-gather or reduce-scatter of a module; when it is over on each rank.

        A ring is as fast as its slowest link, so it is over for everybody at once.

        Parameters
        ----------
        issued_us : sequence of float
            When each rank's stream may begin with it.
        out_of_step : sequence of int
            The deviations by which it does not run beside the computing as it should.
        """
        starts_us, met_us = self.machine.meet(_STREAMS, [us + LAUNCH_US for us in issued_us])
        size_bytes = BYTES_PER_PARAMETER * module.parameters
        last_us, lengthened_by = self._send(module, size_bytes, met_us, frozenset(out_of_step))
        end_us = last_us + LATENCY_US
        suffix = "_Sum_bf16" if what == "ReduceScatter" else ""
        args: Args = {"module": module.name, "bytes": round(size_bytes)}
        for rank in RANKS:
            self.machine.work(
                _STREAMS[rank],
                f"ncclDevKernel_{what}{suffix}_RING_LL",
                "nccl",
                end_us - starts_us[rank],
                after_us=starts_us[rank],
                args=args,
                touched=lengthened_by.union(out_of_step),
            )
        self.n_collectives += 1
        return [end_us] * N_RANKS

    def _send(
        self, module: Module, size_bytes: float, met_us: float, out_of_step: frozenset[int]
    ) -> tuple[float, frozenset[int]]:
        """Every channel's part of a ring's bytes; when the last is over, and what delayed it."""
        part_bytes = size_bytes * (N_RANKS - 1) / N_RANKS / N_CHANNELS
        usual_us = part_bytes / CHANNEL_BYTES_PER_US
        args: Args = {"module": module.name, "bytes": round(part_bytes)}
        last_us = ordinary_last_us = met_us
        last_touched = UNTOUCHED
        for rank in RANKS:
            noise = self.workload.send_noise[rank]
            for channel, track in enumerate(_SENDERS[rank]):
                cost_us = usual_us * noise[self.n_collectives * N_CHANNELS + channel]
                ordinary_last_us = max(ordinary_last_us, met_us + cost_us)
                factor, touched = self._longer(rank, channel)
                send = self.machine.work(
                    track,
                    _SENDS[rank],
                    "network",
                    cost_us * factor,
                    after_us=met_us,
                    args=args,
                    touched=touched | out_of_step,
                )
                if send.end_us > last_us:
                    last_us, last_touched = send.end_us, touched
        return last_us, last_touched if last_us > ordinary_last_us else UNTOUCHED

    def _longer(self, rank: int, channel: int) -> tuple[float, frozenset[int]]:
        """The factor on a channel's time now, and the deviations that it comes from."""
        factor, touched = 1.0, UNTOUCHED
        for place, deviation in self.longer_sends:
            longer = deviation.longer_send(rank, channel, self.n_collectives)
            if longer != 1.0:
                factor *= longer
                touched |= {place}
        return factor, touched
