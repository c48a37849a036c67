"""A disk with a cache that a crash loses: what was written, and what may be there afterwards.

One directory of files. A write goes to the end of its file and reaches the disk for certain only
with an fsync of that file; until then the write may be there, be there by half, or be missing, each
write for itself. Creating, renaming and removing change the directory; such a change is atomic, and
for certain only with an fsync of the directory. Until then any of them may be missing, each for
itself, whatever their order. This is what POSIX promises, and no more.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod
from typing import TypeAlias

MAX_IMAGES = 128  # of one crash; beyond it a choice is made
Image: TypeAlias = dict[str, bytes]


class Fate(StrEnum):
    """What became of something that had not reached the disk for certain."""

    KEPT = "kept"
    HALF = "half"
    LOST = "lost"


class Misuse(LookupError):
    """An operation that the file system refuses; the text says which rule."""


@dataclass(slots=True)
class _Inode:
    durable: bytes = b""
    cached: list[tuple[int, bytes]] = field(default_factory=list)  # number of the write, data

    def size(self) -> int:
        return len(self.durable) + sum(len(data) for _, data in self.cached)


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of the directory that is not on the disk for certain: `new` None removes."""

    number: int
    old: str | None
    new: str | None
    inode: int


@dataclass(frozen=True, slots=True)
class Crash:
    """One thing that a crash may leave: the files, and what became of each doubtful operation."""

    image: Image
    fates: dict[int, Fate]  # by the operation's number

    @property
    def losses(self) -> int:
        return sum(fate is not Fate.KEPT for fate in self.fates.values())


class FileSystem:
    """The running system's view, and the disk under it. Operations are numbered by the caller."""

    def __init__(self, image: Image | None = None) -> None:
        files = image or {}
        self._inodes = [_Inode(data) for data in files.values()]
        self._seen = {name: at for at, name in enumerate(files)}
        self._durable = dict(self._seen)
        self._changes: list[_Change] = []

    def names(self) -> list[str]:
        """All files, sorted."""
        return sorted(self._seen)

    def read(self, name: str) -> bytes:
        """A file as the running system sees it."""
        inode = self._inode(name)
        return inode.durable + b"".join(data for _, data in inode.cached)

    def used_bytes(self) -> int:
        """Bytes of all files that have a name."""
        return sum(self._inodes[inode].size() for inode in self._seen.values())

    def describe(self) -> list[tuple[str, int, int, bool]]:
        """Of each file: name, its bytes, those on the disk for certain, and whether the name is."""
        return [
            (
                name,
                self._inodes[at].size(),
                len(self._inodes[at].durable),
                self._durable.get(name) == at and all(one.inode != at for one in self._changes),
            )
            for name, at in sorted(self._seen.items())
        ]

    def create(self, number: int, name: str) -> None:
        """An empty file; one of that name is replaced by it."""
        self._inodes.append(_Inode())
        self._change(number, None, name, len(self._inodes) - 1)
        self._seen[name] = len(self._inodes) - 1

    def write(self, number: int, name: str, data: bytes) -> None:
        """Add to the end of a file."""
        self._inode(name).cached.append((number, data))

    def fsync(self, name: str) -> None:
        """The file's content is on the disk for certain; its name is not."""
        inode = self._inode(name)
        inode.durable, inode.cached = self.read(name), []

    def rename(self, number: int, old: str, new: str) -> None:
        """Atomically give a file another name; a file of that name is replaced."""
        self._inode(old)
        inode = self._seen.pop(old)
        self._change(number, old, new, inode)
        self._seen[new] = inode

    def unlink(self, number: int, name: str) -> None:
        """Remove a file."""
        self._inode(name)
        self._change(number, name, None, self._seen.pop(name))

    def fsync_dir(self) -> None:
        """All names are on the disk for certain."""
        self._durable, self._changes = dict(self._seen), []

    def crashes(self, seed: int) -> list[Crash]:
        """What a crash at this moment may leave, the least lost first.

        All combinations where they are `MAX_IMAGES` at most; else everything kept, everything
        lost, each one alone lost or kept, and combinations drawn from `seed`.
        """
        doubtful = self._doubtful()
        seen: dict[tuple[tuple[str, bytes], ...], Crash] = {}
        for fates in _combinations(doubtful, seed):
            image = self.image(fates)
            key = tuple(sorted(image.items()))
            known = seen.get(key)
            crash = Crash(image, fates)
            if known is None or crash.losses < known.losses:
                seen[key] = crash
        return sorted(seen.values(), key=lambda crash: crash.losses)

    def image(self, fates: dict[int, Fate]) -> Image:
        """What a crash leaves where doubtful operations had these fates; all others are kept."""
        names = dict(self._durable)
        for change in self._changes:
            if fates.get(change.number) is Fate.LOST:
                continue
            if change.old is not None and names.get(change.old) == change.inode:
                del names[change.old]
            if change.new is not None:
                names[change.new] = change.inode
        return {name: self._content(inode, fates) for name, inode in sorted(names.items())}

    def _inode(self, name: str) -> _Inode:
        if name not in self._seen:
            raise Misuse(name)
        return self._inodes[self._seen[name]]

    def _change(self, number: int, old: str | None, new: str | None, inode: int) -> None:
        self._changes.append(_Change(number, old, new, inode))

    def _doubtful(self) -> dict[int, tuple[Fate, ...]]:
        fates: dict[int, tuple[Fate, ...]] = {
            change.number: (Fate.KEPT, Fate.LOST) for change in self._changes
        }
        reachable = {*self._durable.values(), *(change.inode for change in self._changes)}
        for inode in reachable:
            for number, data in self._inodes[inode].cached:
                if data:
                    half = (Fate.HALF,) if len(data) > 1 else ()
                    fates[number] = (Fate.KEPT, *half, Fate.LOST)
        return dict(sorted(fates.items()))

    def _content(self, at: int, fates: dict[int, Fate]) -> bytes:
        """What is on the disk of one file; a hole that a lost write leaves reads as zeros."""
        inode = self._inodes[at]
        content = bytearray(inode.durable)
        end = len(content)
        for number, data in inode.cached:
            fate = fates.get(number, Fate.KEPT)
            kept = {Fate.KEPT: data, Fate.HALF: data[: len(data) // 2], Fate.LOST: b""}[fate]
            if kept:
                content += bytes(end - len(content)) + kept
            end += len(data)
        return bytes(content)


def _combinations(doubtful: dict[int, tuple[Fate, ...]], seed: int) -> Iterator[dict[int, Fate]]:
    numbers, choices = list(doubtful), list(doubtful.values())
    if prod(len(choice) for choice in choices) <= MAX_IMAGES:
        for fates in itertools.product(*choices):
            yield dict(zip(numbers, fates, strict=True))
        return
    all_kept = dict.fromkeys(numbers, Fate.KEPT)
    all_lost = dict.fromkeys(numbers, Fate.LOST)
    yield all_kept
    yield all_lost
    for number, choice in doubtful.items():
        for fate in choice[1:]:
            yield {**all_kept, number: fate}
        for fate in choice[:-1]:
            yield {**all_lost, number: fate}
    generator = random.Random(seed)  # noqa: S311  which combinations is no secret
    for _ in range(MAX_IMAGES // 2):
        yield {number: generator.choice(choice) for number, choice in doubtful.items()}
