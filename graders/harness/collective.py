"""One rank of a collective: imports the submission and calls it when the grader says so.

Run as ``python -m graders.harness.collective ENTRY_POINT`` beside a file ``submission.py``. Each
rank is a program of its own, so ranks share nothing but what the grader carries between them.

Only a wait for a request that is not known to be complete, and the end of a call, cross the pipe:
what was posted before goes along in the same frame. The grader answers a wait with every request
of this rank that is complete by then; a payload is laid into its array only when its own request
is waited for, so that nobody can come to rely on early arrival.
"""

from __future__ import annotations

import contextlib
import operator
import os
import sys
import types
from typing import Any

# One thread a process is all that the sandbox allows, and numpy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from graders.harness import candidate, wire
from graders.text import Text, say, to_json

_frombuffer = np.frombuffer  # as it was before the submission could replace it


class Misuse(Exception):
    """A buffer was touched while its message was on the way; the call cannot go on."""

    def __init__(self, fault: Text) -> None:
        super().__init__(fault)
        self.fault = fault


class Request:
    """A send or a receive on its way; from `Comm.isend` or `Comm.irecv`."""

    def __init__(self, comm: Comm, number: int, name: str, array: np.ndarray[Any, Any]) -> None:
        self._comm = comm
        self._number = number
        self._name = name
        self._array = array
        self._snapshot = array.tobytes()
        self._waited = False

    def wait(self) -> None:
        """Block until the message has been sent and received; waiting again does nothing."""
        if self._waited:
            return
        payload = self._comm._complete(self._number)
        self._waited = True
        if self._array.tobytes() != self._snapshot:
            self._comm._misuse = Misuse(
                say(
                    "the array given to {call} must not change before its wait() returns, "
                    "but it did: your code or another receive wrote into it",
                    call=self._name,
                )
            )
            raise self._comm._misuse
        if payload is not None:
            self._array[...] = _frombuffer(payload, self._array.dtype)


class Comm:
    """A rank's view of the ring."""

    def __init__(self, run: int, rank: int, size: int, buffer: np.ndarray[Any, Any]) -> None:
        self.rank = rank
        self.size = size
        self._run = run
        self._buffer = buffer
        self._n_requests = 0
        self._ops: list[dict[str, Any]] = []
        self._blobs: list[bytes] = []
        self._receives: set[int] = set()
        self._completed: dict[int, bytes | None] = {}
        self._misuse: Misuse | None = None

    def isend(self, array: np.ndarray[Any, Any], dst: int) -> Request:
        """Begin to send a copy of `array` (1-D) to rank `dst`."""
        name = f"isend(array, dst={dst})"
        self._check("isend", array, "dst", dst)
        number = self._post("send", array, operator.index(dst))
        self._blobs.append(array.tobytes())
        return Request(self, number, name, array)

    def irecv(self, array: np.ndarray[Any, Any], src: int) -> Request:
        """Begin to receive from rank `src` into `array` (1-D, as long as what is sent)."""
        name = f"irecv(array, src={src})"
        self._check("irecv", array, "src", src)
        if not array.flags.writeable:
            raise ValueError(say("irecv: array must be writeable, got a read-only one"))
        number = self._post("recv", array, operator.index(src))
        self._receives.add(number)
        _poison(array)
        return Request(self, number, name, array)

    def _check(self, function: str, array: object, name: str, peer: object) -> None:
        if not isinstance(array, np.ndarray):
            raise TypeError(
                say(
                    "{function}: array must be a numpy array, got {kind}",
                    function=function,
                    kind=type(array).__name__[:80],
                )
            )
        if array.ndim != 1:
            raise ValueError(
                say(
                    "{function}: array must be 1-D, got shape {shape}",
                    function=function,
                    shape=str(array.shape),
                )
            )
        if array.dtype.kind not in "biufc":
            raise TypeError(
                say(
                    "{function}: array must hold numbers, got dtype {dtype}",
                    function=function,
                    dtype=str(array.dtype)[:80],
                )
            )
        try:
            rank = operator.index(peer)  # type: ignore[arg-type]
        except TypeError:
            raise TypeError(
                say(
                    "{function}: {name} must be an integer, got {kind}",
                    function=function,
                    name=name,
                    kind=type(peer).__name__[:80],
                )
            ) from None
        if not 0 <= rank < self.size:
            raise ValueError(
                say(
                    "{function}: {name} must be 0 to {last}, got {rank}",
                    function=function,
                    name=name,
                    last=self.size - 1,
                    rank=str(rank)[:80],
                )
            )
        if rank == self.rank:
            raise ValueError(
                say(
                    "{function}: {name} must be another rank, got {rank} on rank {rank}",
                    function=function,
                    name=name,
                    rank=rank,
                )
            )

    def _post(self, op: str, array: np.ndarray[Any, Any], peer: int) -> int:
        number = self._n_requests
        self._n_requests += 1
        self._ops.append(
            {
                "op": op,
                "request": number,
                "peer": peer,
                "dtype": array.dtype.str,
                "count": array.size,
                "first": _first_element(array, self._buffer),
            }
        )
        return number

    def _complete(self, number: int) -> bytes | None:
        """Wait for a request; the payload if it is a receive."""
        self._ops.append({"op": "wait", "request": number})
        if number not in self._completed:
            self._tell("wait")
            answer = wire.read_request()
            if answer is None:
                os._exit(0)
            message, blobs = answer
            payloads = iter(blobs)
            for completed in message["requests"]:
                is_receive = completed in self._receives
                self._completed[completed] = next(payloads) if is_receive else None
        return self._completed.pop(number)

    def _tell(self, kind: str, *blobs: bytes, **more: Any) -> None:
        _flush()
        message = {"type": kind, "run": self._run, "ops": self._ops, **more}
        wire.write_answer(message, *self._blobs, *blobs)
        self._ops, self._blobs = [], []


