"""The memory of an interpreted launch: every access is looked at, as compute-sanitizer would.

All buffers lie in one array with fences between them. For each byte it is known whether anything
was written there, and which program of the launch under way wrote or read it last, so that an
access outside its buffer and two programs that meet in one place are found where they happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FENCE_BYTES = 1024
ALIGNMENT_BYTES = 256
POISON = 0xFF  # NaN in every floating type

_NOBODY = -1
_SEVERAL = -2


@dataclass(eq=False)
class Fault(Exception):
    """An access that no kernel may make.

    `kind` is ``outside``, ``writes_input``, ``write_after_write``, ``read_after_write`` or
    ``write_after_read``; `index` is the place inside the accessed block, `other` the program met.
    """

    kind: str
    access: str  # load, store or atomic
    buffer: str
    offset_bytes: int
    buffer_bytes: int
    index: tuple[int, ...]
    program: tuple[int, int, int] = (0, 0, 0)
    other: tuple[int, int, int] | None = None


class Memory:
    """Buffers by name, in one address space."""

    def __init__(self, sizes: dict[str, int], given: dict[str, bytes]) -> None:
        starts, end = {}, FENCE_BYTES
        for name, size in sizes.items():
            starts[name] = end
            end += -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES + FENCE_BYTES
        raw = np.full(end + ALIGNMENT_BYTES, POISON, np.uint8)
        shift = -raw.ctypes.data % ALIGNMENT_BYTES
        self.bytes = raw[shift : shift + end]
        self.base = int(self.bytes.ctypes.data)
        self.written = np.zeros(end, bool)
        self._writer = np.full(end, _NOBODY, np.int32)
        self._reader = np.full(end, _NOBODY, np.int32)
        self._names = list(sizes)
        self._starts = np.array([starts[name] for name in sizes], np.int64)
        self._ends = np.array([starts[name] + sizes[name] for name in sizes], np.int64)
        self._given = given
        self.grid = (1, 1, 1)
        self.program = (0, 0, 0)
        self._number = 0
        self._synchronised: set[int] = set()
        for name, data in given.items():
            self.write(name, 0, np.frombuffer(data, np.uint8))

    def address(self, name: str, offset_bytes: int) -> int:
        """The address of a place in a buffer."""
        return self.base + int(self._starts[self._names.index(name)]) + offset_bytes

    def write(self, name: str, offset_bytes: int, data: NDArray[np.uint8]) -> None:
        """What a fill or a copy does."""
        start = int(self._starts[self._names.index(name)]) + offset_bytes
        self.bytes[start : start + len(data)] = data
        self.written[start : start + len(data)] = True

    def read(self, name: str, offset_bytes: int, n_bytes: int) -> NDArray[np.uint8]:
        """A copy of a piece of a buffer."""
        start = int(self._starts[self._names.index(name)]) + offset_bytes
        return self.bytes[start : start + n_bytes].copy()

    def begin_launch(self, grid: tuple[int, int, int]) -> None:
        """Launches follow each other: what an earlier one wrote is safe to read."""
        self._writer[:] = _NOBODY
        self._reader[:] = _NOBODY
        self._synchronised.clear()
        self.grid = grid

    def begin_program(self, x: int, y: int, z: int) -> None:
        """The accesses that follow are this program's."""
        self.program = (x, y, z)
        self._number = (x * self.grid[1] + y) * self.grid[2] + z

    def load(self, addresses: Any, mask: Any, n_bytes: int) -> None:
        """Look at a load before it happens."""
        at, chosen = self._inside(addresses, mask, n_bytes, "load")
        if self._number not in self._synchronised:
            # A program that took part in an atomic operation may know that the others are done.
            writers = self._writer[at]
            met = (writers >= 0) & (writers != self._number)
            if met.any():
                self._meet("read_after_write", "load", at, chosen, met, writers, np.shape(mask))
        readers = self._reader[at]
        others = (readers != _NOBODY) & (readers != self._number)
        self._reader[at] = np.where(others, _SEVERAL, self._number)

    def store(self, addresses: Any, values: Any, mask: Any, n_bytes: int) -> None:
        """Look at a store before it happens."""
        at, chosen = self._inside(addresses, mask, n_bytes, "store")
        new = np.broadcast_to(values, np.shape(mask)).reshape(-1)[chosen]
        old = self.bytes[at[:, None] + np.arange(n_bytes)]
        changes = (new.reshape(-1, 1).view(np.uint8).reshape(old.shape) != old).any(axis=1)
        if self._number not in self._synchronised and changes.any():
            writers, readers = self._writer[at], self._reader[at]
            met = changes & (writers >= 0) & (writers != self._number)
            if met.any():
                self._meet("write_after_write", "store", at, chosen, met, writers, np.shape(mask))
            met = changes & (readers != _NOBODY) & (readers != self._number)
            if met.any():
                self._meet("write_after_read", "store", at, chosen, met, readers, np.shape(mask))
        self._mark(at, n_bytes)
        self._writer[at] = self._number

    def atomic(self, addresses: Any, mask: Any, n_bytes: int) -> None:
        """Look at an atomic operation; from here on this program may know of others."""
        at, _ = self._inside(addresses, mask, n_bytes, "atomic")
        self._synchronised.add(self._number)
        self._mark(at, n_bytes)

    def _mark(self, at: NDArray[np.int64], n_bytes: int) -> None:
        for i in range(n_bytes):
            self.written[at + i] = True

    def _inside(
        self, addresses: Any, mask: Any, n_bytes: int, access: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places of the accessed elements in `bytes`, and which of the block they are."""
        shape = np.shape(mask)
        flat = np.broadcast_to(addresses, shape).reshape(-1).astype(np.int64) - self.base
        chosen = np.flatnonzero(np.asarray(mask).reshape(-1))
        at = flat[chosen]
        if not len(at):
            return at, chosen
        which = np.clip(np.searchsorted(self._starts, at, side="right") - 1, 0, None)
        outside = (at < self._starts[which]) | (at + n_bytes > self._ends[which])
        kind = "outside"
        if access != "load" and not outside.any():
            outside = np.array([name in self._given for name in self._names])[which]
            kind = "writes_input"
        if outside.any():
            first = int(np.flatnonzero(outside)[0])
            # The fence after a buffer is nearer to it than the one before the next.
            near = int(which[first])
            gap = int(at[first] - self._ends[near])
            if kind == "outside" and near + 1 < len(self._names):
                before_next = int(self._starts[near + 1] - at[first])
                near += gap >= 0 and before_next < gap
            raise Fault(
                kind,
                access,
                self._names[near],
                int(at[first] - self._starts[near]),
                int(self._ends[near] - self._starts[near]),
                tuple(int(i) for i in np.unravel_index(int(chosen[first]), shape or (1,))),
                self.program,
            )
        return at, chosen

    def _meet(
        self,
        kind: str,
        access: str,
        at: NDArray[np.int64],
        chosen: NDArray[np.int64],
        met: NDArray[np.bool_],
        who: NDArray[np.int32],
        shape: tuple[int, ...],
    ) -> None:
        first = int(np.flatnonzero(met)[0])
        which = int(np.searchsorted(self._starts, at[first], side="right") - 1)
        number = int(who[first])
        x, rest = divmod(number, self.grid[1] * self.grid[2])
        y, z = divmod(rest, self.grid[2])
        raise Fault(
            kind,
            access,
            self._names[which],
            int(at[first] - self._starts[which]),
            int(self._ends[which] - self._starts[which]),
            tuple(int(i) for i in np.unravel_index(int(chosen[first]), shape or (1,))),
            self.program,
            (x, y, z) if number >= 0 else None,
        )
