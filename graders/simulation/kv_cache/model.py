"""The block manager that every answer is held against: small, literal, one rule a method.

Prefix caching as in vLLM's first engine version V1 (``vllm/v1/core/block_pool.py``), whose rules
the problem's statement repeats. Copy on write is for sequences forked off another one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeAlias

from graders.simulation.stateful.program import Call
from graders.verdict import Json

NULL_BLOCK = 0
Key: TypeAlias = int  # stands for a whole prefix: salt and all tokens up to a block's end


@dataclass(slots=True)
class Sequence:
    """A living sequence: its tokens and the blocks that hold them."""

    tokens: list[int]
    table: list[int]
    salt: str
    keys: list[Key]  # of its full blocks


class OutOfBlocks(Exception):
    """The free queue is empty where a block is taken: only a model with a mistake gets here."""


class BlockPool:
    """A pool of `num_blocks` blocks of `block_size` tokens; block 0 is never handed out."""

    def __init__(self, num_blocks: int, block_size: int) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size
        self.sequences: dict[str, Sequence] = {}
        self.references = [0] * num_blocks
        self.free: OrderedDict[int, None] = OrderedDict.fromkeys(range(1, num_blocks))
        self.key_of: dict[int, Key] = {}  # of each registered block
        self.registered: dict[Key, dict[int, None]] = {}  # oldest first
        self._keys: dict[tuple[Key | str, tuple[int, ...]], Key] = {}

    def answer(self, call: Call) -> Json:
        """Do one call as the candidate's object must.

        Raises
        ------
        KeyError
            If a sequence is not there, or there already: such calls are never made.
        """
        method, arguments = call
        names = {"allocate", "append", "fork", "free", "free_queue", "ref_counts"}
        if method not in names:
            raise KeyError(f"the method must be one of {sorted(names)}, got {method}")
        done: Json = getattr(self, f"_do_{method}")(*arguments)
        return done

    def key(self, parent: Key | str, tokens: tuple[int, ...]) -> Key:
        """What a full block is known by: its tokens and all before them, and the salt."""
        return self._keys.setdefault((parent, tokens), len(self._keys))

    def hit_limit(self, n_tokens: int) -> int:
        """How many blocks of a prompt may be reused: one token is always computed."""
        return (n_tokens - 1) // self.block_size

    def choose(self, copies: dict[int, None]) -> int:
        """Of several blocks with the same content the one that is hit."""
        return next(iter(copies))

    def touch(self, block: int) -> None:
        """A cached block gets one more user."""
        if self.references[block] == 0:
            del self.free[block]
        self.references[block] += 1

    def fits(self, n_new: int, hits: list[int]) -> bool:
        """Whether the free queue holds the new blocks besides the hits that lie in it."""
        n_idle = sum(self.references[block] == 0 for block in hits)
        return n_new <= len(self.free) - n_idle

    def take(self) -> int:
        """The block at the head of the free queue, its content forgotten."""
        if not self.free:
            raise OutOfBlocks
        block, _ = self.free.popitem(last=False)
        self.forget(block)
        self.references[block] = 1
        return block

    def forget(self, block: int) -> None:
        """Nobody can hit this block any more; other copies stay."""
        key = self.key_of.pop(block, None)
        if key is not None:
            copies = self.registered[key]
            del copies[block]
            if not copies:
                del self.registered[key]

    def register(self, block: int, key: Key) -> None:
        """A block is full: from now on it can be hit."""
        self.key_of[block] = key
        self.registered.setdefault(key, {})[block] = None

    def release(self, block: int) -> None:
        """A user less; without any the block goes into the free queue."""
        self.references[block] -= 1
        if self.references[block] == 0:
            self.free[block] = None
            if block not in self.key_of:
                self.free.move_to_end(block, last=False)

    def release_order(self, table: list[int]) -> list[int]:
        """The tail first, so that it is evicted before the prefix it needs."""
        return table[::-1]

    def share(self, block: int) -> None:
        """A forked sequence uses the block too."""
        self.references[block] += 1

    def copy_of(self, block: int) -> int:
        """A block of the writer's own in place of a shared one."""
        copy = self.take()
        self.references[block] -= 1
        return copy

    def must_copy(self, block: int) -> bool:
        """Whether a block may not be written in place."""
        return self.references[block] > 1

    def fill(self, sequence: Sequence) -> None:
        """The last block of the sequence has become full."""
        begin = len(sequence.tokens) - self.block_size
        parent = sequence.keys[-1] if sequence.keys else sequence.salt
        key = self.key(parent, tuple(sequence.tokens[begin:]))
        sequence.keys.append(key)
        self.register(sequence.table[-1], key)

    def refuse(self, hits: list[int]) -> None:
        """A prompt did not fit: nothing has changed."""

    def _do_allocate(self, name: str, tokens: list[int], salt: str = "") -> Json:
        size = self.block_size
        keys: list[Key] = []
        for begin in range(0, len(tokens) - size + 1, size):
            parent = keys[-1] if keys else salt
            keys.append(self.key(parent, tuple(tokens[begin : begin + size])))
        hits: list[int] = []
        for key in keys[: self.hit_limit(len(tokens))]:
            if key not in self.registered:
                break
            hits.append(self.choose(self.registered[key]))
        n_new = -(-len(tokens) // size) - len(hits)
        if not self.fits(n_new, hits):
            self.refuse(hits)
            return None
        for block in hits:
            self.touch(block)
        table = hits + [self.take() for _ in range(n_new)]
        for block, key in list(zip(table, keys, strict=False))[len(hits) :]:
            self.register(block, key)
        if name in self.sequences:
            raise KeyError(f"{name} must not be allocated twice")
        self.sequences[name] = Sequence(list(tokens), table, salt, keys)
        answer: list[Json] = [len(hits) * size, list(table)]
        return answer

    def _do_append(self, name: str, token: int) -> Json:
        sequence = self.sequences[name]
        source: int | None = None
        if len(sequence.tokens) % self.block_size == 0:
            if not self.free:
                return None
            sequence.table.append(self.take())
        elif self.must_copy(sequence.table[-1]):
            if not self.free:
                return None
            source = sequence.table[-1]
            sequence.table[-1] = self.copy_of(source)
        sequence.tokens.append(token)
        if len(sequence.tokens) % self.block_size == 0:
            self.fill(sequence)
        return [sequence.table[-1], source]

    def _do_fork(self, parent: str, child: str) -> Json:
        old = self.sequences[parent]
        if child in self.sequences:
            raise KeyError(f"{child} must not be forked twice")
        self.sequences[child] = Sequence(
            list(old.tokens), list(old.table), old.salt, list(old.keys)
        )
        for block in old.table:
            self.share(block)
        return list(old.table)

    def _do_free(self, name: str) -> Json:
        for block in self.release_order(self.sequences.pop(name).table):
            self.release(block)
        return None

    def _do_free_queue(self) -> Json:
        return list(self.free)

    def _do_ref_counts(self) -> Json:
        return list(self.references)