def _flush() -> None:
    """Let what was printed out now: a rank that is killed while it waits flushes nothing."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def _poison(array: np.ndarray[Any, Any]) -> None:
    """Make what may not be read visible if it is read: NaN, or the smallest integer."""
    if array.dtype.kind in "iu":
        array.fill(np.iinfo(array.dtype).min)
    else:
        array.fill(np.nan)


def _first_element(array: np.ndarray[Any, Any], buffer: np.ndarray[Any, Any]) -> int | None:
    """Where `array` begins in `buffer`, in elements; None if it is no contiguous part of it."""
    if array.dtype != buffer.dtype or array.size == 0 or not array.flags.c_contiguous:
        return None
    begin = array.__array_interface__["data"][0] - buffer.__array_interface__["data"][0]
    if begin < 0 or begin + array.nbytes > buffer.nbytes or begin % buffer.itemsize:
        return None
    return int(begin // buffer.itemsize)


def _serve(code: types.CodeType, entry_point: str, message: dict[str, Any], blob: bytes) -> None:
    buffer = _frombuffer(blob, message["dtype"]).copy()
    comm = Comm(message["run"], message["rank"], message["size"], buffer)
    try:
        returned = candidate.load(code, entry_point)(comm, buffer)
        if comm._misuse is not None:  # the submission caught it
            raise comm._misuse
    except Misuse as misuse:
        comm._tell("misuse", **{**candidate.explain(misuse), "message": to_json(misuse.fault)})
    except BaseException as error:
        comm._tell("raised", **candidate.explain(error))
    else:
        name = None if returned is None else type(returned).__name__
        comm._tell("returned", buffer.tobytes(), returned=name)


def main(entry_point: str) -> None:
    """Import once to see whether it works, then serve one call a request until hung up on."""
    code = candidate.prepare(entry_point)
    if code is None:
        return
    while (request := wire.read_request()) is not None:
        message, blobs = request
        if message["type"] == "settle":
            wire.write_answer({"type": "settled", "run": message["run"]})
            continue
        _serve(code, entry_point, message, blobs[0])


if __name__ == "__main__":
    main(sys.argv[1])
