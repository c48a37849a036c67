"""Blocks as linked objects with a sentinel, hashes by SHA-256 over the parent's: as vLLM does it."""

import hashlib


class Block:
    __slots__ = ("number", "users", "digest", "left", "right")

    def __init__(self, number):
        self.number = number
        self.users = 0
        self.digest = None
        self.left = self.right = None


def link(left, right):
    left.right, right.left = right, left


class BlockManager:
    def __init__(self, num_blocks, block_size):
        self.block_size = block_size
        self.blocks = [Block(number) for number in range(num_blocks)]
        for left, right in zip(self.blocks, self.blocks[1:]):
            link(left, right)
        link(self.blocks[-1], self.blocks[0])  # block 0 is the sentinel
        self.n_free = num_blocks - 1
        self.cached = {}
        self.tables, self.texts, self.digests = {}, {}, {}

    def digest(self, parent, tokens):
        text = parent + b"|" + b",".join(str(token).encode() for token in tokens)
        return hashlib.sha256(text).digest()

    def unlink(self, block):
        link(block.left, block.right)
        self.n_free -= 1

    def put(self, block, left):
        link(block, left.right)
        link(left, block)
        self.n_free += 1

    def pop(self):
        block = self.blocks[0].right
        self.unlink(block)
        if block.digest is not None:
            copies = self.cached[block.digest]
            del copies[block.number]
            if not copies:
                del self.cached[block.digest]
            block.digest = None
        block.users = 1
        return block

    def seal(self, block, digest):
        block.digest = digest
        self.cached.setdefault(digest, {})[block.number] = block

    def allocate(self, seq, tokens, salt=""):
        size = self.block_size
        digests, parent = [], b"salt:" + salt.encode()
        for start in range(0, len(tokens) // size * size, size):
            parent = self.digest(parent, tokens[start : start + size])
            digests.append(parent)
        table = []
        for digest in digests[: (len(tokens) - 1) // size]:
            copies = self.cached.get(digest)
            if not copies:
                break
            table.append(next(iter(copies.values())))
        n_hits = len(table)
        n_new = (len(tokens) + size - 1) // size - n_hits
        if n_new > self.n_free - sum(1 for block in table if block.users == 0):
            return None
        for block in table:
            if block.users == 0:
                self.unlink(block)
            block.users += 1
        table += [self.pop() for _ in range(n_new)]
        for block, digest in list(zip(table, digests))[n_hits:]:
            self.seal(block, digest)
        self.tables[seq], self.texts[seq] = table, list(tokens)
        self.digests[seq] = [b"salt:" + salt.encode(), *digests]
        return [n_hits * size, [block.number for block in table]]

    def append(self, seq, token):
        table, text = self.tables[seq], self.texts[seq]
        old = None
        if len(text) % self.block_size == 0:
            if self.n_free == 0:
                return None
            table.append(self.pop())
        elif table[-1].users > 1:
            if self.n_free == 0:
                return None
            old = table[-1]
            old.users -= 1
            table[-1] = self.pop()
        text.append(token)
        if len(text) % self.block_size == 0:
            digests = self.digests[seq]
            digests.append(self.digest(digests[-1], text[-self.block_size :]))
            self.seal(table[-1], digests[-1])
        return [table[-1].number, old.number if old else None]

    def fork(self, parent, child):
        for block in self.tables[parent]:
            block.users += 1
        for kept in (self.tables, self.texts, self.digests):
            kept[child] = list(kept[parent])
        return [block.number for block in self.tables[child]]

    def free(self, seq):
        del self.texts[seq], self.digests[seq]
        for block in reversed(self.tables.pop(seq)):
            block.users -= 1
            if block.users == 0:
                sentinel = self.blocks[0]
                self.put(block, sentinel if block.digest is None else sentinel.left)

    def free_queue(self):
        order, block = [], self.blocks[0].right
        while block.number:
            order.append(block.number)
            block = block.right
        return order

    def ref_counts(self):
        return [block.users for block in self.blocks]
