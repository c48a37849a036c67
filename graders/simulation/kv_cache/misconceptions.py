"""Block managers with one well-known mistake each, to name the mistake behind a wrong answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graders.simulation.kv_cache.model import BlockPool, Key, OutOfBlocks
from graders.simulation.kv_cache.model import Sequence as Tokens
from graders.simulation.stateful.program import Call
from graders.text import Text, say
from graders.verdict import Json


class _Unchained(BlockPool):
    def key(self, parent: Key | str, tokens: tuple[int, ...]) -> Key:
        return super().key(parent if isinstance(parent, str) else "", tokens)


class _Saltless(BlockPool):
    def key(self, parent: Key | str, tokens: tuple[int, ...]) -> Key:
        return super().key("" if isinstance(parent, str) else parent, tokens)


class _SaltAlone(BlockPool):
    """The salt is looked at and the parent is not, in every block."""

    def key(self, parent: Key | str, tokens: tuple[int, ...]) -> Key:
        return super().key("" if isinstance(parent, int) else parent, tokens)


class _WholePromptHit(BlockPool):
    def hit_limit(self, n_tokens: int) -> int:
        return n_tokens // self.block_size


class _NeverHits(BlockPool):
    def hit_limit(self, n_tokens: int) -> int:
        return 0


class _NewestCopy(BlockPool):
    def choose(self, copies: dict[int, None]) -> int:
        return next(reversed(copies))


class _OneCopyKept(BlockPool):
    """A map from content to one block: the newest copy replaces the others."""

    def register(self, block: int, key: Key) -> None:
        for other in self.registered.pop(key, {}):
            self.key_of.pop(other, None)
        super().register(block, key)


class _EvictsAllCopies(BlockPool):
    def forget(self, block: int) -> None:
        key = self.key_of.get(block)
        for copy in list(self.registered.get(key, {})) if key is not None else []:
            super().forget(copy)


class _StaleHash(BlockPool):
    def forget(self, block: int) -> None:
        pass


class _AllToTheTail(BlockPool):
    def release(self, block: int) -> None:
        self.references[block] -= 1
        if self.references[block] == 0:
            self.free[block] = None


class _AllToTheHead(BlockPool):
    def release(self, block: int) -> None:
        super().release(block)
        if self.references[block] == 0:
            self.free.move_to_end(block, last=False)


class _PrefixFirst(BlockPool):
    def release_order(self, table: list[int]) -> list[int]:
        return table


class _ForgetsWhenFreed(BlockPool):
    def release(self, block: int) -> None:
        if self.references[block] == 1:
            self.forget(block)
        super().release(block)


class _HitsLeftInQueue(BlockPool):
    def touch(self, block: int) -> None:
        self.references[block] += 1

    def release(self, block: int) -> None:
        self.free.pop(block, None)
        super().release(block)


class _HitsCountedAsFree(BlockPool):
    def fits(self, n_new: int, hits: list[int]) -> bool:
        return n_new <= len(self.free)

    def take(self) -> int:
        return super().take() if self.free else 0


class _HitsCountedAsNew(BlockPool):
    def fits(self, n_new: int, hits: list[int]) -> bool:
        return n_new + len(hits) <= len(self.free)


class _RefusalMovesHits(BlockPool):
    def refuse(self, hits: list[int]) -> None:
        for block in hits:
            self.touch(block)
        for block in reversed(hits):
            self.release(block)


class _RefusalKeepsHits(BlockPool):
    def refuse(self, hits: list[int]) -> None:
        for block in hits:
            self.touch(block)


class _WritesShared(BlockPool):
    def must_copy(self, block: int) -> bool:
        return False


class _CopyKeepsReference(BlockPool):
    def copy_of(self, block: int) -> int:
        return self.take()


class _ForkWithoutReference(BlockPool):
    def share(self, block: int) -> None:
        pass


class _AppendNeverRegisters(BlockPool):
    def fill(self, sequence: Tokens) -> None:
        begin = len(sequence.tokens) - self.block_size
        parent = sequence.keys[-1] if sequence.keys else sequence.salt
        sequence.keys.append(self.key(parent, tuple(sequence.tokens[begin:])))


def _known() -> list[tuple[type[BlockPool], Text]]:
    return [
        (
            _NeverHits,
            say(
                "you never reuse a block: look each full block of a prompt up among the "
                "registered ones"
            ),
        ),
        (
            _WholePromptHit,
            say(
                "you reuse the whole prompt: at least one token must be computed, or there are no "
                "logits, so at most (n - 1) // block_size blocks can be hits"
            ),
        ),
        (
            _Unchained,
            say(
                "your hash covers a block's own tokens alone: chain it on the parent's, because "
                "keys and values depend on everything before"
            ),
        ),
        (
            _SaltAlone,
            say(
                "your hash covers a block's own tokens alone: chain it on the parent's, because "
                "keys and values depend on everything before"
            ),
        ),
        (
            _Saltless,
            say("your hash leaves out the salt: two tenants must never share a block"),
        ),
        (
            _StaleHash,
            say(
                "a block that is handed out anew is still found by its old content: forget its "
                "hash when you take it from the queue"
            ),
        ),
        (
            _EvictsAllCopies,
            say(
                "evicting one copy of a content makes you forget the others: keep every block "
                "that holds it"
            ),
        ),
        (
            _OneCopyKept,
            say(
                "you keep one block for each content: a second copy must not replace the first, "
                "and both are found"
            ),
        ),
        (
            _NewestCopy,
            say("of several copies you take the newest: the one registered first is the hit"),
        ),
        (
            _ForgetsWhenFreed,
            say(
                "you forget a block's content when its last user goes: keep it until the block "
                "is taken from the free queue"
            ),
        ),
        (
            _AllToTheTail,
            say(
                "you put every freed block at the tail: a block without a hash can never be hit, "
                "so it goes to the head"
            ),
        ),
        (
            _AllToTheHead,
            say("you put freed blocks at the head: what was used last must be evicted last"),
        ),
        (
            _PrefixFirst,
            say(
                "you free a table from its front: begin at its end, so that a prefix outlives "
                "what needs it"
            ),
        ),
        (
            _HitsLeftInQueue,
            say("a hit stays in your free queue, to be handed out while it is in use: remove it"),
        ),
        (
            _HitsCountedAsFree,
            say(
                "you count hits that lie in the free queue as free: they are about to be used, so "
                "subtract them"
            ),
        ),
        (
            _HitsCountedAsNew,
            say(
                "you ask for as many free blocks as the prompt has: hits need none, unless they "
                "lie in the free queue themselves"
            ),
        ),
        (
            _RefusalMovesHits,
            say(
                "a refused prompt has moved blocks in your free queue: all or nothing means that "
                "the order stays too"
            ),
        ),
        (
            _RefusalKeepsHits,
            say("a refused prompt keeps its hits: all or nothing means that it holds no block"),
        ),
        (
            _WritesShared,
            say(
                "you write into a block that another sequence reads: copy it first when its "
                "reference count is above 1"
            ),
        ),
        (
            _CopyKeepsReference,
            say("after the copy the old block has a user less: lower its reference count"),
        ),
        (
            _ForkWithoutReference,
            say("a forked sequence uses the blocks too: raise each reference count"),
        ),
        (
            _AppendNeverRegisters,
            say("a block that append fills can be hit like any other: register it when it is full"),
        ),
    ]


@dataclass(frozen=True, slots=True)
class Observed:
    """A run of the candidate's object: all calls that it answered, and the answers."""

    num_blocks: int
    block_size: int
    calls: Sequence[Call]
    answers: Sequence[Json]


def advice(runs: Sequence[Observed]) -> Text | None:
    """What to do about the known mistake that gives exactly these answers; None if none does.

    The first run is the one to explain. Where several mistakes explain it, the one that the other
    runs agree with is named, and none if there is no such.
    """
    first, *others = runs
    explain = [(pool, text) for pool, text in _known() if _gives(pool, first)]
    agreed = [text for pool, text in explain if all(_gives(pool, run) for run in others)]
    if agreed:
        return agreed[0]
    return explain[0][1] if len(explain) == 1 else None


def _gives(pool: type[BlockPool], run: Observed) -> bool:
    model = pool(run.num_blocks, run.block_size)
    try:
        return all(
            model.answer(call) == got for call, got in zip(run.calls, run.answers, strict=True)
        )
    except (OutOfBlocks, KeyError, IndexError):
        return False
