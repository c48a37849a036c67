"""A paged block manager with prefix reuse, copy on write and LRU eviction.

Each operation costs as much as the blocks that it touches, whatever the size of the pool: the free
queue is a doubly linked list held in two arrays, so that a hit leaves its middle in constant time.
"""

from __future__ import annotations

import hashlib


class FreeQueue:
    """Block numbers, linked; entry 0 stands for both ends, since block 0 is never free."""

    def __init__(self, num_blocks: int) -> None:
        self.next = [*range(1, num_blocks), 0]
        self.previous = [num_blocks - 1, *range(num_blocks - 1)]
        self.size = num_blocks - 1

    def insert_after(self, place: int, block: int) -> None:
        after = self.next[place]
        self.next[place] = self.previous[after] = block
        self.previous[block], self.next[block] = place, after
        self.size += 1

    def push_head(self, block: int) -> None:
        self.insert_after(0, block)

    def push_tail(self, block: int) -> None:
        self.insert_after(self.previous[0], block)

    def remove(self, block: int) -> None:
        before, after = self.previous[block], self.next[block]
        self.next[before], self.previous[after] = after, before
        self.size -= 1

    def pop_head(self) -> int:
        block = self.next[0]
        self.remove(block)
        return block

    def __iter__(self):
        block = self.next[0]
        while block:
            yield block
            block = self.next[block]


class Sequence:
    """Tokens of a living sequence, the blocks that hold them, the prefixes that its blocks end."""

    def __init__(
        self, tokens: list[int], salt: str, table: list[int], prefixes: list[bytes]
    ) -> None:
        self.tokens = tokens
        self.salt = salt
        self.table = table
        self.prefixes = prefixes


class BlockManager:
    def __init__(self, num_blocks: int, block_size: int) -> None:
        self.block_size = block_size
        self.references = [0] * num_blocks
        self.free_blocks = FreeQueue(num_blocks)
        self.sequences: dict[str, Sequence] = {}
        self.prefix_of: dict[int, bytes] = {}  # of each registered block
        self.holders: dict[bytes, dict[int, None]] = {}  # prefix -> its blocks, oldest first

    def allocate(self, seq: str, tokens: list[int], salt: str = "") -> list | None:
        size = self.block_size
        prefixes: list[bytes] = []
        for begin in range(0, len(tokens) - size + 1, size):
            prefixes.append(self._prefix(salt, prefixes, tokens[begin : begin + size]))
        hits: list[int] = []
        for prefix in prefixes[: (len(tokens) - 1) // size]:
            if prefix not in self.holders:
                break
            hits.append(next(iter(self.holders[prefix])))
        n_new = -(-len(tokens) // size) - len(hits)
        n_idle_hits = sum(self.references[block] == 0 for block in hits)
        if n_new > self.free_blocks.size - n_idle_hits:
            return None
        for block in hits:
            if self.references[block] == 0:
                self.free_blocks.remove(block)
            self.references[block] += 1
        table = hits + [self._take() for _ in range(n_new)]
        self.sequences[seq] = Sequence(list(tokens), salt, table, prefixes)
        for place in range(len(hits), len(prefixes)):
            self._register(table[place], prefixes[place])
        return [len(hits) * size, list(table)]

    def append(self, seq: str, token: int) -> list | None:
        sequence = self.sequences[seq]
        copied_from = None
        is_full = len(sequence.tokens) % self.block_size == 0
        if is_full or self.references[sequence.table[-1]] > 1:
            if self.free_blocks.size == 0:
                return None
            block = self._take()
            if is_full:
                sequence.table.append(block)
            else:
                copied_from = sequence.table[-1]
                self.references[copied_from] -= 1
                sequence.table[-1] = block
        sequence.tokens.append(token)
        if len(sequence.tokens) % self.block_size == 0:
            last = sequence.tokens[-self.block_size :]
            prefix = self._prefix(sequence.salt, sequence.prefixes, last)
            sequence.prefixes.append(prefix)
            self._register(sequence.table[-1], prefix)
        return [sequence.table[-1], copied_from]

    def fork(self, parent: str, child: str) -> list[int]:
        old = self.sequences[parent]
        for block in old.table:
            self.references[block] += 1
        self.sequences[child] = Sequence(
            list(old.tokens), old.salt, list(old.table), list(old.prefixes)
        )
        return list(old.table)

    def free(self, seq: str) -> None:
        for block in reversed(self.sequences.pop(seq).table):
            self.references[block] -= 1
            if self.references[block] == 0:
                if block in self.prefix_of:
                    self.free_blocks.push_tail(block)
                else:
                    self.free_blocks.push_head(block)

    def free_queue(self) -> list[int]:
        return list(self.free_blocks)

    def ref_counts(self) -> list[int]:
        return self.references

    def _prefix(self, salt: str, prefixes: list[bytes], tokens: list[int]) -> bytes:
        """A digest of all tokens up to here, kept only while a block or a sequence needs it."""
        parent = prefixes[-1] if prefixes else salt
        return hashlib.sha256(repr((parent, tokens)).encode()).digest()

    def _register(self, block: int, prefix: bytes) -> None:
        self.prefix_of[block] = prefix
        self.holders.setdefault(prefix, {})[block] = None

    def _take(self) -> int:
        block = self.free_blocks.pop_head()
        prefix = self.prefix_of.pop(block, None)
        if prefix is not None:
            del self.holders[prefix][block]
            if not self.holders[prefix]:
                del self.holders[prefix]
        self.references[block] = 1
        return block
